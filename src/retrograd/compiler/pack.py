"""Passes many small arrays to a compiled step as one.

Each array that goes into and comes out of an XLA program costs about 0.8 µs on a CPU, whatever its
size: 20 of them 16 µs, where the arithmetic of a 13-64-64-1 network's Adam step takes 10. So the
small Variables that a step writes travel in one array, a `Pack`, and each of them holds a `Parcel`
that says where in it its values are. That step written by hand in JAX took 1.7 times as long with
18 arrays as with one (benchmarks/packing.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from retrograd.arrays import Array
from retrograd.variable import Parcel, Variable

__all__ = ["Pack", "choose"]

# Above these sizes, of one array and of all together, copying costs more than it saves.
_LARGEST = 1 << 14
_IN_ALL = 1 << 15
_FEWEST = 4


def choose(variables: Iterable[Variable]) -> list[Variable]:
    """Which of `variables` travel in one array: the small float32 ones, if there are several."""
    room = _IN_ALL
    chosen = []
    for variable in sorted(variables, key=Variable.numel):
        size = variable.numel()
        if variable.dtype == np.float32 and 0 < size <= min(room, _LARGEST):
            chosen.append(variable)
            room -= size
    return chosen if len(chosen) >= _FEWEST else []


class Pack:
    """One array with the values of several Variables, one after the other."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self.variables = variables
        self.array: Array = np.zeros(0, np.float32)
        self.whole = False  # whether every Variable still holds its parcel of this pack
        self._view: Array | None = None
        self._parcels: list[Parcel] = []
        start = 0
        for variable in variables:
            self._parcels.append(Parcel(self, start, variable.shape, variable.dtype))
            start += variable.numel()

    def load(self) -> Array:
        """The array to pass, gathered again if a Variable was given new contents.

        Raises TypeError if they have another shape or dtype.
        """
        if not self.whole and self.variables:
            arrays = [variable.settled() for variable in self.variables]
            for array, parcel in zip(arrays, self._parcels, strict=True):
                if (array.shape, array.dtype) != (parcel.shape, parcel.dtype):
                    raise TypeError(f"packed as {parcel.shape}, found {array.shape}")
            self.store(np.concatenate([np.ravel(array) for array in arrays]))
            for variable, parcel in zip(self.variables, self._parcels, strict=True):
                variable.hold(parcel)
            self.whole = True
        return self.array

    def store(self, array: Array) -> None:
        """Keep the array that a step returned."""
        self.array = array
        self._view = None

    def view(self) -> Array:
        """The array as NumPy's, uncopied."""
        if self._view is None:
            self._view = np.asarray(self.array)
        return self._view

    def split(self, array: Array) -> list[Array]:
        """Within a step: the Variables' arrays, unpacked."""
        return [parcel.cut(array) for parcel in self._parcels]

    def join(self, xp: Any, arrays: Sequence[Array]) -> Array:
        """Within a step: the Variables' arrays, packed into one."""
        return xp.concatenate([xp.ravel(array) for array in arrays]) if arrays else self.array
