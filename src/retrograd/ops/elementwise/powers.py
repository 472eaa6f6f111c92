"""Powers and roots."""

from __future__ import annotations

import math
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.ops.elementwise.arithmetic import along_slope
from retrograd.ops.elementwise.exponential import log
from retrograd.ops.elementwise.selection import where

__all__ = ["power", "rsqrt", "sqrt", "square"]


@primitive
def power(xp: Namespace, x: Array, y: Array) -> Array:
    """x ** y."""
    return xp.power(x, y)


def _power_base(g: Any, x: Any, y: Any) -> Any:
    """d(x^y)/dx = y x^(y-1), and 0 for x = y = 0, where x^(y-1) is infinite."""
    if isinstance(y, int | float):
        return g * 0.0 if y == 0 else along_slope(g, y * x ** (y - 1))
    # Only there: elsewhere the slope at y = 0 is 0 by itself, but has a slope of its own in y.
    at_origin = (y == 0) & (x == 0)
    return along_slope(g, y * x ** where(at_origin, 1.0, y - 1))


def _power_exponent(g: Any, x: Any, y: Any, out: Any) -> Any:
    """d(x^y)/dy = x^y log x, whose limit at x = 0 is 0 for y >= 0."""
    if isinstance(x, int | float) and x != 0:
        return g * (out * (math.log(x) if x > 0 else math.nan))
    positive = x > 0
    at_zero = where(y >= 0, 0.0, -math.inf)
    beyond = where(x == 0, at_zero, math.nan)
    return along_slope(g, where(positive, out * log(where(positive, x, 1.0)), beyond))


power.pullbacks(x=_power_base, y=_power_exponent)


@primitive
def sqrt(xp: Namespace, x: Array) -> Array:
    """The square root."""
    return xp.sqrt(x)


sqrt.pullbacks(x=lambda g, out: along_slope(g, 0.5 / out))


@primitive
def rsqrt(xp: Namespace, x: Array) -> Array:
    """1 / sqrt(x)."""
    return xp.reciprocal(xp.sqrt(x))


rsqrt.pullbacks(x=lambda g, x, out: along_slope(g, -0.5 * out / x))


@primitive
def square(xp: Namespace, x: Array) -> Array:
    """x * x."""
    return xp.square(x)


square.pullbacks(x=lambda g, x: g * (2 * x))
