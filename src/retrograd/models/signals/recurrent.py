"""A recurrent network that reads a signal from both ends."""

from __future__ import annotations

from retrograd import nn, ops
from retrograd.tensor import Tensor

__all__ = ["SignalGRU", "SignalLSTM"]


class _SignalRecurrent(nn.Module):
    """(rows, channels, time) -> (rows, outputs): two directions along time, then what they found.

    Each of `depth` layers has `width` units a direction. Every unit's mean and maximum over time
    go, with values dropped at the rate `dropout`, into a linear layer; any `time` will do.
    """

    layer: type[nn.GRU] | type[nn.LSTM]

    def __init__(
        self,
        channels: int,
        time: int,
        outputs: int,
        *,
        width: int = 64,
        depth: int = 2,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.recurrent = self.layer(
            channels, width, depth, batch_first=True, dropout=dropout, bidirectional=True
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(4 * width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.recurrent(ops.transpose(x, 1, 2))
        found = ops.concatenate([states.mean(1), ops.amax(states, 1)], 1)
        out: Tensor = self.head(self.dropout(found))
        return out


class SignalGRU(_SignalRecurrent):
    """Gated recurrent units (Cho et al. 2014) over a signal."""

    layer = nn.GRU


class SignalLSTM(_SignalRecurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997) over a signal."""

    layer = nn.LSTM
