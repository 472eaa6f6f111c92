"""One step of a recurrent layer: RNN, LSTM and GRU cells."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.arrays import namespace
from retrograd.nn import init
from retrograd.nn.arguments import as_tensor
from retrograd.nn.module import Module
from retrograd.ops.layers.recurrent import Cell, ElmanStep, GRUStep, LSTMStep
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]


class _Cell(Module):
    cell: Cell

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        rows = self.cell.gates * hidden_size
        self.weight_ih = Parameter(np.empty((rows, input_size), np.float32))
        self.weight_hh = Parameter(np.empty((rows, hidden_size), np.float32))
        self.bias_ih = Parameter(np.empty(rows, np.float32)) if bias else None
        self.bias_hh = Parameter(np.empty(rows, np.float32)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights, uniform on ±1 / sqrt(hidden_size), as in PyTorch."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def forward(self, x: Any, hx: Any = None) -> Any:
        """The state (of an LSTM the two states) after one step from `hx`, by default from 0.

        Raises ValueError for shapes that do not fit.
        """
        x = as_tensor(x)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            raise ValueError(
                f"{type(self).__name__}: expected (n, {self.input_size}) or ({self.input_size},), "
                f"found an input of shape {tuple(x.shape)}"
            )
        alone = x.ndim == 1
        rows = ops.unsqueeze(x, 0) if alone else x
        a = ops.linear(rows, self.weight_ih, self.bias_ih)
        states = self._states(hx, rows, alone)
        b = ops.linear(states[0], self.weight_hh, self.bias_hh)
        new, _ = self.cell.step(a, b, states)
        if alone:
            new = tuple(ops.squeeze(each, 0) for each in new)
        return new if self.cell.states > 1 else new[0]

    def _states(self, hx: Any, x: Tensor, alone: bool) -> list[Tensor]:
        shape = (x.shape[0], self.hidden_size)
        if hx is None:
            return [Tensor(namespace(x.data).zeros(shape, x.dtype))] * self.cell.states
        given = [as_tensor(each) for each in (hx if self.cell.states > 1 else (hx,))]
        wanted = shape[1:] if alone else shape
        if len(given) != self.cell.states or any(each.shape != wanted for each in given):
            raise ValueError(
                f"{type(self).__name__}: expected {self.cell.states} states of shape {wanted}, "
                f"found {', '.join(str(tuple(each.shape)) for each in given)}"
            )
        return [ops.unsqueeze(each, 0) if alone else each for each in given]

    def extra_repr(self) -> str:
        bias = "" if self.bias_ih is not None else ", bias=False"
        return f"{self.input_size}, {self.hidden_size}{bias}"


class RNNCell(_Cell):
    """h' = tanh(W x + b + U h + c), or relu (Elman 1990): (n, in), (n, h) -> (n, h).

    Parameters are `weight_ih`, `weight_hh`, `bias_ih` and `bias_hh`. Raises ValueError for another
    nonlinearity, or shapes that do not fit.
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNNCell: nonlinearity must be tanh or relu, found {nonlinearity!r}")
        self.cell = ElmanStep(nonlinearity)
        super().__init__(input_size, hidden_size, bias)


class LSTMCell(_Cell):
    """One step of `LSTM`: `h, c = cell(x, (h, c))`, (n, in) and two (n, h) -> two (n, h)."""

    cell = LSTMStep()


class GRUCell(_Cell):
    """One step of `GRU`: `h = cell(x, h)`, (n, in), (n, h) -> (n, h)."""

    cell = GRUStep()
