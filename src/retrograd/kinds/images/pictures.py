"""Images as pictures for a report: as they are, and with what a prediction rests on marked."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.kinds.base.fitted import Picture
from retrograd.kinds.base.importance import integrated_gradients
from retrograd.tensor import Tensor

__all__ = ["attributed", "marked", "picture"]

Array = np.ndarray[Any, Any]

_SIDE = 64
_DARK = 64
# The strongest marks, left out of the scale: a single pixel must not make the rest pale.
_STRONGEST = 0.99


def attributed(network: nn.Module, pixels: Array, mean: Array, codes: Array) -> Array:
    """(rows, height, width): what each pixel adds to the output, compared with the mean image.

    The output is the network's output number `codes`, (rows,), in evaluation mode; see
    `integrated_gradients`.
    """

    def answer(x: Tensor) -> Tensor:
        outputs: Tensor = network(x)
        one_hot = (np.arange(outputs.shape[1]) == codes[:, None]).astype(np.float32)
        return (outputs * one_hot).sum(1)

    with nn.evaluating(network):
        return integrated_gradients(answer, pixels.astype(np.float32), mean).sum(1)


def picture(pixels: Array, text: str) -> Picture:
    """One image, (channels, height, width); numbers and dark bytes are scaled to full contrast."""
    return _picture(_colors(pixels), text)


def marked(pixels: Array, parts: Array, text: str) -> Picture:
    """The image in gray with `parts`, (height, width), on it: red adds, blue subtracts."""
    gray = _colors(pixels).mean(2, keepdims=True)
    most = float(np.quantile(np.abs(parts), _STRONGEST)) or 1.0
    strength = np.clip(np.abs(parts) / most, 0, 1)[:, :, None]
    mark = np.where(parts[:, :, None] > 0, np.array([214, 39, 40]), np.array([31, 119, 180]))
    return _picture((1 - strength) * (64 + gray / 2) + strength * mark, text)


def _colors(pixels: Array) -> Array:
    """Red, green and blue, (height, width, 3), from 0 to 255."""
    values = pixels.astype(np.float64)
    if pixels.dtype != np.uint8 or values.max() < _DARK:  # such as digits of 0 to 16
        low, high = values.min(), values.max()
        values = (values - low) * (255 / max(high - low, 1e-12))
    return (values[:3] if len(values) >= 3 else values[[0, 0, 0]]).transpose(1, 2, 0)


def _picture(colors: Array, text: str) -> Picture:
    # Imported here, because a run on a table does not need it.
    from PIL import Image

    image = Image.fromarray(np.rint(colors).astype(np.uint8))
    image.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    image.save(file, "PNG")
    return Picture(file.getvalue(), text)
