"""Random augmentation of images within the training step."""

from __future__ import annotations

import numpy as np

from retrograd import nn, ops, random
from retrograd.tensor import Tensor

__all__ = ["Augment"]


class Augment(nn.Module):
    """(rows, channels, height, width) -> the same; in evaluation the images pass as they are.

    In training each image is moved by up to `shift` of its sides in whole pixels (the edges
    repeat), zoomed so that between `crop` and 1 of its sides is seen, mirrored left to right half
    of the time with `flip`, and blanked in a square of `cutout` of the shorter side, which may
    reach over the edge (DeVries & Taylor 2017). What is blanked is 0: the mean, in standardized
    images.
    """

    def __init__(
        self, *, shift: float = 0.0, crop: float = 1.0, flip: bool = False, cutout: float = 0.0
    ) -> None:
        super().__init__()
        self.shift = shift
        self.crop = crop
        self.flip = flip
        self.cutout = cutout

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        n, _, height, width = x.shape
        if self.shift or self.crop < 1 or self.flip:
            zoom = 1 - (1 - self.crop) * random.uniform((n, 1))
            rows = self._seen(n, height, zoom)
            columns = self._seen(n, width, zoom)
            if self.flip:
                mirrored = random.bernoulli(0.5, (n, 1)) > 0.5
                columns = ops.where(mirrored, ops.flip(columns, (1,)), columns)
            # n images, c channels; i, j places in the new image, h, w in the old one.
            x = ops.einsum("nih,nchw->nciw", _interpolation(rows, height), x)
            x = ops.einsum("njw,nciw->ncij", _interpolation(columns, width), x)
        if self.cutout:
            side = self.cutout * min(height, width)
            outside = ops.unsqueeze(_outside(n, height, side), 2) + ops.unsqueeze(
                _outside(n, width, side), 1
            )
            x = x * ops.unsqueeze(outside > 0, 1).astype(x.dtype)
        return x

    def _seen(self, n: int, size: int, zoom: Tensor) -> Tensor:
        """(n, size): for each place along a side of a new image, the place in the old one."""
        middle = (size - 1) / 2
        places = np.arange(size, dtype=np.float32) - np.float32(middle)
        room = middle * (1 - zoom)  # to both sides of the part that is seen
        moved = room * (2 * random.uniform((n, 1)) - 1)
        moved = moved + ops.round(self.shift * size * (2 * random.uniform((n, 1)) - 1))
        return ops.clip(middle + places * zoom + moved, 0, size - 1)

    def extra_repr(self) -> str:
        return f"shift={self.shift}, crop={self.crop}, flip={self.flip}, cutout={self.cutout}"


def _interpolation(places: Tensor, size: int) -> Tensor:
    """(n, size) places from 0 to size − 1 -> (n, size, size) weights of linear interpolation."""
    old = np.arange(size, dtype=np.float32)
    return ops.relu(1 - ops.abs(ops.unsqueeze(places, 2) - old))


def _outside(n: int, size: int, side: float) -> Tensor:
    """(n, size): 1 for places that are further than side / 2 from one drawn for each image."""
    middle = size * random.uniform((n, 1))
    places = np.arange(size, dtype=np.float32) + np.float32(0.5)
    return (ops.abs(middle - places) > side / 2).astype(np.float32)
