"""Whole numbers and remainders. A step function has slope 0 wherever it has one."""

from __future__ import annotations

from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import abs, negative, sign

__all__ = ["ceil", "floor", "floor_divide", "fmod", "frac", "remainder", "round", "trunc"]


@primitive
def floor(xp: Namespace, x: Array) -> Array:
    """The largest whole number that is not above x."""
    return xp.floor(x)


def ceil(x: Tensor) -> Tensor:
    """The smallest whole number that is not below x."""
    return -floor(negative(x))


def trunc(x: Tensor) -> Tensor:
    """x without its fraction."""
    return sign(x) * floor(abs(x))


@primitive
def round(xp: Namespace, x: Array, *, decimals: int = 0) -> Array:
    """x rounded to `decimals` decimals; halves go to the even neighbor."""
    return xp.round(x, decimals)


floor.pullbacks(x=None)
round.pullbacks(x=None)


def frac(x: Tensor) -> Tensor:
    """The fraction of x, of x's sign."""
    return x - trunc(x)


@primitive
def fmod(xp: Namespace, x: Array, y: Array) -> Array:
    """What is left of x after whole y's, of x's sign."""
    return xp.fmod(x, y)


@primitive
def remainder(xp: Namespace, x: Array, y: Array) -> Array:
    """What is left of x after whole y's, of y's sign: what Python's % is."""
    return xp.remainder(x, y)


@primitive
def floor_divide(xp: Namespace, x: Array, y: Array) -> Array:
    """x / y rounded down, to whole numbers of the operands' dtype: what Python's // is."""
    return xp.floor_divide(x, y)


floor_divide.pullbacks(x=None, y=None)


def _quotient(g: Tensor, x: Any, y: Any, out: Tensor) -> Tensor:
    """x = q y + out: the slope in y is -q, a whole number up to rounding."""
    return g * -round((x - out) / y)


fmod.pullbacks(x=lambda g: g, y=_quotient)
remainder.pullbacks(x=lambda g: g, y=_quotient)
