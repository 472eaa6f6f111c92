"""A convolutional network along time."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from retrograd import nn, ops
from retrograd.tensor import Tensor

__all__ = ["SignalCNN"]


class SignalCNN(nn.Module):
    """(rows, channels, time) -> (rows, outputs): convolutions along time, then what they found.

    Each of `widths` is a stage: a convolution over five steps to that many channels, batch
    normalization, ReLU, and max-pooling that halves the time while it is longer than four steps.
    Every channel's mean and maximum over the time that is left go, with values dropped at the rate
    `dropout`, into a linear layer. (The plan of Wang, Yan & Oates 2017, with pooling.)
    """

    def __init__(
        self,
        channels: int,
        time: int,
        outputs: int,
        *,
        widths: Sequence[int] = (64, 128, 128),
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise((channels, *widths)):
            stages += [
                nn.Conv1d(n_in, n_out, 5, padding=2, bias=False),
                nn.BatchNorm1d(n_out),
                nn.ReLU(),
            ]
            if time > 4:
                stages.append(nn.MaxPool1d(2))
                time //= 2
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * widths[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stages(x)
        found = ops.concatenate([x.mean(2), ops.amax(x, 2)], 1)
        out: Tensor = self.head(self.dropout(found))
        return out
