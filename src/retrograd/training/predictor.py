"""A model's outputs for any number of rows, in evaluation mode, compiled once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.autodiff.tape import no_grad
from retrograd.compiler import compile
from retrograd.tensor import Tensor

__all__ = ["ROWS_PER_CALL", "Predictor"]

Array = np.ndarray[Any, Any]

ROWS_PER_CALL = 1024


class Predictor:
    """Runs `model` on NumPy inputs, each `(rows, ...)`, and returns its outputs `(rows, ...)`.

    The rows are processed in calls of one size, the last one padded, so that one program serves
    every table.
    """

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self._forward = compile(self._outputs)

    def _outputs(self, *inputs: Array) -> Tensor:
        with no_grad():
            return self.model(*inputs)

    def __call__(self, inputs: Sequence[Array]) -> Array:
        rows = len(inputs[0])
        size = min(ROWS_PER_CALL, 1 << max(rows - 1, 0).bit_length())
        with nn.evaluating(self.model):
            parts = [
                self._forward(*(_filled(each[start : start + size], size) for each in inputs))
                for start in range(0, max(rows, 1), size)
            ]
        return np.concatenate([part.numpy() for part in parts])[:rows]


def _filled(rows: Array, size: int) -> Array:
    """`rows` padded with zeros to `size`."""
    missing = size - len(rows)
    return rows if not missing else np.pad(rows, [(0, missing)] + [(0, 0)] * (rows.ndim - 1))
