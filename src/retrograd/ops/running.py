"""Running products, extremes and integrals along one axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.autodiff.tape import Tensor
from retrograd.ops.compare import greater_equal, isnan, less_equal
from retrograd.ops.elementwise import multiply, where
from retrograd.ops.index import Extreme, getitem, take_along_axis
from retrograd.ops.reduce import cumsum, sum
from retrograd.ops.shape import broadcast_to, concatenate, pad_constant, reshape
from retrograd.ops.special import logaddexp

__all__ = [
    "cummax",
    "cummin",
    "cumprod",
    "cumulative_trapezoid",
    "diff",
    "logcumsumexp",
    "trapezoid",
]


def _earlier(x: Tensor, dim: int, step: int, neutral: float) -> Tensor:
    """The element `step` places before each one, `neutral` where there is none."""
    kept = getitem(x, (*(slice(None),) * dim, slice(0, x.shape[dim] - step)))
    widths = tuple((step if axis == dim else 0, 0) for axis in range(x.ndim))
    return pad_constant(kept, widths=widths, value=neutral)


def _running(
    x: Tensor, dim: int, combine: Callable[[Tensor, Tensor], Tensor], neutral: float
) -> Tensor:
    """Everything up to each element, combined by doubling in log₂ n steps (Hillis & Steele 1986).

    Unlike a rule that divides by the element, this is differentiable where one is 0 or infinite.
    """
    if x.ndim == 0:
        return x
    dim %= x.ndim
    step = 1
    while step < x.shape[dim]:
        x = combine(_earlier(x, dim, step, neutral), x)
        step *= 2
    return x


def cumprod(x: Tensor, dim: int) -> Tensor:
    """The running product along `dim`."""
    return _running(x, dim, multiply, 1.0)


def logcumsumexp(x: Tensor, dim: int) -> Tensor:
    """log of the running sum of exp(x) along `dim`, without overflow."""
    x = x + 0.0 if x.dtype.kind in "biu" else x
    return _running(x, dim, logaddexp, -math.inf)


def _running_extreme(x: Tensor, dim: int, reaches: Callable[..., Any]) -> Extreme:
    """Values and positions of the running extreme: the latest of equal ones, NaN once met."""
    if x.ndim == 0:
        return Extreme(x, reshape(x != x, shape=()).astype(np.int64))
    dim %= x.ndim
    along = [x.shape[axis] if axis == dim else 1 for axis in range(x.ndim)]
    order = np.arange(x.shape[dim]).reshape(along)
    places = broadcast_to(order, shape=x.shape)
    values = x.detach()
    step = 1
    while step < x.shape[dim]:
        before = _earlier(values, dim, step, 0)
        stays = reaches(values, before) | isnan(values) | (order < step)
        values = where(stays, values, before)
        places = where(stays, places, _earlier(places, dim, step, 0))
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
    """The differences of neighbours along `dim`, taken `n` times, of `x` between what is to be
    prepended and appended."""
    parts = [part for part in (prepend, x, append) if part is not None]
    if n and len(parts) > 1:
        x = concatenate(parts, dim)
    for _ in range(n):
        following, before = _neighbours(x, dim)
        x = following - before
    return x


def _neighbours(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """All elements along `dim` but the first, and all but the last."""
    whole = (slice(None),) * (dim % x.ndim)
    return getitem(x, (*whole, slice(1, None))), getitem(x, (*whole, slice(0, -1)))


def trapezoid(y: Tensor, x: Tensor | None = None, dx: float = 1.0, dim: int = -1) -> Tensor:
    """The integral of `y` along `dim` by the trapezoidal rule, at the places `x` or `dx` apart."""
    dim = _from_the_end(y, dim)
    return sum(_trapezoids(y, x, dx, dim), dim=dim)


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, dx: float = 1.0, dim: int = -1
) -> Tensor:
    """The running integral of `y` along `dim` by the trapezoidal rule."""
    dim = _from_the_end(y, dim)
    return cumsum(_trapezoids(y, x, dx, dim), dim=dim)


def _from_the_end(y: Tensor, dim: int) -> int:
    """`dim` below 0, which is the same axis where the places have more axes than `y`."""
    return dim - y.ndim if dim >= 0 else dim


def _trapezoids(y: Tensor, x: Tensor | None, dx: float, dim: int) -> Tensor:
    following, before = _neighbours(y, dim)
    if x is None:
        return (following + before) * (dx / 2)
    if x.ndim == 1 and y.ndim > 1:
        x = reshape(x, shape=tuple(-1 if i == dim % y.ndim else 1 for i in range(y.ndim)))
    return (following + before) * (diff(x, dim=dim) / 2)
