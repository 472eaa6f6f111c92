"""What every network for images begins with: pixels standardized and, in training, augmented."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd import nn
from retrograd.models.images.augment import Augment
from retrograd.tensor import Tensor
from retrograd.variable import Buffer

__all__ = ["ImageNetwork"]


class ImageNetwork(nn.Module):
    """(rows, channels, height, width) pixels, bytes or numbers -> (rows, outputs) of `body`.

    `mean` and `std`, (channels,), are those of the training pixels in the pixels' own units.
    """

    def __init__(self, mean: Any, std: Any, augment: Augment, body: nn.Module) -> None:
        super().__init__()
        self.mean = Buffer(np.asarray(mean, np.float32)[:, None, None])
        self.std = Buffer(np.asarray(std, np.float32)[:, None, None])
        self.augment = augment
        self.body = body

    def forward(self, pixels: Tensor) -> Tensor:
        x = (pixels.astype(np.float32) - self.mean) / self.std
        return self.body(self.augment(x))
