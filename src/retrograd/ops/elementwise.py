"""Elementwise operations: each output element depends on one element of each operand.

Operands broadcast against each other; the walk undoes the broadcast of a cotangent.
"""

from __future__ import annotations

import math
from typing import Any

from retrograd.arrays import Array, DType, Namespace, as_array, special
from retrograd.autodiff.primitive import primitive

# Arithmetic ---------------------------------------------------------------------------------------


@primitive
def add(xp: Namespace, x: Array, y: Array) -> Array:
    """x + y."""
    return xp.add(x, y)


add.pullbacks(x=lambda g: g, y=lambda g: g)


@primitive
def subtract(xp: Namespace, x: Array, y: Array) -> Array:
    """x - y."""
    return xp.subtract(x, y)


subtract.pullbacks(x=lambda g: g, y=lambda g: -g)


@primitive
def multiply(xp: Namespace, x: Array, y: Array) -> Array:
    """x * y."""
    return xp.multiply(x, y)


multiply.pullbacks(x=lambda g, y: g * y, y=lambda g, x: g * x)


@primitive
def negative(xp: Namespace, x: Array) -> Array:
    """-x."""
    return xp.negative(x)


negative.pullbacks(x=lambda g: -g)


@primitive
def along_slope(xp: Namespace, cotangent: Array, slope: Array) -> Array:
    """cotangent * slope, but 0 where the cotangent is exactly 0 and the slope is not finite.

    A branch that `where` did not take receives a cotangent of 0; an infinite slope there (that of
    1/x at 0) would turn it into NaN. The rules of operations with poles multiply through this.
    """
    product = xp.multiply(cotangent, slope)
    untaken = xp.equal(cotangent, 0) & ~xp.isfinite(slope)
    return xp.where(untaken, xp.zeros_like(product), product)


along_slope.pullbacks(
    cotangent=lambda g, slope: along_slope(g, slope),
    slope=lambda g, cotangent: g * cotangent,
)


@primitive
def divide(xp: Namespace, x: Array, y: Array) -> Array:
    """x / y."""
    return xp.true_divide(x, y)


divide.pullbacks(
    x=lambda g, y: along_slope(g, 1 / y),
    y=lambda g, out, y: along_slope(g, -out / y),  # d(x/y)/dy = -(x/y)/y
)


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


# Exponentials, logarithms and roots ---------------------------------------------------------------


@primitive
def exp(xp: Namespace, x: Array) -> Array:
    """e to the x."""
    return xp.exp(x)


exp.pullbacks(x=lambda g, out: g * out)


@primitive
def expm1(xp: Namespace, x: Array) -> Array:
    """e to the x, minus 1, accurate near 0."""
    return xp.expm1(x)


expm1.pullbacks(x=lambda g, out: g * (out + 1))


@primitive
def log(xp: Namespace, x: Array) -> Array:
    """The natural logarithm."""
    return xp.log(x)


log.pullbacks(x=lambda g, x: along_slope(g, 1 / x))


@primitive
def log1p(xp: Namespace, x: Array) -> Array:
    """log(1 + x), accurate near 0."""
    return xp.log1p(x)


log1p.pullbacks(x=lambda g, x: along_slope(g, 1 / (1 + x)))


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


@primitive
def erf(xp: Namespace, x: Array) -> Array:
    """The error function, 2/√π ∫₀ˣ exp(-t²) dt."""
    return special(xp).erf(x)


erf.pullbacks(x=lambda g, x: g * (2 / math.sqrt(math.pi) * exp(-square(x))))


# Activations --------------------------------------------------------------------------------------


@primitive
def tanh(xp: Namespace, x: Array) -> Array:
    """The hyperbolic tangent."""
    return xp.tanh(x)


tanh.pullbacks(x=lambda g, out: g * (1 - square(out)))


@primitive
def sigmoid(xp: Namespace, x: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow: (1 + tanh(x/2)) / 2 is the same function."""
    return 0.5 * xp.tanh(0.5 * x) + 0.5 if xp.__name__ == "numpy" else special(xp).expit(x)


sigmoid.pullbacks(x=lambda g, out: g * (out * (1 - out)))


@primitive
def relu(xp: Namespace, x: Array) -> Array:
    """max(x, 0), whose slope at 0 is 0."""
    return xp.maximum(x, 0)


@primitive
def where_positive(xp: Namespace, x: Array, sign: Array) -> Array:
    """x where the other operand is positive, else 0: the gate that relu is, one operation."""
    return xp.multiply(x, xp.greater(sign, 0).astype(x.dtype))


relu.pullbacks(x=lambda g, out: where_positive(g, out))
where_positive.pullbacks(x=lambda g, sign: where_positive(g, sign), sign=None)


@primitive
def softplus(xp: Namespace, x: Array) -> Array:
    """log(1 + exp(x)), without overflow."""
    return xp.logaddexp(x, xp.zeros_like(x))


softplus.pullbacks(x=lambda g, x: g * sigmoid(x))


# Steps and choices --------------------------------------------------------------------------------


@primitive
def sign(xp: Namespace, x: Array) -> Array:
    """-1, 0 or 1; its slope is 0 everywhere."""
    return xp.sign(x)


sign.pullbacks(x=None)


@primitive
def abs(xp: Namespace, x: Array) -> Array:
    """|x|, whose slope at 0 is 0."""
    return xp.abs(x)


abs.pullbacks(x=lambda g, x: g * sign(x))


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
def clip(xp: Namespace, x: Array, *, min: float | None = None, max: float | None = None) -> Array:
    """x held within [min, max]; the slope is 1 on the bounds and 0 beyond them."""
    if min is None and max is None:
        raise TypeError("clip: give min, max or both")
    return xp.clip(x, min, max)


clip.pullbacks(x=lambda g, x, min, max: g * _within(x, min, max))


def _within(x: Any, lowest: float | None, highest: float | None) -> Any:
    if lowest is None:
        return x <= highest
    return x >= lowest if highest is None else (x >= lowest) & (x <= highest)


@primitive
def cast(xp: Namespace, x: Array, *, dtype: DType) -> Array:
    """x as another dtype; the walk casts the cotangent back."""
    return as_array(x, dtype)


cast.pullbacks(x=lambda g: g)
