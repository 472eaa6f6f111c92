"""`x += y` and its like: new contents for a leaf, of which others hold this very tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from retrograd import ops
from retrograd.arrays import state
from retrograd.autodiff.tape import Leaf

if TYPE_CHECKING:
    from retrograd.tensor import Tensor

__all__ = ["AugmentedAssignment"]


class AugmentedAssignment:
    """What `Tensor` inherits. A tensor that was computed is replaced by a new one instead."""

    __slots__ = ()

    def __iadd__(self, other: Any) -> Self:
        return _changed(self, ops.add, other)

    def __isub__(self, other: Any) -> Self:
        return _changed(self, ops.subtract, other)

    def __imul__(self, other: Any) -> Self:
        return _changed(self, ops.multiply, other)

    def __itruediv__(self, other: Any) -> Self:
        return _changed(self, ops.divide, other)

    def __ifloordiv__(self, other: Any) -> Self:
        return _changed(self, ops.floor_divide, other)

    def __imod__(self, other: Any) -> Self:
        return _changed(self, ops.remainder, other)

    def __ipow__(self, other: Any) -> Self:
        return _changed(self, ops.power, other)


def _changed(x: Any, operation: Callable[..., Tensor], other: Any) -> Any:
    """`x` after `x op= other`.

    Raises RuntimeError where a graph would become wrong, ValueError for another shape.
    """
    if not (x._outlives or type(x._node) is Leaf):
        return operation(x, other)
    if state.recording and (x.requires_grad or getattr(other, "requires_grad", False)):
        raise RuntimeError(
            f"a {x._title} cannot be changed in place while gradients are recorded, because its "
            "graph would become wrong: change it under rg.no_grad(), or make another, y = x + 1"
        )
    new = operation(x, other)
    if new.shape != x.shape:
        raise ValueError(
            f"a tensor of shape {tuple(x.shape)} cannot take contents of shape "
            f"{tuple(new.shape)} in place"
        )
    x.data = new.data if new.dtype == x.dtype else new.data.astype(x.dtype)
    return x
