"""Convolution, transposed convolution, and patches as columns, as PyTorch calls them."""

from __future__ import annotations

import math
from typing import Any

from retrograd.autodiff import tape
from retrograd.autodiff.tape import Tensor
from retrograd.ops.convolve import convolve
from retrograd.ops.shape import Shape, flip, reshape, squeeze
from retrograd.ops.spatial import Sizes, batched, sizes
from retrograd.ops.windows import Padding, Windows, gather_windows, scatter_windows


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """(n, in, length), (out, in / groups, kernel), (out,) -> (n, out, length'); n may be missing.

    `padding` may be "valid" (none) or "same" (as many outputs as inputs, for a stride of 1).
    Raises ValueError for shapes or arguments that do not fit.
    """
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """(n, in, height, width), (out, in / groups, kh, kw), (out,) -> (n, out, height', width').

    As `conv1d`, over two axes.
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes | str = 0,
    dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:
    """(n, in, d, h, w), (out, in / groups, kd, kh, kw), (out,) -> (n, out, d', h', w').

    As `conv1d`, over three axes.
    """
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """(n, in, length), (in, out / groups, kernel), (out,) -> (n, out, length'); n may be missing.

    The gradient of `conv1d` with respect to its input, as a forward operation.
    `output_padding` tells apart the lengths that `conv1d` would shorten to the same.
    Raises ValueError for shapes or arguments that do not fit.
    """
    return _transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """(n, in, height, width), (in, out / groups, kh, kw), (out,) -> (n, out, height', width').

    As `conv_transpose1d`, over two axes.
    """
    return _transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = 1,
    padding: Sizes = 0,
    output_padding: Sizes = 0,
    groups: int = 1,
    dilation: Sizes = 1,
) -> Tensor:
    """(n, in, d, h, w), (in, out / groups, kd, kh, kw), (out,) -> (n, out, d', h', w').

    As `conv_transpose1d`, over three axes.
    """
    return _transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _conv(
    axes: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Sizes,
    padding: Sizes | str,
    dilation: Sizes,
    groups: int,
) -> Tensor:
    name = f"conv{axes}d"
    x, weight, alone = _operands(name, axes, input, weight, groups, of_input=1)
    kernel = weight.shape[2:]
    steps = sizes(name, "stride", stride, axes)
    apart = sizes(name, "dilation", dilation, axes)
    around = _around(name, padding, kernel, steps, apart)
    _check_kernel(name, x.shape[2:], Windows(kernel, steps, around, apart))
    out = convolve(
        x,
        weight,
        stride=steps,
        padding=around,
        spacing=(1,) * axes,
        dilation=apart,
        groups=groups,
    )
    return _finished(name, out, bias, alone)


def _transpose(
    axes: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Sizes,
    padding: Sizes,
    output_padding: Sizes,
    groups: int,
    dilation: Sizes,
) -> Tensor:
    name = f"conv_transpose{axes}d"
    x, weight, alone = _operands(name, axes, input, weight, groups, of_input=0)
    steps = sizes(name, "stride", stride, axes)
    apart = sizes(name, "dilation", dilation, axes)
    cropped = sizes(name, "padding", padding, axes, least=0)
    extra = sizes(name, "output_padding", output_padding, axes, least=0)
    if any(e >= max(s, d) for e, s, d in zip(extra, steps, apart, strict=True)):
        raise ValueError(
            f"{name}: output_padding {output_padding!r} must be smaller than the stride "
            f"{stride!r} or the dilation {dilation!r}"
        )
    reach = [d * (k - 1) for d, k in zip(apart, weight.shape[2:], strict=True)]
    out = convolve(
        x,
        _exchanged(flip(weight, dims=tuple(range(2, weight.ndim))), groups),
        stride=(1,) * axes,
        padding=tuple((r - p, r - p + e) for r, p, e in zip(reach, cropped, extra, strict=True)),
        spacing=steps,
        dilation=apart,
        groups=groups,
    )
    return _finished(name, out, bias, alone)
