"""Convolution over any number of spatial axes: the one operation with a rule, and how it is run.

Both gradients of a convolution are convolutions again, so that every order comes from one rule.

Legend: n batch, g groups, c channels into a group, o channels out of a group, s spatial axes of the
input, k of the kernel, w of the output.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.shape import Shape, flip, permute, reshape
from retrograd.ops.windows import Padding, Windows, overlaid, padded, window_view


@primitive
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

    `spacing - 1` zeros stand between neighbours of the input, as the transpose of a strided
    convolution needs; `padding` comes around that, and crops where it is negative.
    """
    dtype = xp.result_type(x, weight)
    x, weight = x.astype(dtype), weight.astype(dtype)
    at = Windows(weight.shape[2:], stride, padding, dilation)
    run = _for_numpy(at, spacing) if xp is np else _for_xla(x, weight, at, spacing, groups)
    return run(xp, x, weight, at, spacing, groups)


def _spread(sizes: Shape, spacing: Shape) -> Shape:
    """The sizes with `spacing - 1` elements between neighbours."""
    return tuple((n - 1) * step + 1 if n else 0 for n, step in zip(sizes, spacing, strict=True))


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
    """The cotangent, `stride` apart, convolved with the flipped kernel, o and c exchanged."""
    kernel = weight.shape[2:]
    around = tuple(
        (before, n + before - far)
        for before, n, far in zip(
            (d * (k - 1) - lo for d, k, (lo, _) in zip(dilation, kernel, padding, strict=True)),
            (n + d * (k - 1) for n, d, k in zip(_spread(x_shape[2:], spacing), dilation, kernel, strict=True)),
            _spread(g.shape[2:], stride),
            strict=True,
        )
    )
    return g
