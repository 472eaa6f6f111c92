"""The rows of a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Data"]

Array = np.ndarray[Any, Any]

# How many numbers a few rows need have, and the fewest rows that do.
_NUMBERS, _FEWEST = 4096, 8


@dataclass(frozen=True)
class Data:
    """The model's inputs, each `(rows, ...)`, and their targets `(rows, ...)`."""

    inputs: tuple[Array, ...]
    target: Array

    @classmethod
    def of(cls, data: Sequence[Any]) -> Data:
        """From `(input or inputs, target)`: arrays, or anything that NumPy converts to arrays."""
        inputs, target = data
        several = isinstance(inputs, tuple)
        return cls(tuple(map(np.asarray, inputs if several else (inputs,))), np.asarray(target))

    def rows(self, which: Array) -> Data:
        """Some of the rows."""
        return Data(tuple(each[which] for each in self.inputs), self.target[which])

    def few(self, most: int) -> Data:
        """The first rows, at most `most`: for what runs the model one operation at a time.

        Of large rows fewer, since one image has as many places to look at as many rows of a table.
        """
        numbers = sum(each[0].size for each in self.inputs if len(each))
        enough = max(_FEWEST, _NUMBERS // max(numbers, 1))
        return self.rows(np.arange(min(most, enough, len(self))))

    def __len__(self) -> int:
        return len(self.target)
