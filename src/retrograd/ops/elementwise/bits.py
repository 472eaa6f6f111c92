"""Operations on the bits of integers, and on booleans. Their answers carry no gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.comparison import logical_not

__all__ = [
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
]


@primitive
def combined_bits(xp: Namespace, x: Array, y: Array, *, how: str) -> Array:
    """The bits of x and y combined by the namespace's function `how`."""
    return getattr(xp, how)(x, y)


combined_bits.pullbacks(x=None, y=None)


def _combined(name: str, how: str, x: Any, y: Any) -> Tensor:
    _check(name, x, y)
    combined: Tensor = combined_bits(x, y, how=how)
    return combined


def _check(name: str, *operands: Any) -> None:
    for each in operands:
        found = getattr(each, "dtype", None) or np.asarray(each).dtype
        if found.kind not in "biu":
            raise TypeError(
                f"{name}: expected integers or booleans, found {found}; compare first, as in "
                "x > 0, or use logical_and, logical_or, logical_not"
            )


def bitwise_and(x: Any, y: Any) -> Tensor:
    """The bits that both have; of booleans, whether both hold. Raises TypeError for floats."""
    return _combined("bitwise_and", "bitwise_and", x, y)


def bitwise_or(x: Any, y: Any) -> Tensor:
    """The bits that either has; of booleans, whether either holds. Raises TypeError for floats."""
    return _combined("bitwise_or", "bitwise_or", x, y)


def bitwise_xor(x: Any, y: Any) -> Tensor:
    """The bits that one of the two has; of booleans, whether just one holds.

    Raises TypeError for floats.
    """
    return _combined("bitwise_xor", "bitwise_xor", x, y)


def bitwise_not(x: Tensor) -> Tensor:
    """The bits that x lacks, -x - 1; of booleans, whether it does not hold.

    Raises TypeError for floats.
    """
    _check("bitwise_not", x)
    return logical_not(x) if x.dtype == bool else bitwise_xor(x, np.array(-1).astype(x.dtype))


def bitwise_left_shift(x: Any, y: Any) -> Tensor:
    """x moved y bits to the left, x · 2^y in the bits of its dtype. Raises TypeError for floats."""
    return _combined("bitwise_left_shift", "left_shift", x, y)


def bitwise_right_shift(x: Any, y: Any) -> Tensor:
    """x moved y bits to the right, x / 2^y rounded down. Raises TypeError for floats."""
    return _combined("bitwise_right_shift", "right_shift", x, y)
