"""Comparisons and logic. Their answers carry no gradient."""

from __future__ import annotations

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import Primitive, primitive

__all__ = [
    "equal",
    "greater",
    "greater_equal",
    "isfinite",
    "isnan",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "not_equal",
]


def _question(name: str, meaning: str, operands: int = 2) -> Primitive:
    """The namespace's elementwise function `name`, as an operation without slope."""

    def one(xp: Namespace, x: Array) -> Array:
        return getattr(xp, name)(x)

    def two(xp: Namespace, x: Array, y: Array) -> Array:
        return getattr(xp, name)(x, y)

    forward = one if operands == 1 else two
    forward.__name__ = forward.__qualname__ = name
    forward.__doc__ = meaning
    made = primitive(forward)
    return made.pullbacks(**dict.fromkeys(made.operands))


equal = _question("equal", "Whether x == y, elementwise.")
not_equal = _question("not_equal", "Whether x != y, elementwise.")
less = _question("less", "Whether x < y, elementwise.")
less_equal = _question("less_equal", "Whether x <= y, elementwise.")
greater = _question("greater", "Whether x > y, elementwise.")
greater_equal = _question("greater_equal", "Whether x >= y, elementwise.")
logical_and = _question("logical_and", "Whether both hold, elementwise.")
logical_or = _question("logical_or", "Whether either holds, elementwise.")
logical_not = _question("logical_not", "Whether it does not hold, elementwise.", operands=1)
isnan = _question("isnan", "Whether x is NaN, elementwise.", operands=1)
isfinite = _question("isfinite", "Whether x is neither infinite nor NaN.", operands=1)
