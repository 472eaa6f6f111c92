"""Sums, means, variances and products over axes.

`dim` is an axis, a tuple of axes, or None for all of them; `keepdim` leaves them with size 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff import tape
from retrograd.autodiff.precision import in_single
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.comparison import isnan
from retrograd.ops.elementwise.selection import where
from retrograd.ops.names import numpy_names
from retrograd.ops.shapes.parts import concatenate_all, pad_constant
from retrograd.ops.shapes.shape import Shape, axis, broadcast_to, flip, permute, reshape

__all__ = ["mean", "nanmean", "nansum", "prod", "std", "sum", "var"]

Dim = int | Shape | None


def axes(dim: Dim, ndim: int) -> Shape:
    """The axes that `dim` means, each from 0 to ndim - 1.

    Raises IndexError for one that does not exist.
    """
    chosen = range(ndim) if dim is None else (dim,) if isinstance(dim, int | np.integer) else dim
    found = sorted({axis(each, ndim) for each in chosen})
    return tuple(found) if ndim else ()


def count(shape: Shape, dim: Dim) -> int:
    """How many elements one result of a reduction covers."""
    return math.prod(shape[axis] for axis in axes(dim, len(shape)))


def kept(x: Tensor, shape: Shape, dim: Dim, keepdim: bool) -> Tensor:
    """A reduction's result with the folded axes of `shape` back as size 1."""
    if keepdim or x.ndim == 0:  # a single number broadcasts as it is
        return x
    folded = axes(dim, len(shape))
    return reshape(x, shape=tuple(1 if i in folded else n for i, n in enumerate(shape)))


def numpy_axis(dim: Dim, x: Array) -> Any:
    return None if dim is None else axes(dim, x.ndim)


def whole(x: Array) -> dict[str, Any]:
    """The dtype in which integers and booleans add up, whatever their own: int64, as in PyTorch."""
    return {"dtype": np.int64} if x.dtype.kind in "biu" else {}


@primitive(single=True)
def sum(xp: Namespace, x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """The sum over `dim`."""
    return xp.sum(x, axis=numpy_axis(dim, x), keepdims=keepdim, **whole(x))


sum.pullbacks(
    x=lambda g, x_shape, dim, keepdim: broadcast_to(kept(g, x_shape, dim, keepdim), shape=x_shape)
)


@primitive(single=True)
def mean(xp: Namespace, x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """The mean over `dim`; NaN over no elements."""
    if x.size == 0 and count(x.shape, dim) == 0:  # of which NumPy warns
        return xp.sum(x, axis=numpy_axis(dim, x), keepdims=keepdim) / 0
    return xp.mean(x, axis=numpy_axis(dim, x), keepdims=keepdim)


mean.pullbacks(
    x=lambda g, x_shape, dim, keepdim: broadcast_to(
        kept(g, x_shape, dim, keepdim) / count(x_shape, dim), shape=x_shape
    )
)


@numpy_names
@in_single
def var(x: Tensor, dim: Dim = None, correction: float = 1, keepdim: bool = False) -> Tensor:
    """The mean squared deviation over `dim`, of n elements, divided by n - `correction`."""
    deviations = x - mean(x, dim=dim, keepdim=True)
    divisor = max(count(x.shape, dim) - correction, 0)
    total = sum(deviations * deviations, dim=dim, keepdim=keepdim)
    return total / divisor if divisor else total / np.zeros((), total.dtype)


@numpy_names
@in_single
def std(x: Tensor, dim: Dim = None, correction: float = 1, keepdim: bool = False) -> Tensor:
    """The square root of `var`; where the variance is 0 its slope is taken as 0."""
    variance = var(x, dim, correction, keepdim)
    spread = variance > 0
    return where(spread, where(spread, variance, 1.0) ** 0.5, variance)


@numpy_names
def nansum(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The sum over `dim` of what is not NaN."""
    return sum(where(isnan(x), 0, x), dim=dim, keepdim=keepdim)


@numpy_names
@in_single
def nanmean(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The mean over `dim` of what is not NaN; NaN if nothing is."""
    present = sum((~isnan(x)).astype(x.dtype), dim=dim, keepdim=keepdim)
    return nansum(x, dim, keepdim) / present


@primitive(single=True)
def prod(xp: Namespace, x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """The product over `dim`."""
    return xp.prod(x, axis=numpy_axis(dim, x), keepdims=keepdim, **whole(x))


prod.pullbacks(
    x=lambda g, x, dim, keepdim: kept(g, x.shape, dim, keepdim) * _product_of_others(x, dim)
)


def _product_of_others(x: Tensor, dim: Dim) -> Tensor:
    """For each element, the product of the others over `dim`: right also where some are 0.

    A tree: halves are multiplied pairwise upwards, then each node hands its sibling's product down.
    That is differentiable again and never divides.
    """
    folded = axes(dim, x.ndim)
    rest = tuple(i for i in range(x.ndim) if i not in folded)
    order = (*rest, *folded)
    leaves = permute(x, dims=order) if x.ndim else x
    shape = leaves.shape
    n = count(x.shape, dim)
    lead = shape[: len(rest)]
    if n <= 1:
        return tape.tensor_type(np.ones(x.shape, x.dtype))
    size = 1 << (n - 1).bit_length()
    level = reshape(leaves, shape=(*lead, n))
    widths = ((0, 0),) * len(lead) + ((0, size - n),)
    level = pad_constant(level, widths=widths, value=1.0)
    levels = [level]
    while level.shape[-1] > 2:
        half = level.shape[-1] // 2
        level = level[..., :half] * level[..., half:]
        levels.append(level)
    others = flip(levels.pop(), dims=-1)
    while levels:
        level = levels.pop()
        half = level.shape[-1] // 2
        siblings = concatenate_all(level[..., half:], level[..., :half], dim=-1)
        others = concatenate_all(others, others, dim=-1) * siblings
    others = reshape(others[..., :n], shape=shape)
    inverse = tuple(int(i) for i in np.argsort(order))
    return permute(others, dims=inverse) if x.ndim else others
