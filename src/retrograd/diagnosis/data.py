"""The rows of a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Data", "codes"]

Array = np.ndarray[Any, Any]


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

    def __len__(self) -> int:
        return len(self.target)


def codes(target: Array) -> Array:
    """Class codes (rows,), from codes in any shape or from one-hot rows."""
    target = np.asarray(target)
    if target.ndim > 1 and target.shape[-1] > 1:
        return target.reshape(len(target), -1).argmax(1)
    return np.nan_to_num(target.reshape(-1)).astype(np.int64)
