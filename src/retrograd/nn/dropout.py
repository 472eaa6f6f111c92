"""Dropout."""

from __future__ import annotations

from typing import Any

from retrograd import random
from retrograd.nn.arguments import as_tensor
from retrograd.nn.module import Module
from retrograd.tensor import Tensor

__all__ = ["Dropout", "dropout"]


def dropout(input: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """In training each element is 0 with probability `p`, and the others are divided by 1 - p.

    Raises ValueError for a probability outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is a probability, between 0 and 1, found {p}")
    input = as_tensor(input)
    if not training or p == 0:
        return input
    scale = 1 / (1 - p) if p < 1 else 0.0
    return input * (random.bernoulli(1 - p, input.shape, input.dtype) * scale)


class Dropout(Module):
    """Sets elements to 0 at random in training, and does nothing in evaluation.

    Each is dropped with probability `p`; the others are divided by 1 - p, so that the expected
    value stays (Srivastava et al. 2014). The masks come from `rg.random`'s stream.
    Raises ValueError for a probability outside [0, 1].
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is a probability, between 0 and 1, found {p}")
        self.p = p

    def forward(self, x: Any) -> Tensor:
        return dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"
