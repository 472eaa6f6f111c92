"""Exponentials and logarithms."""

from __future__ import annotations

import math

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.activations import sigmoid
from retrograd.ops.elementwise.arithmetic import along_slope, multiply, subtract
from retrograd.ops.elementwise.comparison import isfinite
from retrograd.ops.elementwise.selection import where

__all__ = ["exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "logaddexp2"]


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
def exp2(xp: Namespace, x: Array) -> Array:
    """2 to the x."""
    return xp.exp2(x)


exp2.pullbacks(x=lambda g, out: g * (out * math.log(2)))


@primitive
def log2(xp: Namespace, x: Array) -> Array:
    """The logarithm to base 2."""
    return xp.log2(x)


log2.pullbacks(x=lambda g, x: along_slope(g, 1 / (x * math.log(2))))


@primitive
def log10(xp: Namespace, x: Array) -> Array:
    """The logarithm to base 10."""
    return xp.log10(x)


log10.pullbacks(x=lambda g, x: along_slope(g, 1 / (x * math.log(10))))


@primitive(single=True)
def logaddexp(xp: Namespace, x: Array, y: Array) -> Array:
    """log(exp(x) + exp(y)), without overflow."""
    return xp.logaddexp(x, y)


def _share(x: Tensor, y: Tensor) -> Tensor:
    """exp(x) / (exp(x) + exp(y)): one half where both are the same infinity."""
    return sigmoid(where((x == y) & ~isfinite(x), 0.0, subtract(x, y)))


logaddexp.pullbacks(x=lambda g, x, y: g * _share(x, y), y=lambda g, x, y: g * _share(y, x))


def logaddexp2(x: Tensor, y: Tensor) -> Tensor:
    """log2(2^x + 2^y), without overflow."""
    base = math.log(2)
    return logaddexp(multiply(x, base), multiply(y, base)) / base
