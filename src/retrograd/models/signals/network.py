"""What every network for signals begins with: values standardized and, in training, augmented."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd import nn, ops, random
from retrograd.tensor import Tensor
from retrograd.variable import Buffer

__all__ = ["AugmentSignal", "SignalNetwork"]


class AugmentSignal(nn.Module):
    """(rows, channels, time) -> the same; in evaluation the signals pass as they are.

    In training each signal is moved by up to `shift` of its length in whole steps (the ends
    repeat), multiplied by a factor within 1 ± `scale`, and gets normal noise of deviation `noise`.
    """

    def __init__(self, *, shift: float = 0.0, scale: float = 0.0, noise: float = 0.0) -> None:
        super().__init__()
        self.shift = shift
        self.scale = scale
        self.noise = noise

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        n, channels, time = x.shape
        if self.shift:
            by = ops.round(self.shift * time * (2 * random.uniform((n, 1)) - 1))
            places = ops.clip(np.arange(time) + by.astype(np.int32), 0, time - 1)
            wide = ops.broadcast_to(ops.unsqueeze(places, 1), shape=(n, channels, time))
            x = ops.take_along_dim(x, wide, 2)
        if self.scale:
            x = x * (1 + self.scale * (2 * random.uniform((n, 1, 1)) - 1))
        if self.noise:
            x = x + self.noise * random.normal((n, channels, time))
        return x

    def extra_repr(self) -> str:
        return f"shift={self.shift}, scale={self.scale}, noise={self.noise}"


class SignalNetwork(nn.Module):
    """(rows, channels, time) numbers -> (rows, outputs) of `body`.

    `mean` and `std`, (channels,), are those of the training signals in their own units.
    """

    def __init__(self, mean: Any, std: Any, augment: AugmentSignal, body: nn.Module) -> None:
        super().__init__()
        self.mean = Buffer(np.asarray(mean, np.float32)[:, None])
        self.std = Buffer(np.asarray(std, np.float32)[:, None])
        self.augment = augment
        self.body = body

    def forward(self, signals: Tensor) -> Tensor:
        return self.body(self.augment((signals - self.mean) / self.std))
