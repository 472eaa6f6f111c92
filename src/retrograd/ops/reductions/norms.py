"""Norms of vectors; those of matrices are in `linalg`."""

from __future__ import annotations

import math

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.precision import floating, in_single
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import abs
from retrograd.ops.elementwise.selection import where
from retrograd.ops.names import numpy_names
from retrograd.ops.reductions.extremes import amax, amin
from retrograd.ops.reductions.sums import Dim, kept, numpy_axis, sum

__all__ = ["norm"]


@primitive(single=True)
def euclidean_norm(xp: Namespace, x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """sqrt(sum x²) over `dim`; its slope at the origin is taken as 0."""
    return xp.sqrt(xp.sum(xp.square(x), axis=numpy_axis(dim, x), keepdims=keepdim))


def _norm_slope(g: Tensor, x: Tensor, out: Tensor, dim: Dim, keepdim: bool) -> Tensor:
    """x / ‖x‖."""
    length = kept(out, x.shape, dim, keepdim)
    return kept(g, x.shape, dim, keepdim) * (x / where(length == 0, 1.0, length))


euclidean_norm.pullbacks(x=_norm_slope)


@numpy_names
@in_single
def norm(x: Tensor, p: float = 2, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The vector norm (sum |x|^p)^(1/p) over `dim`; p may also be 0 (a count), inf or -inf."""
    x = floating(x)
    if p == 2:
        return euclidean_norm(x, dim=dim, keepdim=keepdim)
    if p == math.inf:
        return amax(abs(x), dim=dim, keepdim=keepdim)
    if p == -math.inf:
        return amin(abs(x), dim=dim, keepdim=keepdim)
    if p == 0:
        return sum((x != 0).astype(x.dtype), dim=dim, keepdim=keepdim)
    if p == 1:
        return sum(abs(x), dim=dim, keepdim=keepdim)
    none = x == 0  # where the slope of |x|^p may be infinite, and is taken as 0
    total = sum(where(none, 0.0, abs(where(none, 1.0, x)) ** p), dim=dim, keepdim=keepdim)
    zero = total == 0
    return where(zero, total, where(zero, 1.0, total) ** (1 / p))
