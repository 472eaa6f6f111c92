"""Convolution, transposed convolution, and patches as columns, as PyTorch calls them."""

from __future__ import annotations

import math
from typing import Any

from retrograd.autodiff.tape import Tensor
from retrograd.ops.shapes.shape import Shape, flip, reshape, squeeze
from retrograd.ops.spatial.arguments import Sizes, batched, sizes, tensor
from retrograd.ops.spatial.convolution_primitive import convolve, exchanged
from retrograd.ops.spatial.windows import Padding, Windows, gather_windows, scatter_windows


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
    _check_fit(name, x.shape[2:], Windows(kernel, steps, around, apart))
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
        exchanged(flip(weight, dims=tuple(range(2, weight.ndim))), groups),
        stride=(1,) * axes,
        padding=tuple((r - p, r - p + e) for r, p, e in zip(reach, cropped, extra, strict=True)),
        spacing=steps,
        dilation=apart,
        groups=groups,
    )
    return _finished(name, out, bias, alone)


def _operands(
    name: str, axes: int, input: Any, weight: Any, groups: int, of_input: int
) -> tuple[Tensor, Tensor, bool]:
    """The input with its batch axis, the weight, and whether the batch axis was missing."""
    x, alone = batched(name, input, axes)
    weight = tensor(weight)
    if weight.ndim != axes + 2:
        raise ValueError(
            f"{name}: the weight must have {axes + 2} axes, found the shape {tuple(weight.shape)}"
        )
    expected = weight.shape[of_input] * (groups if of_input == 1 else 1)
    if groups < 1 or weight.shape[0] % groups or x.shape[1] != expected:
        raise ValueError(
            f"{name}: the input {tuple(x.shape)} has {x.shape[1]} channels, but the weight "
            f"{tuple(weight.shape)} with groups={groups} expects {expected}, and its first size "
            "must be a multiple of groups"
        )
    return x, weight, alone


def _around(
    name: str, padding: Sizes | str, kernel: Shape, stride: Shape, dilation: Shape
) -> Padding:
    """The padding before and after each axis."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if any(step != 1 for step in stride):
            raise ValueError(f"{name}: padding='same' needs a stride of 1, found {stride}")
        # What is odd comes after, as in PyTorch.
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    if isinstance(padding, str):
        raise ValueError(f"{name}: padding is numbers, 'same' or 'valid'; found {padding!r}")
    return tuple((n, n) for n in sizes(name, "padding", padding, len(kernel), least=0))


def _check_fit(name: str, found: Shape, at: Windows) -> None:
    for n, span, (before, after) in zip(found, at.spans, at.padding, strict=True):
        if n + before + after < span:
            raise ValueError(
                f"{name}: the kernel reaches over {at.spans} elements, more than the input's "
                f"{tuple(found)} with the padding {at.padding}"
            )


def _finished(name: str, out: Tensor, bias: Any, alone: bool) -> Tensor:
    """With the bias, and without the batch axis if there was none."""
    if bias is not None:
        if bias.shape != (out.shape[1],):
            raise ValueError(
                f"{name}: the bias must have the shape {(out.shape[1],)}, one number an output "
                f"channel; found {tuple(bias.shape)}"
            )
        out = out + reshape(bias, shape=(-1, *(1,) * (out.ndim - 2)))
    return squeeze(out, 0) if alone else out


def _sliding(
    name: str, kernel_size: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> Windows:
    return Windows(
        sizes(name, "kernel_size", kernel_size, 2),
        sizes(name, "stride", stride, 2),
        tuple((n, n) for n in sizes(name, "padding", padding, 2, least=0)),
        sizes(name, "dilation", dilation, 2),
    )


def unfold(
    input: Any, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
) -> Tensor:
    """(n, c, height, width) -> (n, c·kh·kw, windows): every window as a column; n may be missing.

    Raises ValueError for shapes or arguments that do not fit.
    """
    x, alone = batched("unfold", input, 2)
    at = _sliding("unfold", kernel_size, dilation, padding, stride)
    _check_fit("unfold", x.shape[2:], at)
    inner = x.shape[1] * math.prod(at.kernel)
    windows = math.prod(at.counts(x.shape[2:]))
    columns = reshape(gather_windows(x, at=at), shape=(x.shape[0], inner, windows))
    return squeeze(columns, 0) if alone else columns


def fold(
    input: Any,
    output_size: Sizes,
    kernel_size: Sizes,
    dilation: Sizes = 1,
    padding: Sizes = 0,
    stride: Sizes = 1,
) -> Tensor:
    """(n, c·kh·kw, windows) -> (n, c, height, width): every column laid where `unfold` took it.

    Where windows overlap they add up. Raises ValueError for shapes or arguments that do not fit.
    """
    columns, alone = batched("fold", input, 1)
    at = _sliding("fold", kernel_size, dilation, padding, stride)
    full = sizes("fold", "output_size", output_size, 2)
    _check_fit("fold", full, at)
    counts, positions = at.counts(full), math.prod(at.kernel)
    n, inner, windows = columns.shape
    if inner % positions or windows != math.prod(counts):
        raise ValueError(
            f"fold: expected columns of shape (n, a multiple of {positions}, {math.prod(counts)}), "
            f"found {tuple(columns.shape)}"
        )
    apart = reshape(columns, shape=(n, inner // positions, *at.kernel, *counts))
    out = scatter_windows(apart, at=at, sizes=full)
    return squeeze(out, 0) if alone else out
