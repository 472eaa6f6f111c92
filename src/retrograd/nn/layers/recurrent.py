"""Recurrent layers: RNN, LSTM and GRU, of several layers and both directions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.arrays import namespace
from retrograd.nn import init
from retrograd.nn.arguments import as_tensor, check_range, integers
from retrograd.nn.layers.dropout import dropout
from retrograd.nn.module import Module
from retrograd.ops.layers.recurrent import Cell, ElmanStep, GRUStep, LSTMStep, recur
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["GRU", "LSTM", "RNN"]


class _RecurrentLayer(Module):
    cell: Cell

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if hidden_size < 1 or num_layers < 1:
            raise ValueError(
                f"{name}: hidden_size and num_layers must be at least 1, found {hidden_size} and "
                f"{num_layers}"
            )
        if not 0 <= dropout <= 1:
            raise ValueError(f"{name}: dropout is a probability, between 0 and 1, found {dropout}")
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.bidirectional = bidirectional
        rows = self.cell.gates * hidden_size
        for layer, suffix in self._runs():
            width = input_size if layer == 0 else hidden_size * len(self._directions())
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, width),
                "weight_hh": (rows, hidden_size),
            }
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            for kind, shape in shapes.items():
                setattr(self, f"{kind}_l{suffix}", Parameter(np.empty(shape, np.float32)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights, uniform on ±1 / sqrt(hidden_size), as in PyTorch."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _directions(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _runs(self) -> list[tuple[int, str]]:
        """Every layer and direction, with the end of its parameters' names: "0", "0_reverse"."""
        return [
            (layer, f"{layer}{direction}")
            for layer in range(self.num_layers)
            for direction in self._directions()
        ]

    def forward(self, x: Any, hx: Any = None, lengths: Any = None) -> tuple[Tensor, Any]:
        """The outputs of the last layer, and the last states of every layer and direction.

        `lengths`, (n,), says how many steps of each sequence count, as packing does in PyTorch:
        beyond them the outputs are 0, the last states are those after the last step that counts,
        and the reverse direction begins there. A length of 0 leaves the first states.
        Raises ValueError for shapes that do not fit, IndexError for a length beyond the sequence.
        """
        x = as_tensor(x)
        alone = x.ndim == 2
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            order = "(n, time, in)" if self.batch_first else "(time, n, in)"
            raise ValueError(
                f"{type(self).__name__}: expected {order} or (time, in) with in = "
                f"{self.input_size}, found an input of shape {tuple(x.shape)}"
            )
        if alone:
            x = ops.unsqueeze(x, 1)
        elif self.batch_first:
            x = ops.transpose(x, 0, 1)
        states = self._first_states(hx, x, alone)
        mask = None if lengths is None else self._mask(lengths, x)
        last: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            if layer:
                x = dropout(x, self.dropout, self.training)
            outputs = []
            for direction in self._directions():
                one, after = self._run(
                    x, [each[len(last)] for each in states], f"{layer}{direction}", mask
                )
                outputs.append(one)
                last.append(after)
            x = outputs[0] if len(outputs) == 1 else ops.concatenate(outputs, -1)
            if mask is not None:
                x = ops.where(mask, x, 0.0)
        ends = tuple(ops.stack(each) for each in zip(*last, strict=True))
        if alone:
            x, ends = ops.squeeze(x, 1), tuple(ops.squeeze(each, 1) for each in ends)
        elif self.batch_first:
            x = ops.transpose(x, 0, 1)
        return x, ends if self.cell.states > 1 else ends[0]

    def _run(
        self, x: Tensor, states: list[Tensor], suffix: str, mask: Any
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One layer in one direction."""
        own = vars(self)
        # The input's part of all steps in one product, outside of the loop.
        projected = ops.linear(x, own[f"weight_ih_l{suffix}"], own.get(f"bias_ih_l{suffix}"))
        return recur(
            self.cell,
            projected,
            states,
            own[f"weight_hh_l{suffix}"],
            own.get(f"bias_hh_l{suffix}"),
            mask,
            suffix.endswith("_reverse"),
        )

    def _first_states(self, hx: Any, x: Tensor, alone: bool) -> list[Tensor]:
        """Each state as (layers · directions, n, h); 0 unless given."""
        count = self.cell.states
        shape = (len(self._runs()), x.shape[1], self.hidden_size)
        if hx is None:
            zeros = Tensor(namespace(x.data).zeros(shape, x.dtype))
            return [zeros] * count
        given = [as_tensor(each) for each in (hx if count > 1 else (hx,))]
        wanted = (shape[0], shape[2]) if alone else shape
        if len(given) != count or any(each.shape != wanted for each in given):
            raise ValueError(
                f"{type(self).__name__}: expected {count} first states of shape {wanted}, found "
                f"{', '.join(str(tuple(each.shape)) for each in given)}"
            )
        return [ops.unsqueeze(each, 1) if alone else each for each in given]

    def _mask(self, lengths: Any, x: Tensor) -> Any:
        """(time, n, 1): which steps count."""
        found = integers(f"{type(self).__name__}: lengths", lengths)
        time, n = x.shape[:2]
        if found.shape != (n,):
            raise ValueError(
                f"{type(self).__name__}: lengths must have the shape {(n,)}, one for each "
                f"sequence, found {tuple(found.shape)}"
            )
        check_range(f"{type(self).__name__}: a length", found, time + 1)
        return (np.arange(time)[:, None] < found.data)[:, :, None]

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        if self.num_layers != 1:
            parts.append(f"num_layers={self.num_layers}")
        if not self.bias:
            parts.append("bias=False")
        if self.batch_first:
            parts.append("batch_first=True")
        if self.dropout:
            parts.append(f"dropout={self.dropout}")
        if self.bidirectional:
            parts.append("bidirectional=True")
        return ", ".join(parts)


class RNN(_RecurrentLayer):
    """h' = tanh(W x + b + U h + c) along time (Elman 1990): `output, h_n = rnn(x, h_0)`.

    x is (time, n, in), or with `batch_first` (n, time, in); the output ends with hidden_size, twice
    that if `bidirectional`; h_n is (layers · directions, n, hidden_size). The parameters of layer k
    are `weight_ih_lk`, `weight_hh_lk`, `bias_ih_lk` and `bias_hh_lk`, the reverse direction's with
    `_reverse` behind. `dropout` acts between layers. `nonlinearity` is "tanh" or "relu".
    Variable lengths are the argument `lengths` where PyTorch packs sequences; see `forward`.
    Raises ValueError for arguments or an input that do not fit.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity must be tanh or relu, found {nonlinearity!r}")
        self.cell = ElmanStep(nonlinearity)
        self.nonlinearity = nonlinearity
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        )


class LSTM(_RecurrentLayer):
    """Long short-term memory: `output, (h_n, c_n) = lstm(x, (h_0, c_0))`.

    c' = f c + i g, h' = o tanh(c'), with sigmoid gates i, f, o and g = tanh(...) (Hochreiter &
    Schmidhuber 1997; Gers et al. 2000), whose rows stand in the order i f g o. Shapes, names and
    arguments as `RNN`'s.
    """

    cell = LSTMStep()


class GRU(_RecurrentLayer):
    """Gated recurrent units: `output, h_n = gru(x, h_0)`.

    h' = (1 - z) n + z h, n = tanh(W x + b + r (U h + c)), with sigmoid gates r and z (Cho et al.
    2014), whose rows stand in the order r z n. Shapes, names and arguments as `RNN`'s.
    """

    cell = GRUStep()
