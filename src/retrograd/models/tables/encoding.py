"""How the columns of a table enter a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd import nn, ops
from retrograd.tensor import Tensor
from retrograd.variable import Buffer

__all__ = ["OneHot", "PiecewiseLinear"]

Array = np.ndarray[Any, Any]


class PiecewiseLinear(nn.Module):
    """(rows, numbers) -> (rows, bins of all numbers): how far each number is through each bin.

    0 below a bin, 1 above it, linear within, so that the layer above fits a piecewise-linear curve
    to each number (Gorishniy, Rubachev, Babenko 2022, "On embeddings for numerical features in
    tabular deep learning", equation 1). `edges[i]` are the rising edges of number i's bins; a
    number with one bin is left out, since the number itself says as much.
    """

    def __init__(self, edges: Sequence[Array]) -> None:
        super().__init__()
        chosen = [(i, each) for i, each in enumerate(edges) if len(each) > 2]
        self.size = sum(len(each) - 1 for _, each in chosen)
        self.column = Buffer(
            np.concatenate([np.zeros(0, int), *(np.full(len(e) - 1, i) for i, e in chosen)])
        )
        none = np.zeros(0, np.float32)
        self.low = Buffer(np.concatenate([none, *(each[:-1] for _, each in chosen)]))
        self.width = Buffer(np.concatenate([none, *(np.diff(each) for _, each in chosen)]))

    def forward(self, numbers: Tensor) -> Tensor:
        through = (ops.take(numbers, self.column, 1) - self.low) / self.width
        return ops.clip(through, 0.0, 1.0)


class OneHot(nn.Module):
    """(rows, categories) codes -> (rows, codes of all categories): 1 for the code, 0 for others.

    Code 0, a category that training did not see, is all zeros.
    """

    def __init__(self, cardinalities: Sequence[int]) -> None:
        super().__init__()
        self.size = sum(n - 1 for n in cardinalities)
        columns = [np.full(n - 1, i) for i, n in enumerate(cardinalities)]
        codes = [np.arange(1, n, dtype=np.int32) for n in cardinalities]
        self.column = Buffer(np.concatenate([np.zeros(0, int), *columns]))
        self.code = Buffer(np.concatenate([np.zeros(0, np.int32), *codes]))

    def forward(self, categories: Tensor) -> Tensor:
        return (ops.take(categories, self.column, 1) == self.code).astype(np.float32)
