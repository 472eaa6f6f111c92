"""A network that continues a series of numbers."""

from __future__ import annotations

from retrograd import nn, ops
from retrograd.nn import init
from retrograd.tensor import Tensor

__all__ = ["Forecaster"]


class Forecaster(nn.Module):
    """(rows, context) numbers -> (rows, horizon), those that come after.

    Each window is taken relative to its last value and in units of its own deviation, and so is
    what is added to it (Kim et al. 2022; NLinear, Zeng et al. 2023). A linear map and a small
    perceptron are summed; both start at zero, so that an untrained network answers the last value.
    """

    # Of standardized values: a window that hardly moves must not blow up what little it does.
    least_deviation = 0.1

    def __init__(
        self, context: int, horizon: int, *, width: int = 64, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(context, horizon, bias=False)
        self.hidden = nn.Linear(context, width)
        self.activation = nn.SiLU()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(width, horizon)
        init.zeros_(self.linear.weight)
        init.zeros_(self.out.weight)
        if self.out.bias is not None:
            init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        last = x[:, -1:]
        moved = x - last
        scale = ops.sqrt(ops.var(x, 1, correction=0, keepdim=True) + self.least_deviation**2)
        z = moved / scale
        step = self.linear(z) + self.out(self.dropout(self.activation(self.hidden(z))))
        return last + scale * step
