"""The largest and smallest elements over axes, and their positions."""

from __future__ import annotations

from typing import Any, NamedTuple

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.precision import raised
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.selection import maximum, minimum
from retrograd.ops.indexing.index import take_along_axis
from retrograd.ops.names import numpy_names
from retrograd.ops.reductions.sums import Dim, kept, numpy_axis, sum
from retrograd.ops.shapes.shape import squeeze

__all__ = ["amax", "amin", "argmax", "argmin", "max", "min"]


@primitive
def amax(xp: Namespace, x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """The largest element over `dim`; equal ones share the slope evenly."""
    return xp.max(x, axis=numpy_axis(dim, x), keepdims=keepdim)


@primitive
def amin(xp: Namespace, x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """The smallest element over `dim`; equal ones share the slope evenly."""
    return xp.min(x, axis=numpy_axis(dim, x), keepdims=keepdim)


def _shared(g: Tensor, x: Tensor, out: Tensor, dim: Dim, keepdim: bool) -> Tensor:
    """The cotangent, divided evenly among the elements that equal the extreme."""
    ties = raised((x == kept(out, x.shape, dim, keepdim)).astype(x.dtype))
    return kept(g, x.shape, dim, keepdim) * (ties / sum(ties, dim=dim, keepdim=True))


amax.pullbacks(x=_shared)
amin.pullbacks(x=_shared)


@primitive
def argmax(xp: Namespace, x: Array, *, dim: int | None = None, keepdim: bool = False) -> Array:
    """The index of the largest element along `dim` (of the flattened tensor by default)."""
    return xp.argmax(x, axis=dim, keepdims=keepdim)


argmax.pullbacks(x=None)


@primitive
def argmin(xp: Namespace, x: Array, *, dim: int | None = None, keepdim: bool = False) -> Array:
    """The index of the smallest element along `dim` (of the flattened tensor by default)."""
    return xp.argmin(x, axis=dim, keepdims=keepdim)


argmin.pullbacks(x=None)


class Extreme(NamedTuple):
    """The extreme values along one axis, and their positions in it."""

    values: Tensor
    indices: Tensor


@numpy_names
def max(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor | Extreme:
    """The largest element, or with `dim` the `(values, indices)` along it, as in PyTorch.

    Over all elements equal ones share the slope; along `dim` the first one has it. A second tensor
    in the place of `dim` makes it `maximum(x, y)`.
    """
    if hasattr(dim, "ndim"):
        return maximum(x, dim)
    if dim is None:
        return amax(x, dim=None, keepdim=keepdim)
    if x.ndim == 0:
        return Extreme(x, argmax(x))
    return _extreme(x, argmax(x, dim=dim, keepdim=True), dim, keepdim)


@numpy_names
def min(x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor | Extreme:
    """The smallest element, or with `dim` the `(values, indices)` along it, as in PyTorch.

    A second tensor in the place of `dim` makes it `minimum(x, y)`.
    """
    if hasattr(dim, "ndim"):
        return minimum(x, dim)
    if dim is None:
        return amin(x, dim=None, keepdim=keepdim)
    if x.ndim == 0:
        return Extreme(x, argmin(x))
    return _extreme(x, argmin(x, dim=dim, keepdim=True), dim, keepdim)


def _extreme(x: Tensor, indices: Tensor, dim: int, keepdim: bool) -> Extreme:
    values = take_along_axis(x, indices, dim=dim)
    if keepdim:
        return Extreme(values, indices)
    return Extreme(squeeze(values, dim), squeeze(indices, dim))
