"""An optimizer's state for one parameter: arrays by name, each in a Slot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from retrograd.arrays import Array, DType, is_half, state
from retrograd.variable import Parameter, Slot

__all__ = ["Slots"]


class Slots:
    """The arrays remembered of one parameter, of its shape and dtype; zeros until written.

    For half precision they are float32, since small squares would be zeros in it.
    `shapes` names those of another shape.
    """

    def __init__(
        self, parameter: Parameter, shapes: Mapping[str, tuple[int, ...]] | None = None
    ) -> None:
        self._parameter = parameter
        self._shapes = dict(shapes or {})
        self._held: dict[str, Slot] = {}

    def __getitem__(self, name: str) -> Array:
        return self._slot(name).data

    def __setitem__(self, name: str, array: Array) -> None:
        self._slot(name).data = array

    def _slot(self, name: str) -> Slot:
        slot = self._held.get(name)
        if slot is None:
            # Its first use may be in a compiled step. It is made outside of the trace, which then
            # meets it like any Variable that was there before.
            trace, state.trace = state.trace, None
            try:
                slot = self._held[name] = Slot(np.zeros(self._shape(name), self._dtype))
            finally:
                state.trace = trace
        return slot

    def _shape(self, name: str) -> tuple[int, ...]:
        return self._shapes.get(name, self._parameter.shape)

    @property
    def _dtype(self) -> DType:
        dtype = self._parameter.dtype
        return np.dtype(np.float32) if is_half(dtype) else dtype

    def arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """The contents by name."""
        return {name: np.asarray(slot.data) for name, slot in self._held.items()}

    def load(self, arrays: Mapping[str, Any]) -> None:
        """Restore what `arrays` returned; raises ValueError for another shape.

        The Slots stay the same ones, since compiled steps know them.
        """
        dtype = self._dtype
        for name, values in arrays.items():
            array, shape = np.array(values, dtype), self._shape(name)
            if array.shape != shape:
                raise ValueError(
                    f"the saved {name} has shape {array.shape}, its parameter has shape {shape}; "
                    "the parameters must be those of the saved optimizer, in the same order"
                )
            self[name] = array
        for name in self._held.keys() - arrays.keys():
            self[name] = np.zeros(self._shape(name), dtype)
