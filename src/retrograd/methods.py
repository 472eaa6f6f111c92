"""The operations as methods and operators of `Tensor`, one line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd import ops
from retrograd.arrays import DType
from retrograd.inherited.augmented import AugmentedAssignment
from retrograd.inherited.conversions import Conversions, sizes
from retrograd.inherited.in_place import InPlace
from retrograd.inherited.method_table import MethodTable
from retrograd.ops.reductions.sums import Dim
from retrograd.ops.shapes.shape import Shape

if TYPE_CHECKING:
    from retrograd.tensor import Tensor

__all__ = ["TensorMethods"]


class TensorMethods(Conversions, MethodTable, InPlace, AugmentedAssignment):
    """What `Tensor` inherits; each method calls the operation of its name."""

    __slots__ = ()

    @property
    def ndim(self) -> int:
        """The number of axes."""
        raise NotImplementedError

    # Operators ------------------------------------------------------------------------------------

    def __add__(self, other: Any) -> Tensor:
        return ops.add(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return ops.add(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return ops.subtract(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return ops.subtract(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return ops.multiply(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return ops.multiply(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return ops.divide(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return ops.divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return ops.remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return ops.remainder(other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return ops.floor_divide(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return ops.power(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return ops.power(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return ops.matmul(other, self)

    def __neg__(self) -> Tensor:
        return ops.negative(self)

    def __abs__(self) -> Tensor:
        return ops.abs(self)

    def __getitem__(self, index: Any) -> Tensor:
        return ops.getitem(self, index)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]  # elementwise, as arrays
        return ops.eq(self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]  # likewise
        return ops.not_equal(self, other)

    def __lt__(self, other: Any) -> Tensor:
        return ops.less(self, other)

    def __le__(self, other: Any) -> Tensor:
        return ops.less_equal(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return ops.greater(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return ops.greater_equal(self, other)

    def __and__(self, other: Any) -> Tensor:
        return ops.bitwise_and(self, other)

    def __or__(self, other: Any) -> Tensor:
        return ops.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Tensor:
        return ops.bitwise_xor(self, other)

    def __rand__(self, other: Any) -> Tensor:
        return ops.bitwise_and(other, self)

    def __ror__(self, other: Any) -> Tensor:
        return ops.bitwise_or(other, self)

    def __rxor__(self, other: Any) -> Tensor:
        return ops.bitwise_xor(other, self)

    def __lshift__(self, other: Any) -> Tensor:
        return ops.bitwise_left_shift(self, other)

    def __rlshift__(self, other: Any) -> Tensor:
        return ops.bitwise_left_shift(other, self)

    def __rshift__(self, other: Any) -> Tensor:
        return ops.bitwise_right_shift(self, other)

    def __rrshift__(self, other: Any) -> Tensor:
        return ops.bitwise_right_shift(other, self)

    def __invert__(self) -> Tensor:
        return ops.bitwise_not(self)

    # Methods of the operations' names -------------------------------------------------------------

    def exp(self) -> Tensor:
        return ops.exp(self)

    def expm1(self) -> Tensor:
        return ops.expm1(self)

    def log(self) -> Tensor:
        return ops.log(self)

    def log1p(self) -> Tensor:
        return ops.log1p(self)

    def sqrt(self) -> Tensor:
        return ops.sqrt(self)

    def rsqrt(self) -> Tensor:
        return ops.rsqrt(self)

    def square(self) -> Tensor:
        return ops.square(self)

    def abs(self) -> Tensor:
        return ops.abs(self)

    def sign(self) -> Tensor:
        return ops.sign(self)

    def erf(self) -> Tensor:
        return ops.erf(self)

    def tanh(self) -> Tensor:
        return ops.tanh(self)

    def sigmoid(self) -> Tensor:
        return ops.sigmoid(self)

    def relu(self) -> Tensor:
        return ops.relu(self)

    def softplus(self) -> Tensor:
        return ops.softplus(self)

    def isnan(self) -> Tensor:
        return ops.isnan(self)

    def isfinite(self) -> Tensor:
        return ops.isfinite(self)

    def eq(self, other: Any) -> Tensor:
        return ops.eq(self, other)

    def equal(self, other: Any) -> bool:
        return ops.equal(self, other)

    def sum(self, dim: Dim = None, keepdim: bool = False, **axis: Any) -> Tensor:
        return ops.sum(self, dim=dim, keepdim=keepdim, **axis)

    def mean(self, dim: Dim = None, keepdim: bool = False, **axis: Any) -> Tensor:
        return ops.mean(self, dim=dim, keepdim=keepdim, **axis)

    def amax(self, dim: Dim = None, keepdim: bool = False, **axis: Any) -> Tensor:
        return ops.amax(self, dim=dim, keepdim=keepdim, **axis)

    def amin(self, dim: Dim = None, keepdim: bool = False, **axis: Any) -> Tensor:
        return ops.amin(self, dim=dim, keepdim=keepdim, **axis)

    def prod(self, dim: Dim = None, keepdim: bool = False, **axis: Any) -> Tensor:
        return ops.prod(self, dim=dim, keepdim=keepdim, **axis)

    def logsumexp(self, dim: Dim = None, keepdim: bool = False, **axis: Any) -> Tensor:
        return ops.logsumexp(self, dim=dim, keepdim=keepdim, **axis)

    def max(self, dim: Any = None, keepdim: bool = False, **axis: Any) -> Any:
        return ops.max(self, dim=dim, keepdim=keepdim, **axis)

    def min(self, dim: Any = None, keepdim: bool = False, **axis: Any) -> Any:
        return ops.min(self, dim=dim, keepdim=keepdim, **axis)

    def var(
        self, dim: Dim = None, correction: float = 1, keepdim: bool = False, **axis: Any
    ) -> Tensor:
        return ops.var(self, dim=dim, correction=correction, keepdim=keepdim, **axis)

    def std(
        self, dim: Dim = None, correction: float = 1, keepdim: bool = False, **axis: Any
    ) -> Tensor:
        return ops.std(self, dim=dim, correction=correction, keepdim=keepdim, **axis)

    def argmax(self, dim: int | None = None, keepdim: bool = False, **axis: Any) -> Tensor:
        return ops.argmax(self, dim=dim, keepdim=keepdim, **axis)

    def argmin(self, dim: int | None = None, keepdim: bool = False, **axis: Any) -> Tensor:
        return ops.argmin(self, dim=dim, keepdim=keepdim, **axis)

    def norm(self, p: float = 2, dim: Dim = None, keepdim: bool = False, **axis: Any) -> Tensor:
        return ops.norm(self, p=p, dim=dim, keepdim=keepdim, **axis)

    def softmax(self, dim: int = -1) -> Tensor:
        return ops.softmax(self, dim=dim)

    def log_softmax(self, dim: int = -1) -> Tensor:
        return ops.log_softmax(self, dim=dim)

    def cumsum(self, dim: int) -> Tensor:
        return ops.cumsum(self, dim=dim)

    def sort(self, dim: int = -1, descending: bool = False) -> Any:
        return ops.sort(self, dim, descending)

    def argsort(self, dim: int = -1, descending: bool = False) -> Tensor:
        return ops.argsort(self, dim=dim, descending=descending)

    def clip(self, min: Any = None, max: Any = None) -> Tensor:
        return ops.clip(self, min=min, max=max)

    def where(self, condition: Any, other: Any) -> Tensor:
        return ops.where(condition, self, other)

    def maximum(self, other: Any) -> Tensor:
        return ops.maximum(self, other)

    def minimum(self, other: Any) -> Tensor:
        return ops.minimum(self, other)

    def add(self, other: Any) -> Tensor:
        return ops.add(self, other)

    def subtract(self, other: Any) -> Tensor:
        return ops.subtract(self, other)

    def multiply(self, other: Any) -> Tensor:
        return ops.multiply(self, other)

    def divide(self, other: Any) -> Tensor:
        return ops.divide(self, other)

    def matmul(self, other: Any) -> Tensor:
        return ops.matmul(self, other)

    def power(self, exponent: Any) -> Tensor:
        return ops.power(self, exponent)

    def negative(self) -> Tensor:
        return ops.negative(self)

    def take(self, index: Any, dim: int | None = None) -> Tensor:
        return ops.take(self, index, dim)

    def take_along_axis(self, indices: Any, dim: int = -1) -> Tensor:
        return ops.take_along_axis(self, indices, dim=dim)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        return ops.transpose(self, dim0, dim1)

    def squeeze(self, dim: int | Shape | None = None) -> Tensor:
        return ops.squeeze(self, dim)

    def unsqueeze(self, dim: int) -> Tensor:
        return ops.unsqueeze(self, dim)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        return ops.flatten(self, start_dim, end_dim)

    def split(
        self, split_size_or_sections: int | Sequence[int], dim: int = 0
    ) -> tuple[Tensor, ...]:
        return ops.split(self, split_size_or_sections, dim)

    def pad(self, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Tensor:
        return ops.pad(self, pad, mode, value)

    # Shape ----------------------------------------------------------------------------------------

    def reshape(self, *shape: Any) -> Tensor:
        return ops.reshape(self, shape=sizes(shape))

    view = reshape

    def permute(self, *dims: Any) -> Tensor:
        return ops.permute(self, dims=sizes(dims))

    def broadcast_to(self, *shape: Any) -> Tensor:
        return ops.broadcast_to(self, shape=sizes(shape))

    def expand(self, *size: Any) -> Tensor:
        return ops.expand(self, *size)

    def flip(self, *dims: Any) -> Tensor:
        return ops.flip(self, dims=sizes(dims))

    def astype(self, dtype: DType) -> Tensor:
        """The values as another dtype."""
        return ops.cast(self, dtype=np.dtype(dtype))

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return ops.permute(self, dims=tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return ops.transpose(self, -1, -2)
