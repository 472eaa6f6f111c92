"""Whole numbers and remainders. A step function has slope 0 wherever it has one."""

from __future__ import annotations

from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor

__all__ = ["ceil", "floor", "fmod", "frac", "remainder", "round", "trunc"]


@primitive
def floor(xp: Namespace, x: Array) -> Array:
    """The largest whole number that is not above x."""
    return xp.floor(x)


@primitive
def ceil(xp: Namespace, x: Array) -> Array:
    """The smallest whole number that is not below x."""
    return xp.ceil(x)


@primitive
def trunc(xp: Namespace, x: Array) -> Array:
    """x without its fraction."""
    return xp.trunc(x)


@primitive
def round(xp: Namespace, x: Array, *, decimals: int = 0) -> Array:
    """x to so many decimals; halves go to the even neighbour."""
    return xp.round(x, decimals)


for _step in (floor, ceil, trunc, round):
    _step.pullbacks(x=None)


def frac(x: Tensor) -> Tensor:
    """The fraction of x, of x's sign."""
    return x - trunc(x)


@primitive
def fmod(xp: Namespace, x: Array, y: Array) -> Array:
    """What is left of x after whole y's, of x's sign."""
    return xp.fmod(x, y)


@primitive
def remainder(xp: Namespace, x: Array, y: Array) -> Array:
    """What is left of x after whole y's, of y's sign."""
    return xp.remainder(x, y)


def _quotient(g: Tensor, x: Any, y: Any, out: Tensor) -> Tensor:
    """x = q y + out: the slope in y is -q, a whole number up to rounding."""
    return g * -round((x - out) / y)


fmod.pullbacks(x=lambda g: g, y=_quotient)
remainder.pullbacks(x=lambda g: g, y=_quotient)
