"""A small convolutional network."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from retrograd import nn
from retrograd.tensor import Tensor

__all__ = ["CNN"]


class CNN(nn.Module):
    """(rows, channels, height, width) -> (rows, outputs): convolutions, then one hidden layer.

    Each of `widths` is a stage that halves the image: a 3×3 convolution to that many channels,
    max-pooling, batch normalization and ReLU. What is left, at most 8×8 places, goes through a
    hidden layer of `hidden` units; before and after it values are dropped at the rate `dropout`.
    The plan is LeNet's (LeCun, Bottou, Bengio & Haffner 1998, figure 2).
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        outputs: int,
        *,
        widths: Sequence[int] = (32, 64),
        hidden: int = 128,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        channels, height, width = shape
        stages: list[nn.Module] = []
        for n_in, n_out in itertools.pairwise((channels, *widths)):
            # A side of one pixel cannot be halved.
            window = (min(height, 2), min(width, 2))
            height, width = height // window[0], width // window[1]
            stages += [
                nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
                # Before the normalization, which then has a quarter of the values to go through.
                nn.MaxPool2d(window),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
            ]
        self.stages = nn.Sequential(*stages)
        places = (min(height, 8), min(width, 8))
        self.pool = nn.AdaptiveAvgPool2d(places)
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(widths[-1] * places[0] * places[1], hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.pool(self.stages(x)))
