"""Resizing images and signals, and exchanging channels for pixels, as PyTorch calls them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from retrograd.autodiff.precision import floating, in_single
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.rounding import floor
from retrograd.ops.elementwise.selection import clip
from retrograd.ops.shapes.shape import Shape, broadcast_to, permute, reshape
from retrograd.ops.spatial import adaptive_pooling
from retrograd.ops.spatial.arguments import along, tensor

Vector = np.ndarray[Any, Any]

# The spatial axes that each mode is for; the others serve one to three.
_AXES = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
_ANY = ("nearest", "nearest-exact", "area")


@in_single
def interpolate(
    input: Any,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """(n, c, spatial) -> (n, c, spatial'): resized to `size`, or by `scale_factor`.

    `mode` is "nearest" (PyTorch's, which rounds down), "nearest-exact", "area", "linear",
    "bilinear", "trilinear" or "bicubic". With `align_corners` the outermost elements keep their
    places, else the outer edges do. `antialias` widens the filter when shrinking ("bilinear" and
    "bicubic"). What is computed from integers is float32, of 8-bit images in the latter two modes
    rounded to 8 bits again. Raises ValueError for arguments that do not fit.
    """
    x = tensor(input)
    image = x.dtype == np.uint8 and mode in ("bilinear", "bicubic")
    if mode not in ("nearest", "nearest-exact"):
        x = floating(x)
    axes = x.ndim - 2
    if not 1 <= axes <= 3:
        raise ValueError(
            "interpolate: the input must have the axes (batch, channels, 1 to 3 spatial); found "
            f"the shape {tuple(x.shape)}"
        )
    if mode not in _ANY and _AXES.get(mode) != axes:
        fits = [name for name, n in _AXES.items() if n == axes]
        raise ValueError(
            f"interpolate: mode {mode!r} is not for {axes} spatial axes (the input's shape is "
            f"{tuple(x.shape)}); choose {', '.join([*_ANY, *fits])}"
        )
    if align_corners is not None and mode in _ANY:
        raise ValueError(f"interpolate: align_corners has no meaning for mode {mode!r}")
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(f"interpolate: antialias is for bilinear and bicubic, found {mode!r}")
    found = x.shape[2:]
    wanted, factors = _wanted(found, size, scale_factor)
    if mode == "area":
        pools = (
            adaptive_pooling.adaptive_avg_pool1d,
            adaptive_pooling.adaptive_avg_pool2d,
            adaptive_pooling.adaptive_avg_pool3d,
        )
        return pools[axes - 1](x, wanted)
    kept = None if recompute_scale_factor else factors
    # The last axis first, so that what an 8-bit image is rounded to after each is PyTorch's.
    for axis, (n, m) in reversed([*enumerate(zip(found, wanted, strict=True))]):
        step = n / m if kept is None else 1 / kept[axis]
        if mode in ("nearest", "nearest-exact"):
            x = _nearest(x, n, m, step, 0.5 if mode == "nearest-exact" else 0.0, 2 + axis)
            continue
        if align_corners:
            step = (n - 1) / (m - 1) if m > 1 else 0.0
        # As in PyTorch an axis that keeps its size is copied, whatever factor was given for it,
        # except by the plain cubic kernel.
        if n == m and (step == 1 or antialias or mode != "bicubic"):
            continue
        if antialias:
            weights = _filtered(n, m, step, mode)
        else:
            weights = _weights(n, m, step, bool(align_corners), mode)
        x = along(x, weights, 2 + axis)
        if image:
            x = clip(floor(x + 0.5), min=0, max=255)
    return x.astype(np.uint8) if image else x


def _wanted(
    found: Shape, size: int | Sequence[int] | None, scale_factor: float | Sequence[float] | None
) -> tuple[Shape, Sequence[float] | None]:
    """The output's sizes, and the factors if those were given."""
    given: Any = size if scale_factor is None else scale_factor
    if given is None or (size is not None and scale_factor is not None):
        raise ValueError("interpolate: give either size or scale_factor")
    each = (given,) * len(found) if isinstance(given, int | float) else tuple(given)
    if len(each) != len(found):
        raise ValueError(
            f"interpolate: expected one number, or one for each of the {len(found)} spatial axes; "
            f"found {given!r}"
        )
    factors = None if scale_factor is None else each
    wanted = tuple(
        int(new) if factors is None else math.floor(n * new)
        for n, new in zip(found, each, strict=True)
    )
    if any(n < 1 for n in (*wanted, *found)):
        raise ValueError(f"interpolate: cannot resize from {found} to {wanted}")
    return wanted, factors


def _nearest(x: Tensor, n: int, m: int, step: float, offset: float, axis: int) -> Tensor:
    """`m` elements along an axis of `n`, each a copy of one."""
    # In x's own precision, as PyTorch, because rounding decides which element is taken.
    real = np.dtype(np.float64 if x.dtype == np.float64 else np.float32).type
    places = np.floor((np.arange(m).astype(real) + real(offset)) * real(step)).astype(np.int64)
    places = np.minimum(places, n - 1)
    if m % n == 0 and np.array_equal(places, np.arange(m) // (m // n)):
        # Whole copies: their cotangents are summed, which is faster than adding them at places.
        lead, rest = x.shape[: axis + 1], x.shape[axis + 1 :]
        copies = broadcast_to(reshape(x, shape=(*lead, 1, *rest)), shape=(*lead, m // n, *rest))
        return reshape(copies, shape=(*lead[:-1], m, *rest))
    return x[(slice(None),) * axis + (places,)]


def _weights(n: int, m: int, step: float, align_corners: bool, mode: str) -> Vector:
    """(m, n): what each of m outputs takes from each of n inputs."""
    center = np.arange(m) * step if align_corners else (np.arange(m) + 0.5) * step - 0.5
    if mode == "bicubic":
        taps, kernel = range(-1, 3), _cubic(-0.75)
    else:
        taps, kernel = range(2), _triangle
    first = np.floor(center).astype(np.int64)
    weights = np.zeros((m, n))
    for tap in taps:  # beyond the edge the edge is repeated
        np.add.at(
            weights,
            (np.arange(m), np.clip(first + tap, 0, n - 1)),
            kernel(center - (first + tap)),
        )
    return weights


def _filtered(n: int, m: int, step: float, mode: str) -> Vector:
    """(m, n): as `_weights`, with the kernel as wide as an output is in the input."""
    kernel = _triangle if mode == "bilinear" else _cubic(-0.5)
    center = (np.arange(m)[:, None] + 0.5) * step - 0.5
    weights = kernel((np.arange(n) - center) / max(step, 1.0))
    return weights / weights.sum(axis=1, keepdims=True)


def _triangle(distance: Vector) -> Vector:
    return np.maximum(1 - np.abs(distance), 0)


def _cubic(a: float) -> Callable[[Vector], Vector]:
    """The cubic convolution kernel with slope `a` at 1 (Keys 1981, equation 15)."""

    def kernel(distance: Vector) -> Vector:
        s = np.abs(distance)
        near = ((a + 2) * s - (a + 3)) * s * s + 1
        far = a * (((s - 5) * s + 8) * s - 4)
        return np.where(s <= 1, near, np.where(s < 2, far, 0))

    return kernel


# Channels and pixels ------------------------------------------------------------------------------


def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """(..., c·r², h, w) -> (..., c, h·r, w·r): channels become pixels (Shi et al. 2016).

    Raises ValueError if the channels are not a multiple of r².
    """
    x, r = tensor(input), upscale_factor
    *lead, channels, h, w = _image("pixel_shuffle", x, r)
    if channels % (r * r):
        raise ValueError(
            f"pixel_shuffle: {channels} channels are not a multiple of {r}² for the shape "
            f"{tuple(x.shape)}"
        )
    n = len(lead)
    apart = reshape(x, shape=(*lead, channels // (r * r), r, r, h, w))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return reshape(permute(apart, dims=order), shape=(*lead, channels // (r * r), h * r, w * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Tensor:
    """(..., c, h·r, w·r) -> (..., c·r², h, w): the inverse of `pixel_shuffle`.

    Raises ValueError if height or width is not a multiple of r.
    """
    x, r = tensor(input), downscale_factor
    *lead, channels, h, w = _image("pixel_unshuffle", x, r)
    if h % r or w % r:
        raise ValueError(
            f"pixel_unshuffle: height and width must be multiples of {r}, found the shape "
            f"{tuple(x.shape)}"
        )
    n = len(lead)
    apart = reshape(x, shape=(*lead, channels, h // r, r, w // r, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return reshape(permute(apart, dims=order), shape=(*lead, channels * r * r, h // r, w // r))


def channel_shuffle(input: Any, groups: int) -> Tensor:
    """(n, c, ...) -> (n, c, ...): channel i of every group, then i + 1 (Zhang et al. 2018).

    Raises ValueError if the channels are not a multiple of `groups`.
    """
    x = tensor(input)
    if x.ndim < 3 or groups < 1 or x.shape[1] % groups:
        raise ValueError(
            f"channel_shuffle: expected (n, a multiple of {groups}, ...), found the shape "
            f"{tuple(x.shape)}"
        )
    apart = reshape(x, shape=(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:]))
    return reshape(permute(apart, dims=(0, 2, 1, *range(3, apart.ndim))), shape=x.shape)


def _image(name: str, x: Tensor, factor: int) -> Shape:
    if x.ndim < 3 or factor < 1:
        raise ValueError(
            f"{name}: expected (..., channels, height, width) and a factor of at least 1; found "
            f"the shape {tuple(x.shape)} and the factor {factor}"
        )
    shape: Shape = x.shape
    return shape
