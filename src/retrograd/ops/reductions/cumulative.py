"""Running sums, products, extremes and integrals along one axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.precision import in_single
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import multiply
from retrograd.ops.elementwise.comparison import greater_equal, isnan, less_equal
from retrograd.ops.elementwise.exponential import logaddexp
from retrograd.ops.elementwise.selection import where
from retrograd.ops.indexing.index import getitem, take_along_axis
from retrograd.ops.reductions.extremes import Extreme
from retrograd.ops.reductions.sums import sum, whole
from retrograd.ops.shapes.parts import concatenate
from retrograd.ops.shapes.shape import axis, broadcast_to, flip, reshape

__all__ = [
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_trapezoid",
    "diff",
    "logcumsumexp",
    "trapezoid",
]


@primitive(single=True)
def cumsum(xp: Namespace, x: Array, *, dim: int) -> Array:
    """The running sum along `dim`."""
    dim = axis(dim, x.ndim)
    return xp.cumsum(x, axis=dim, **whole(x)) if x.ndim else x


cumsum.pullbacks(
    x=lambda g, dim: flip(cumsum(flip(g, dims=dim), dim=dim), dims=dim) if g.ndim else g
)


def _running(x: Tensor, dim: int, combine: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Everything up to each element, combined by doubling in log₂ n steps (Hillis & Steele 1986).

    Unlike a rule that divides by the element, this is differentiable where one is 0 or infinite.
    """
    dim, step = axis(dim, x.ndim), 1
    while x.ndim and step < x.shape[dim]:
        combined = combine(*_pairs(x, dim, step))
        x = concatenate([_first(x, dim, step), combined], dim)
        step *= 2
    return x


def _first(x: Tensor, dim: int, count: int) -> Tensor:
    """The first `count` elements along `dim`."""
    return getitem(x, (*(slice(None),) * dim, slice(0, count)))


def _pairs(x: Tensor, dim: int, step: int) -> tuple[Tensor, Tensor]:
    """Elements `step` places apart along `dim`: the earlier ones, and the later ones."""
    later = getitem(x, (*(slice(None),) * dim, slice(step, None)))
    return _first(x, dim, x.shape[dim] - step), later


@in_single
def cumprod(x: Tensor, dim: int) -> Tensor:
    """The running product along `dim`."""
    return _running(x, dim, multiply)


@in_single
def logcumsumexp(x: Tensor, dim: int) -> Tensor:
    """log of the running sum of exp(x) along `dim`, without overflow."""
    x = x + 0.0 if x.dtype.kind in "biu" else x
    return _running(x, dim, logaddexp)


def _running_extreme(x: Tensor, dim: int, reaches: Callable[..., Any]) -> Extreme:
    """Values and positions of the running extreme: the latest of equal ones, NaN once met."""
    dim, step = axis(dim, x.ndim), 1
    if x.ndim == 0:
        return Extreme(x, reshape(x != x, shape=()).astype(np.int64))
    along = [x.shape[each] if each == dim else 1 for each in range(x.ndim)]
    places = broadcast_to(np.arange(x.shape[dim]).reshape(along), shape=x.shape)
    values = x.detach()
    while step < x.shape[dim]:
        before, value = _pairs(values, dim, step)
        earlier, place = _pairs(places, dim, step)
        stays = reaches(value, before) | isnan(value)
        values = concatenate([_first(values, dim, step), where(stays, value, before)], dim)
        places = concatenate([_first(places, dim, step), where(stays, place, earlier)], dim)
        step *= 2
    return Extreme(take_along_axis(x, places, dim=dim), places)


def cummax(x: Tensor, dim: int) -> Extreme:
    """The `(values, indices)` of the running maximum along `dim`."""
    return _running_extreme(x, dim, greater_equal)


def cummin(x: Tensor, dim: int) -> Extreme:
    """The `(values, indices)` of the running minimum along `dim`."""
    return _running_extreme(x, dim, less_equal)


def diff(
    x: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """The differences of neighbors along `dim`, taken `n` times, of `x` between what is to be
    prepended and appended."""
    parts = [part for part in (prepend, x, append) if part is not None]
    if n and len(parts) > 1:
        x = concatenate(parts, dim)
    for _ in range(n):
        before, following = _neighbors(x, dim)
        x = following - before
    return x


def _neighbors(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """All elements along `dim` but the last, and all but the first."""
    return _pairs(x, axis(dim, x.ndim), 1)


@in_single
def trapezoid(y: Tensor, x: Tensor | None = None, dx: float = 1.0, dim: int = -1) -> Tensor:
    """The integral of `y` along `dim` by the trapezoidal rule, at the places `x` or `dx` apart."""
    dim = _from_the_end(y, dim)
    return sum(_trapezoids(y, x, dx, dim), dim=dim)


@in_single
def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, dx: float = 1.0, dim: int = -1
) -> Tensor:
    """The running integral of `y` along `dim` by the trapezoidal rule."""
    dim = _from_the_end(y, dim)
    return cumsum(_trapezoids(y, x, dx, dim), dim=dim)


def _from_the_end(y: Tensor, dim: int) -> int:
    """`dim` below 0, which is the same axis where the places have more axes than `y`."""
    return axis(dim, y.ndim) - y.ndim


def _trapezoids(y: Tensor, x: Tensor | None, dx: float, dim: int) -> Tensor:
    before, following = _neighbors(y, dim)
    if x is None:
        return (following + before) * (dx / 2)
    if x.ndim == 1:
        x = reshape(x, shape=tuple(-1 if i == axis(dim, y.ndim) else 1 for i in range(y.ndim)))
    elif x.ndim < y.ndim:
        x = reshape(x, shape=(*(1,) * (y.ndim - x.ndim), *x.shape))
    return (following + before) * (diff(x, dim=dim) / 2)
