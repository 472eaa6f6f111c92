"""Sums, products and quotients, the sign and the absolute value, and casts."""

from __future__ import annotations

from retrograd.arrays import Array, DType, Namespace, as_array
from retrograd.autodiff.primitive import primitive

__all__ = ["abs", "add", "cast", "divide", "multiply", "negative", "sign", "subtract"]


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
def cast(xp: Namespace, x: Array, *, dtype: DType) -> Array:
    """x as another dtype; the walk casts the cotangent back."""
    return as_array(x, dtype)


cast.pullbacks(x=lambda g: g)
