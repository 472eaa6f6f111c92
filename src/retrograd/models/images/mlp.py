"""A multi-layer perceptron over everything that an example holds."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from retrograd import nn
from retrograd.tensor import Tensor

__all__ = ["MLP"]


class MLP(nn.Module):
    """(rows, ...) -> (rows, outputs): the values of an example in a row, then `depth` layers.

    Each layer is linear, batch-normalized (Ioffe & Szegedy 2015), rectified, and drops units at the
    rate `dropout`. `shape` is that of one example.
    """

    def __init__(
        self,
        shape: Sequence[int],
        outputs: int,
        *,
        width: int = 512,
        depth: int = 2,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.flatten = nn.Flatten()
        widths = [math.prod(shape), *[width] * depth]
        self.layers = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Linear(n_in, n_out, bias=False),
                    nn.BatchNorm1d(n_out),
                    nn.ReLU(),
                    nn.Dropout(dropout),
                )
                for n_in, n_out in itertools.pairwise(widths)
            )
        )
        self.head = nn.Linear(widths[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layers(self.flatten(x)))
