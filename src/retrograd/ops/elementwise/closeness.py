"""Whether numbers are close, infinite or negative. The answers carry no gradient."""

from __future__ import annotations

import math

from retrograd.arrays import Array
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import abs
from retrograd.ops.elementwise.comparison import (
    eq,
    isfinite,
    isnan,
    less_equal,
    logical_and,
    logical_or,
)

__all__ = ["allclose", "isclose", "isinf", "isneginf", "isposinf"]

Operand = Tensor | Array | float


def isinf(x: Tensor) -> Tensor:
    """Whether x is infinite, elementwise."""
    return eq(abs(x), math.inf)


def isposinf(x: Tensor) -> Tensor:
    """Whether x is +infinity, elementwise."""
    return eq(x, math.inf)


def isneginf(x: Tensor) -> Tensor:
    """Whether x is -infinity, elementwise."""
    return eq(x, -math.inf)


def isclose(
    input: Tensor, other: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> Tensor:
    """Whether |input - other| ≤ atol + rtol |other|, elementwise; infinities are close if equal."""
    difference = abs(input - other)
    near = less_equal(difference, atol + rtol * abs(other))
    # An infinite difference is not close, though the allowance be infinite too.
    near = logical_or(eq(input, other), logical_and(isfinite(difference), near))
    return logical_or(near, logical_and(isnan(input), isnan(other))) if equal_nan else near


def allclose(
    input: Tensor, other: Operand, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all elements are close: one bool, which a compiled step does not know."""
    return all(isclose(input, other, rtol, atol, equal_nan).reshape(-1).tolist())
