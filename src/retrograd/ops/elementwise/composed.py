"""Elementwise functions that are a line of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.arrays import Array, namespace
from retrograd.autodiff import tape
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import cast, divide
from retrograd.ops.elementwise.comparison import eq, greater, not_equal
from retrograd.ops.elementwise.exponential import exp2
from retrograd.ops.elementwise.powers import power
from retrograd.ops.elementwise.rounding import floor, trunc
from retrograd.ops.elementwise.selection import clip, where

__all__ = [
    "addcdiv",
    "addcmul",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clone",
    "div",
    "float_power",
    "gcd",
    "heaviside",
    "lcm",
    "ldexp",
    "logical_xor",
    "positive",
    "reciprocal",
    "rsub",
]


def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """input + value · tensor1 · tensor2."""
    product = tensor1 * tensor2
    return input + (product if value == 1 else value * product)


def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: float = 1) -> Tensor:
    """input + value · tensor1 / tensor2."""
    return input + (tensor1 if value == 1 else value * tensor1) / tensor2


def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """`input` held within [min, max], which are numbers or tensors that broadcast.

    Raises ValueError for neither bound.
    """
    if min is None and max is None:
        raise ValueError("clamp: give min, max or both")
    return clip(input, min, max)


def clamp_min(input: Tensor, min: Any) -> Tensor:
    """`input`, but at least `min`."""
    return clamp(input, min=min)


def clamp_max(input: Tensor, max: Any) -> Tensor:
    """`input`, but at most `max`."""
    return clamp(input, max=max)


def clone(input: Tensor) -> Tensor:
    """A copy, through which gradients flow."""
    return cast(input, dtype=input.dtype)


def div(input: Tensor, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """input / other; rounded toward 0 with "trunc", down with "floor".

    Raises ValueError for another rounding mode.
    """
    quotient = divide(input, other)
    if rounding_mode is None:
        return quotient
    if rounding_mode not in ("floor", "trunc"):
        raise ValueError(
            f"div: rounding_mode must be None, 'floor' or 'trunc', found {rounding_mode!r}"
        )
    whole = floor(quotient) if rounding_mode == "floor" else trunc(quotient)
    integers = all(
        getattr(each, "dtype", None) is None or each.dtype.kind in "iub" for each in (input, other)
    ) and not isinstance(other, float)
    return whole.astype(input.dtype) if integers else whole


def float_power(input: Tensor, exponent: Any) -> Tensor:
    """input ** exponent in float64."""
    if isinstance(exponent, tape.tensor_type):
        exponent = exponent.astype("float64")
    return power(cast(input, dtype=np.dtype(np.float64)), exponent)


def heaviside(input: Tensor, values: Any) -> Tensor:
    """0 below 0, `values` at 0, 1 above."""
    return where(eq(input, 0), values, greater(input, 0).astype(input.dtype))


def ldexp(input: Tensor, other: Any) -> Tensor:
    """input · 2 ** other."""
    return input * exp2(other)


def logical_xor(input: Tensor, other: Any) -> Tensor:
    """Whether exactly one of the two is not 0, elementwise."""
    return not_equal(not_equal(input, 0), not_equal(other, 0))


def positive(input: Tensor) -> Tensor:
    """+input, which is `input`."""
    return input


def reciprocal(input: Tensor) -> Tensor:
    """1 / input."""
    return divide(1.0, input)


def rsub(input: Tensor, other: Any) -> Tensor:
    """other - input."""
    return other - input


def _integers(name: str, x: Any, y: Any) -> Tensor:
    """NumPy's function `name` of two tensors of integers."""
    arrays: list[Array] = [getattr(each, "data", each) for each in (x, y)]
    return tape.tensor_type(getattr(namespace(*arrays), name)(*arrays))


def gcd(input: Tensor, other: Any) -> Tensor:
    """The greatest common divisor of integers, elementwise."""
    return _integers("gcd", input, other)


def lcm(input: Tensor, other: Any) -> Tensor:
    """The least common multiple of integers, elementwise."""
    return _integers("lcm", input, other)
