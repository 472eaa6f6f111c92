"""What an optimizer remembers of one parameter: arrays by name, each in a Slot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from retrograd.arrays import Array, state
from retrograd.variable import Parameter, Slot

__all__ = ["Slots", "new_slot"]


def new_slot(values: Any) -> Slot:
    """A Slot made on the spot, also within a compiled step, whose trace then finds it as an input.

    The Slot outlives the trace, so its first contents must be known values, not the trace's.
    """
    trace, state.trace = state.trace, None
    try:
        return Slot(values)
    finally:
        state.trace = trace


class Slots(MutableMapping[str, Array]):
    """The arrays remembered of one parameter; those read before they are written are zeros.

    Each has the parameter's shape and dtype.
    """

    def __init__(self, parameter: Parameter) -> None:
        self.parameter = parameter
        self.held: dict[str, Slot] = {}

    def fill(self, name: str, value: float) -> None:
        """Begin `name` as an array of one value, unless it has begun."""
        if name not in self.held:
            shape, dtype = self.parameter.shape, self.parameter.dtype
            self.held[name] = new_slot(np.full(shape, value, dtype))

    def __getitem__(self, name: str) -> Array:
        self.fill(name, 0.0)
        return self.held[name].data
