"""Elementwise operations: each output element depends on one element of each operand.

Operands broadcast against each other; the walk undoes the broadcast of a cotangent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.arrays import Array, DType, Namespace, limits
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import abs
from retrograd.ops.elementwise.comparison import greater, isnan, less

__all__ = ["clip", "copysign", "fmax", "fmin", "lerp", "maximum", "minimum", "nan_to_num", "where"]


@primitive
def maximum(xp: Namespace, x: Array, y: Array) -> Array:
    """The larger of x and y; where they are equal each has half the slope."""
    return xp.maximum(x, y)


maximum.pullbacks(
    x=lambda g, x, y: g * _share(x > y, x == y, g.dtype),
    y=lambda g, x, y: g * _share(y > x, x == y, g.dtype),
)


@primitive
def minimum(xp: Namespace, x: Array, y: Array) -> Array:
    """The smaller of x and y; where they are equal each has half the slope."""
    return xp.minimum(x, y)


minimum.pullbacks(
    x=lambda g, x, y: g * _share(x < y, x == y, g.dtype),
    y=lambda g, x, y: g * _share(y < x, x == y, g.dtype),
)


def _share(wins: Any, ties: Any, dtype: DType) -> Any:
    return wins.astype(dtype) + 0.5 * ties.astype(dtype)


@primitive
def where(xp: Namespace, condition: Array, x: Array, y: Array) -> Array:
    """x where the condition holds, else y."""
    return xp.where(condition, x, y)


where.pullbacks(
    condition=None,
    x=lambda g, condition: where(condition, g, 0),
    y=lambda g, condition: where(condition, 0, g),
)


@primitive
def clip_between(
    xp: Namespace, x: Array, *, min: float | None = None, max: float | None = None
) -> Array:
    """x held within [min, max], two numbers."""
    return xp.clip(x, min, max)


clip_between.pullbacks(x=lambda g, x, min, max: g * _within(x, min, max))


def clip(x: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """x held within [min, max]; the slope is 1 on the bounds and 0 beyond them.

    The bounds may be tensors, which receive the slope beyond them; `max` wins where they cross.
    Raises TypeError without either.
    """
    if min is None and max is None:
        raise TypeError("clip: give min, max or both")
    if all(bound is None or isinstance(bound, int | float) for bound in (min, max)):
        held: Tensor = clip_between(x, min=min, max=max)
        return held
    if min is not None:
        x = where(less(x, min), min, x)
    return x if max is None else where(greater(x, max), max, x)


def _within(x: Any, lowest: float | None, highest: float | None) -> Any:
    if lowest is None:
        return x <= highest
    return x >= lowest if highest is None else (x >= lowest) & (x <= highest)


def fmax(x: Tensor, y: Tensor) -> Tensor:
    """The larger of x and y, or the other one where one is NaN."""
    return maximum(where(isnan(x), y, x), where(isnan(y), x, y))


def fmin(x: Tensor, y: Tensor) -> Tensor:
    """The smaller of x and y, or the other one where one is NaN."""
    return minimum(where(isnan(x), y, x), where(isnan(y), x, y))


def copysign(x: Tensor, y: Tensor | float) -> Tensor:
    """|x| with the sign of y, where -0 is negative; its slope in y is 0."""
    return abs(x) * sign_bit(y)


@primitive
def sign_bit(xp: Namespace, x: Array) -> Array:
    """-1 for negative numbers and -0, else 1."""
    return xp.copysign(xp.ones_like(x), x)


sign_bit.pullbacks(x=None)


def nan_to_num(
    x: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """`x` with NaN and infinities replaced: by `nan`, and by the dtype's extremes by default."""
    if x.dtype.kind not in "fV":
        return x
    most = float(limits(x.dtype).max)
    x = where(x == np.inf, most if posinf is None else posinf, x)
    x = where(x == -np.inf, -most if neginf is None else neginf, x)
    return where(isnan(x), nan, x)


def lerp(start: Tensor, end: Tensor, weight: Tensor | float) -> Tensor:
    """start + weight (end - start), computed from the end for weights above one half."""
    if isinstance(weight, int | float):
        near = weight < 0.5
        return start + weight * (end - start) if near else end - (end - start) * (1 - weight)
    return where(
        abs(weight) < 0.5, start + weight * (end - start), end - (end - start) * (1 - weight)
    )
