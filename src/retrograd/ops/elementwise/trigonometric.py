"""Trigonometric and hyperbolic functions, and their inverses.

Composed ones are the identity in the comment beside them, chosen so that nothing cancels.
"""

from __future__ import annotations

import math

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import abs, along_slope
from retrograd.ops.elementwise.powers import rsqrt, square
from retrograd.ops.elementwise.selection import where

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "hypot",
    "rad2deg",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
]


@primitive
def sin(xp: Namespace, x: Array) -> Array:
    """The sine of an angle in radians."""
    return xp.sin(x)


@primitive
def cos(xp: Namespace, x: Array) -> Array:
    """The cosine of an angle in radians."""
    return xp.cos(x)


sin.pullbacks(x=lambda g, x: g * cos(x))
cos.pullbacks(x=lambda g, x: -g * sin(x))


@primitive
def tan(xp: Namespace, x: Array) -> Array:
    """The tangent of an angle in radians."""
    return xp.tan(x)


tan.pullbacks(x=lambda g, out: g * (1 + square(out)))


@primitive
def asin(xp: Namespace, x: Array) -> Array:
    """The angle in [-π/2, π/2] whose sine is x."""
    return xp.arcsin(x)


@primitive
def acos(xp: Namespace, x: Array) -> Array:
    """The angle in [0, π] whose cosine is x."""
    return xp.arccos(x)


asin.pullbacks(x=lambda g, x: along_slope(g, rsqrt((1 - x) * (1 + x))))
acos.pullbacks(x=lambda g, x: along_slope(g, -rsqrt((1 - x) * (1 + x))))


@primitive
def atan2(xp: Namespace, y: Array, x: Array) -> Array:
    """The angle in [-π, π] of the point (x, y); its slope at the origin is taken as 0."""
    return xp.arctan2(y, x)


def _over_square(part: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """part / (x² + y²), and 0 at the origin."""
    radius = hypot(y, x)
    safe = where(radius == 0, 1.0, radius)
    return part / safe / safe  # in two steps: the square of a large radius overflows


atan2.pullbacks(
    y=lambda g, y, x: g * _over_square(x, y, x),
    x=lambda g, y, x: g * -_over_square(y, y, x),
)


@primitive
def atan(xp: Namespace, x: Array) -> Array:
    """The angle in (-π/2, π/2) whose tangent is x."""
    return xp.arctan(x)


atan.pullbacks(x=lambda g, x: g / (1 + square(x)))


@primitive(single=True)
def hypot(xp: Namespace, x: Array, y: Array) -> Array:
    """sqrt(x² + y²), without overflow; its slope at the origin is taken as 0."""
    return xp.hypot(x, y)


hypot.pullbacks(
    x=lambda g, x, out: g * (x / where(out == 0, 1.0, out)),
    y=lambda g, y, out: g * (y / where(out == 0, 1.0, out)),
)


@primitive
def sinh(xp: Namespace, x: Array) -> Array:
    """The hyperbolic sine."""
    return xp.sinh(x)


@primitive
def cosh(xp: Namespace, x: Array) -> Array:
    """The hyperbolic cosine."""
    return xp.cosh(x)


sinh.pullbacks(x=lambda g, x: g * cosh(x))
cosh.pullbacks(x=lambda g, x: g * sinh(x))


@primitive
def tanh(xp: Namespace, x: Array) -> Array:
    """The hyperbolic tangent."""
    return xp.tanh(x)


tanh.pullbacks(x=lambda g, out: g * (1 - square(out)))


@primitive
def asinh(xp: Namespace, x: Array) -> Array:
    """The number whose hyperbolic sine is x."""
    return xp.arcsinh(x)


asinh.pullbacks(x=lambda g, x: g / hypot(x, 1.0))


@primitive
def acosh(xp: Namespace, x: Array) -> Array:
    """The number of at least 0 whose hyperbolic cosine is x."""
    return xp.arccosh(x)


# One root of each factor: their product overflows, and cancels near 1.
acosh.pullbacks(x=lambda g, x: along_slope(g, rsqrt(x - 1) * rsqrt(x + 1)))


@primitive
def atanh(xp: Namespace, x: Array) -> Array:
    """The number whose hyperbolic tangent is x."""
    return xp.arctanh(x)


atanh.pullbacks(x=lambda g, x: along_slope(g, 1 / ((1 - x) * (1 + x))))


def sinc(x: Tensor) -> Tensor:
    """sin(πx) / (πx), and 1 at 0; right to the fourth derivative there."""
    angle = x * math.pi
    near = abs(angle) < 1e-3
    # Taylor's polynomial near 0: the quotient would have no second derivative at 0 itself.
    u = square(where(near, angle, 0.0))
    away = where(near, 1.0, angle)
    return where(near, 1 - u / 6 * (1 - u / 20), sin(away) / away)


def deg2rad(x: Tensor) -> Tensor:
    """Degrees as radians."""
    return x * (math.pi / 180)


def rad2deg(x: Tensor) -> Tensor:
    """Radians as degrees."""
    return x * (180 / math.pi)
