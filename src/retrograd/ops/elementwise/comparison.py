"""Comparisons and logic. Their answers carry no gradient."""

from __future__ import annotations

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import Primitive, primitive
from retrograd.autodiff.tape import Tensor

__all__ = [
    "eq",
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


@primitive
def eq(xp: Namespace, x: Array, y: Array) -> Array:
    """Whether x == y, elementwise."""
    return xp.equal(x, y)


eq.pullbacks(x=None, y=None)


@primitive
def same_elements(xp: Namespace, x: Array, y: Array) -> Array:
    """Whether the shapes are the same and all elements equal."""
    return xp.asarray(xp.array_equal(x, y))


same_elements.pullbacks(x=None, y=None)


def equal(x: Tensor, y: Tensor) -> bool:
    """Whether x and y have the same shape and the same elements: one bool; `eq` is elementwise.

    Raises TraceError in a compiled step, which does not know the elements.
    """
    return bool(same_elements(x, y))


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
