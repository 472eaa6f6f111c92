"""Dropout: of single elements, of whole channels, of whole layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrograd import random
from retrograd.nn.arguments import as_tensor
from retrograd.nn.module import Module
from retrograd.tensor import Tensor

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
    "StochasticDepth",
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """In training each element is 0 with probability `p`, and the others are divided by 1 - p.

    Raises ValueError for a probability outside [0, 1].
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is a probability, between 0 and 1, found {p}")
    input = as_tensor(input)
    if not training or p == 0:
        return input
    scale = 1 / (1 - p) if p < 1 else 0.0
    return input * (random.bernoulli(1 - p, input.shape, input.dtype) * scale)


class Dropout(Module):
    """Sets elements to 0 at random in training, and does nothing in evaluation.

    Each is dropped with probability `p`; the others are divided by 1 - p, so that the expected
    value stays (Srivastava et al. 2014). The masks come from `rg.random`'s stream.
    Raises ValueError for a probability outside [0, 1].
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace  # PyTorch's, which changes nothing
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is a probability, between 0 and 1, found {p}")
        self.p = p

    def forward(self, x: Any) -> Tensor:
        return dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def _kept(x: Tensor, p: float, axes: int) -> Tensor:
    """x with each slice over all but the first `axes` axes 0 with probability `p`, else scaled."""
    shape = (*x.shape[:axes], *(1,) * (x.ndim - axes))
    scale = 1 / (1 - p) if p < 1 else 0.0
    return x * (random.bernoulli(1 - p, shape, x.dtype) * scale)


class _ChannelDropout(Dropout):
    axes: int

    def forward(self, x: Any) -> Tensor:
        x = as_tensor(x)
        if x.ndim not in (self.axes + 1, self.axes + 2):
            raise ValueError(
                f"{type(self).__name__}: expected the axes (n, channels, {self.axes} spatial), or "
                f"those without n; found an input of shape {tuple(x.shape)}"
            )
        if not self.training or self.p == 0:
            return x
        return _kept(x, self.p, x.ndim - self.axes)


class Dropout1d(_ChannelDropout):
    """Sets whole channels of signals to 0 in training: (n, c, length) -> the same.

    Each is dropped with probability `p`; the others are divided by 1 - p (Tompson et al. 2015).
    Raises ValueError for a probability outside [0, 1], or an input with other axes.
    """

    axes = 1


class Dropout2d(_ChannelDropout):
    """Sets whole channels of images to 0 in training: (n, c, height, width) -> the same.

    As `Dropout1d`, over two axes. An input without n has three axes, (c, height, width).
    """

    axes = 2


class Dropout3d(_ChannelDropout):
    """Sets whole channels of volumes to 0 in training: (n, c, d, h, w) -> the same."""

    axes = 3


def _channels(axes: int) -> Callable[..., Tensor]:
    """`dropout` of whole channels over the `axes` axes behind them."""

    def dropped(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        x = as_tensor(input)
        return _kept(x, p, x.ndim - axes) if training and p else x

    return dropped


dropout1d, dropout2d, dropout3d = map(_channels, (1, 2, 3))


def alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """In training each element is SELU's lower limit with probability `p`; then all are scaled and
    shifted so that mean 0 and variance 1 stay (Klambauer et al. 2017, section 3).
    """
    x = as_tensor(input)
    return _held(x, p, x.shape) if training and p else x


def feature_alpha_dropout(
    input: Any, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels, (n, c, ...)."""
    x = as_tensor(input)
    return _held(x, p, (*x.shape[:2], *(1,) * (x.ndim - 2))) if training and p else x


# -λ α of SELU, which its outputs approach.
_LIMIT = -1.7580993408473766


def _held(x: Tensor, p: float, shape: tuple[int, ...]) -> Tensor:
    scale = ((1 - p) * (1 + p * _LIMIT**2)) ** -0.5 if p < 1 else 0.0
    keep = random.bernoulli(1 - p, shape, x.dtype)
    return scale * (x * keep + _LIMIT * (1 - keep) - p * _LIMIT)


class AlphaDropout(Dropout):
    """Dropout for SELU networks: see `alpha_dropout` (Klambauer et al. 2017)."""

    def forward(self, x: Any) -> Tensor:
        return alpha_dropout(x, self.p, self.training)


class FeatureAlphaDropout(Dropout):
    """Dropout of whole channels for SELU networks: see `feature_alpha_dropout`."""

    def forward(self, x: Any) -> Tensor:
        return feature_alpha_dropout(x, self.p, self.training)


class StochasticDepth(Dropout):
    """Sets a residual branch to 0 in training, so that the layer is skipped.

    With probability `p`, for each example (`mode` "row") or for the whole batch ("batch"); what is
    left is divided by 1 - p (Huang et al. 2016), as in `torchvision.ops.StochasticDepth`.
    Raises ValueError for a probability outside [0, 1] or another mode.
    """

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__(p)
        if mode not in ("row", "batch"):
            raise ValueError(f"StochasticDepth: mode must be 'row' or 'batch', found {mode!r}")
        self.mode = mode

    def forward(self, x: Any) -> Tensor:
        x = as_tensor(x)
        if not self.training or self.p == 0:
            return x
        return _kept(x, self.p, 1 if self.mode == "row" else 0)

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode}"
