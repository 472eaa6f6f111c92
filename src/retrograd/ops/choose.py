"""Choices between values, element by element."""

from __future__ import annotations

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.compare import isnan
from retrograd.ops.elementwise import abs, maximum, minimum, where

__all__ = ["copysign", "fmax", "fmin", "lerp", "nan_to_num"]


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
    most = float(np.finfo(x.dtype).max)
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
