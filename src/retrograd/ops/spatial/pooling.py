"""Pooling: the maximum, the mean or a norm of windows, as PyTorch calls them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.autodiff.precision import floating, in_single
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.selection import where
from retrograd.ops.shapes.shape import Shape, squeeze
from retrograd.ops.spatial.arguments import Sizes, batched, sizes, tensor
from retrograd.ops.spatial.windows import Windows, coordinates, max_windows, places, sum_windows


def _windows(
    name: str,
    found: Shape,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
) -> Windows:
    """The windows over an input of spatial sizes `found`.

    With `ceil_mode` a last window may reach beyond the padding, but must start within the input or
    the padding before it.
    """
    axes = len(found)
    kernel = sizes(name, "kernel_size", kernel_size, axes)
    steps = kernel if stride is None or stride == () else sizes(name, "stride", stride, axes)
    around = sizes(name, "padding", padding, axes, least=0)
    apart = sizes(name, "dilation", dilation, axes)
    if any(p > k // 2 for p, k in zip(around, kernel, strict=True)):
        raise ValueError(
            f"{name}: padding {padding!r} must be at most half of kernel_size {kernel_size!r}"
        )
    pairs = []
    for n, k, step, p, d in zip(found, kernel, steps, around, apart, strict=True):
        span = d * (k - 1) + 1
        room = n + 2 * p - span
        count = (-(-room // step) if ceil_mode else room // step) + 1
        if ceil_mode and (count - 1) * step >= n + p:
            count -= 1
        if count < 1:
            raise ValueError(
                f"{name}: the window reaches over {span} elements, more than the input's {n} with "
                f"the padding {p}"
            )
        pairs.append((p, (count - 1) * step + span - n - p))
    return Windows(kernel, steps, tuple(pairs), apart)


# Maximum ------------------------------------------------------------------------------------------


def max_pool1d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """(n, c, length) -> (n, c, length'): the maximum of every window; n may be missing.

    `stride` is the window's size unless given. Of equal elements the first receives the gradient.
    With `return_indices` the result is `(values, indices)`, positions in the input's spatial axes
    flattened. Raises ValueError for shapes or arguments that do not fit.
    """
    return _max(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """(n, c, height, width) -> (n, c, height', width'); as `max_pool1d`, over two axes."""
    return _max(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """(n, c, d, h, w) -> (n, c, d', h', w'); as `max_pool1d`, over three axes."""
    return _max(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def _max(
    axes: int,
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    dilation: Sizes,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    name = f"max_pool{axes}d"
    x, alone = batched(name, input, axes)
    at = _windows(name, x.shape[2:], kernel_size, stride, padding, dilation, ceil_mode)
    values, chosen = max_windows(x, at=at)
    return answer(values, chosen, coordinates(at, x.shape[2:]), x.shape[2:], alone, return_indices)


def answer(
    values: Tensor,
    chosen: Tensor,
    tables: Sequence[np.ndarray[Any, Any]],
    found: Shape,
    alone: bool,
    return_indices: bool,
) -> Any:
    """The maxima, with their places in the flattened spatial axes if asked for."""
    values = squeeze(values, 0) if alone else values
    if not return_indices:
        return values
    flat = tensor(places(chosen.data, tables, found))
    return values, squeeze(flat, 0) if alone else flat


# Mean and norm ------------------------------------------------------------------------------------


def avg_pool1d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """(n, c, length) -> (n, c, length'): the mean of every window; n may be missing.

    `stride` is the window's size unless given. Padding counts as zeros, or with
    `count_include_pad=False` not at all. Raises ValueError for arguments that do not fit.
    """
    return _mean(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """(n, c, height, width) -> (n, c, height', width'); as `avg_pool1d`, over two axes.

    `divisor_override` is what the windows' sums are divided by instead of their sizes.
    """
    return _mean(
        2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def avg_pool3d(
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    padding: Sizes = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """(n, c, d, h, w) -> (n, c, d', h', w'); as `avg_pool2d`, over three axes."""
    return _mean(
        3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@in_single
def _mean(
    axes: int,
    input: Any,
    kernel_size: Sizes,
    stride: Sizes | None,
    padding: Sizes,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> Tensor:
    name = f"avg_pool{axes}d"
    x, alone = batched(name, input, axes)
    found = x.shape[2:]
    at = _windows(name, found, kernel_size, stride, padding, 1, ceil_mode)
    total = sum_windows(floating(x), at=at)
    if divisor_override is not None:
        if divisor_override == 0:
            raise ValueError(f"{name}: divisor_override must not be 0")
        mean = total / divisor_override
    else:
        around = sizes(name, "padding", padding, axes, least=0)
        mean = total / _window_sizes(at, found, around, count_include_pad).astype(total.dtype)
    return squeeze(mean, 0) if alone else mean


def _window_sizes(
    at: Windows, found: Shape, padding: Shape, with_padding: bool
) -> np.ndarray[Any, Any]:
    """How many elements each window counts: those of the input, or of the input and padding.

    What a window of `ceil_mode` covers beyond the padding never counts.
    """
    covered: Any = 1
    for n, p, count, step, k in zip(
        found, padding, at.counts(found), at.stride, at.kernel, strict=True
    ):
        start = np.arange(count) * step - p
        end = np.minimum(start + k, n + p)
        if not with_padding:
            start, end = np.maximum(start, 0), np.minimum(end, n)
        covered = np.multiply.outer(covered, end - start)
    return np.asarray(covered)


def lp_pool1d(
    input: Any,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(n, c, length) -> (n, c, length'): (sum x^p)^(1/p) of every window, for p = `norm_type`.

    As in PyTorch x itself is raised, not |x|. Where the sum is 0 its slope is taken as 0.
    """
    return _lp(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Any,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(n, c, height, width) -> (n, c, height', width'); as `lp_pool1d`, over two axes."""
    return _lp(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Any,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """(n, c, d, h, w) -> (n, c, d', h', w'); as `lp_pool1d`, over three axes."""
    return _lp(3, input, norm_type, kernel_size, stride, ceil_mode)


@in_single
def _lp(
    axes: int,
    input: Any,
    norm_type: float,
    kernel_size: Sizes,
    stride: Sizes | None,
    ceil_mode: bool,
) -> Tensor:
    x, alone = batched(f"lp_pool{axes}d", input, axes)
    x = floating(x)
    # The mean times the window's size is the sum, except in a window that `ceil_mode` cuts short.
    mean = _mean(axes, x**norm_type, kernel_size, stride, 0, ceil_mode, True, None)
    elements = math.prod(sizes(f"lp_pool{axes}d", "kernel_size", kernel_size, axes))
    zero = mean == 0
    out = where(zero, 0.0, (where(zero, 1.0, mean) * elements) ** (1 / norm_type))
    return squeeze(out, 0) if alone else out
