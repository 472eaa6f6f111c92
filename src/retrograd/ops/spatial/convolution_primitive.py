"""Convolution over any number of spatial axes: the one operation with a rule, and how it is run.

Both gradients of a convolution are convolutions again, so that every order comes from these rules.

Legend: n batch, g groups, c channels into a group, o channels out of a group, s the spatial axes of
the input, k of the kernel, w of the output.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace, barrier
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.shapes.shape import Shape, flip, permute, reshape
from retrograd.ops.spatial.windows import Padding, Windows, overlaid, padded, window_view


@primitive(single="eager")
def convolve(
    xp: Namespace,
    x: Array,
    weight: Array,
    *,
    stride: Shape,
    padding: Padding,
    spacing: Shape,
    dilation: Shape,
    groups: int,
) -> Array:
    """(n, g·c, s), (g·o, c, k) -> (n, g·o, w): correlation, as neural networks call convolution.

    `spacing - 1` zeros stand between neighbors of the input, as the transpose of a strided
    convolution needs; `padding` comes around that, and crops where it is negative.
    """
    dtype = xp.result_type(x, weight)
    x, weight = x.astype(dtype), weight.astype(dtype)
    at = Windows(weight.shape[2:], stride, padding, dilation)
    if xp is np:
        spaced = any(step > 1 for step in spacing) and all(step == 1 for step in stride)
        run = _by_columns if spaced else _by_patches
    else:
        run = _for_xla(x, weight, at, spacing, groups)
    return run(xp, x, weight, at, spacing, groups)


def _spread(sizes: Shape, spacing: Shape) -> Shape:
    """The sizes with `spacing - 1` elements between neighbors."""
    return tuple((n - 1) * step + 1 for n, step in zip(sizes, spacing, strict=True))


def _input_gradient(
    g: Tensor,
    weight: Tensor,
    x_shape: Shape,
    stride: Shape,
    padding: Padding,
    spacing: Shape,
    dilation: Shape,
    groups: int,
) -> Tensor:
    """The cotangent, spaced by the stride, convolved with the kernel flipped and o, c exchanged."""
    kernel = weight.shape[2:]
    ends = zip(_spread(x_shape[2:], spacing), _spread(g.shape[2:], stride), strict=True)
    around = tuple(
        (d * (k - 1) - before, size + before - found)
        for d, k, (before, _), (size, found) in zip(dilation, kernel, padding, ends, strict=True)
    )
    flipped = flip(weight, dims=tuple(range(2, weight.ndim)))
    return convolve(
        g,
        exchanged(flipped, groups),
        stride=spacing,
        padding=around,
        spacing=stride,
        dilation=dilation,
        groups=groups,
    )


def _weight_gradient(
    g: Tensor,
    x: Tensor,
    weight_shape: Shape,
    stride: Shape,
    padding: Padding,
    spacing: Shape,
    dilation: Shape,
    groups: int,
) -> Tensor:
    """The input convolved with the cotangent; n is summed over, c is the batch."""
    wanted = _spread(weight_shape[2:], dilation)
    ends = zip(_spread(x.shape[2:], spacing), _spread(g.shape[2:], stride), strict=True)
    around = tuple(
        (before, n + found - 1 - size - before)
        for n, (before, _), (size, found) in zip(wanted, padding, ends, strict=True)
    )
    found = convolve(
        exchanged(x, groups, of=1),  # (c, g·n, s)
        _transposed(g),  # (g·o, n, w)
        stride=dilation,
        padding=around,
        spacing=spacing,
        dilation=stride,
        groups=groups,
    )
    return _transposed(found)


convolve.pullbacks(x=_input_gradient, weight=_weight_gradient)


def _transposed(x: Tensor) -> Tensor:
    """The first two axes exchanged."""
    return permute(x, dims=(1, 0, *range(2, x.ndim)))


def exchanged(x: Tensor, groups: int, of: int = 0) -> Tensor:
    """(g·a, b, ...) -> (g·b, a, ...), or with `of=1` (b, g·a, ...) -> (a, g·b, ...)."""
    if groups == 1:
        return _transposed(x)
    a, b, spatial = x.shape[of] // groups, x.shape[1 - of], x.shape[2:]
    if of == 0:
        split, order, joined = (groups, a, b), (0, 2, 1), (groups * b, a)
    else:
        split, order, joined = (b, groups, a), (2, 1, 0), (a, groups * b)
    apart = reshape(x, shape=(*split, *spatial))
    return reshape(permute(apart, dims=(*order, *range(3, apart.ndim))), shape=(*joined, *spatial))


# How it is run ------------------------------------------------------------------------------------


def _for_xla(x: Array, weight: Array, at: Windows, spacing: Shape, groups: int) -> Any:
    """The way that XLA runs fastest.

    XLA's own convolution, except on a CPU for the gradient of a weight, for groups and for three
    spatial axes, for which it has no fast kernel there. A weight's gradient as one product took
    0.5 to 0.9 of its time on two cores: 32 to 64 channels of 14x14 0.50, 16 to 32 with a stride
    of 2 0.57, 64 to 128 of 28x28 0.73, 16 to 16 of 32x32 0.91; the MNIST CNN's whole step 0.93.
    Our products' CPU time over its own (medians of interleaved calls on one core
    with 3x3 kernels; benchmarks/convolution.py has whole gradients), forward, weight gradient,
    input gradient: 32 groups of 1 channel 0.03, 0.22, 0.03, with a stride of 2 0.10, 0.19, 0.01;
    4 groups of 8 0.26, 0.80, 0.20; 2 groups of 32 0.41, 0.47, 0.44; three axes, 16 to 32 channels
    -, 0.31, 0.33, 16 to 16 with a stride of 2 0.94, 0.12, 0.09.
    """
    import jax

    if jax.default_backend() != "cpu":
        return _by_xla
    outputs = math.prod(at.counts(_spread(x.shape[2:], spacing)))
    positions = math.prod(at.kernel)
    if groups == 1 and outputs <= positions:
        return _by_output
    if groups == 1 and len(at.kernel) < 3:
        return _by_xla
    if positions < outputs and all(step == 1 for step in at.stride) and weight.shape[1] > 1:
        # Not into more channels than come in: the columns are then too many (2.3 for 16 to 32).
        if weight.shape[0] <= x.shape[1]:
            return _by_columns
        if groups == 1:
            return _by_xla
    # One product each is traced, so their number is bounded.
    return _by_position if min(positions, outputs) <= 128 else _by_xla


def _by_xla(
    xp: Namespace, x: Array, weight: Array, at: Windows, spacing: Shape, groups: int
) -> Array:
    """XLA's convolution.

    Channels last took 0.8 to 1.0 of the CPU time alone, but a CNN's whole step was not faster.
    """
    from jax import lax

    spatial = "DHW"[3 - len(at.kernel) :]
    return lax.conv_general_dilated(
        x,
        weight,
        at.stride,
        at.padding,
        spacing,
        at.dilation,
        ("NC" + spatial, "OI" + spatial, "NC" + spatial),
        groups,
    )


# The bytes of rows at a time. A cache holds as much; and memory beyond what an allocator keeps is
# asked of the system again in each step, page by page, which takes longer than the product.
_PART = 4 << 20


def _by_output(
    xp: Namespace, x: Array, weight: Array, at: Windows, spacing: Shape, groups: int
) -> Array:
    """What meets an output as a row, and one product of matrices: the gradient of a weight.

    For outputs no more than the kernel's positions, without groups. A loop takes a part of the
    channels at a time, which are summed over.
    """
    from jax import lax

    n, inner = x.shape[:2]
    outputs = at.counts(_spread(x.shape[2:], spacing))
    axes = len(outputs)
    # The elements of one output's window are `dilation` apart.
    across = Windows(outputs, at.dilation, at.padding, at.stride)
    size = n * inner * math.prod(outputs) * math.prod(at.kernel) * x.dtype.itemsize
    fits = (c for c in range(inner, 1, -1) if inner % c == 0 and c * size <= inner * _PART)
    part = next(fits, min(inner, 1))
    dtype = xp.promote_types(x.dtype, np.float32)  # half precision is summed in single
    summed = tuple(range(axes + 1, 2 * axes + 2)), tuple(range(1, axes + 2))

    def added(i: int | Array, total: Array) -> Array:
        some, factor = (lax.dynamic_slice_in_dim(each, i * part, part, 1) for each in (x, weight))
        rows = _laid_out(xp, padded(xp, some, at.padding, interior=spacing), across, at.kernel)
        found = lax.dot_general(rows, factor, (summed, ((), ())), preferred_element_type=dtype)
        return total + found  # (w, n, o)

    total = xp.zeros((*outputs, n, weight.shape[0]), dtype)
    total = added(0, total) if part == inner else lax.fori_loop(0, inner // part, added, total)
    return xp.moveaxis(total, (-2, -1), (0, 1)).astype(x.dtype)


def _laid_out(xp: Namespace, x: Array, at: Windows, counts: Shape) -> Array:
    """(..., s) -> (k, ..., w): for each position, what stands there in every window.

    An axis after the other, so that whole runs are copied: a tenth of the time of all at once.
    """
    from jax import lax

    axes = len(counts)
    for axis in reversed(range(axes)):
        step, apart = at.stride[axis], at.dilation[axis]
        place, reach = x.ndim - axes + axis, step * (counts[axis] - 1) + 1
        (x,) = barrier([x])  # or XLA puts the axes together again
        starts = range(0, at.kernel[axis] * apart, apart)
        x = xp.stack([lax.slice_in_dim(x, i, i + reach, step, place) for i in starts])
    return x


def _by_patches(
    xp: Namespace, x: Array, weight: Array, at: Windows, spacing: Shape, groups: int
) -> Array:
    """Every window as a column, and one product of matrices for each group."""
    patches = window_view(padded(xp, x, at.padding, interior=spacing), at)
    n, channels, outputs = x.shape[0], weight.shape[0], patches.shape[2 + len(at.kernel) :]
    inner = math.prod(weight.shape[1:])
    columns = patches.reshape(n, groups, inner, math.prod(outputs))
    product = xp.matmul(weight.reshape(groups, channels // groups, inner), columns)
    return product.reshape(n, channels, *outputs)


def _by_columns(
    xp: Namespace, x: Array, weight: Array, at: Windows, spacing: Shape, groups: int
) -> Array:
    """Every input element times the kernel, laid where it contributes; for a stride of 1.

    No zero between spaced elements is multiplied.
    """
    n, channels, inner = x.shape[0], weight.shape[0], weight.shape[1]
    sizes, positions = x.shape[2:], math.prod(at.kernel)
    flipped = xp.flip(weight, tuple(range(2, weight.ndim)))
    rows = flipped.reshape(groups, channels // groups, inner, positions).swapaxes(2, 3)
    product = xp.matmul(
        rows.reshape(groups, channels // groups * positions, inner),
        x.reshape(n, groups, inner, math.prod(sizes)),
    )
    outputs = at.counts(_spread(sizes, spacing))
    laid = Windows(
        at.kernel,
        spacing,
        tuple(
            (reach - 1 - before, size - outer + before)
            for reach, before, size, outer in zip(
                at.spans, (b for b, _ in at.padding), _spread(sizes, spacing), outputs, strict=True
            )
        ),
        at.dilation,
    )
    return overlaid(xp, product.reshape(n, channels, *at.kernel, *sizes), laid, outputs)


def _by_position(
    xp: Namespace, x: Array, weight: Array, at: Windows, spacing: Shape, groups: int
) -> Array:
    """A product for each of the kernel's positions, or for each output if those are fewer."""
    from jax import lax

    outputs = at.counts(_spread(x.shape[2:], spacing))
    n, channels, inner = x.shape[0], weight.shape[0], weight.shape[1]
    x = padded(xp, x, at.padding, interior=spacing)
    x = x.reshape(n, groups, inner, *x.shape[2:])
    weight = weight.reshape(groups, channels // groups, *weight.shape[1:])
    if math.prod(outputs) <= math.prod(at.kernel):
        # The windows at one output's place: their elements are `dilation` apart.
        across = Windows(outputs, at.dilation, at.padding, at.stride)
        summed = tuple(range(2, weight.ndim))
        parts = [
            lax.dot_general(weight, x[across.at(w, at.kernel)], ((summed, summed), ((0,), (1,))))
            for w in across.positions()
        ]  # (g, o, n) each
        return xp.stack(parts, axis=-1).transpose(2, 0, 1, 3).reshape(n, channels, *outputs)
    total: Any = 0
    for position in at.positions():
        seen, factor = x[at.at(position, outputs)], weight[(..., *position)]
        if inner == 1:
            total += seen * factor.reshape(groups, -1, *(1,) * len(outputs))
        else:
            total += lax.dot_general(factor, seen, (((2,), (2,)), ((0,), (1,))))  # (g, o, n, w)
    if inner > 1:
        total = xp.moveaxis(total, 2, 0)
    return total.reshape(n, channels, *outputs)
