"""`Tensor`: an array that remembers how it was computed. Its methods are the operations by name."""

from __future__ import annotations

import copy
import operator
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from retrograd import ops
from retrograd.arrays import Array, DType, as_array, is_traced, namespace, state
from retrograd.autodiff import tape
from retrograd.autodiff.tape import Leaf, Node, backpropagate
from retrograd.ops.reduce import Dim
from retrograd.ops.shape import Shape
from retrograd.traced import refuse_number

__all__ = ["Tensor"]


class Tensor:
    """Numbers of one dtype in a shape, with a gradient if asked for.

    `Tensor([1.0, 2.0], requires_grad=True)` makes a leaf: after `loss.backward()` its `.grad` holds
    d loss / d leaf, of the same shape and dtype. Python floats become float32; arrays keep their
    dtype. `data` is the array itself, NumPy's or JAX's.

    Raises TypeError for values that are not real numbers, and for integers that require a gradient.
    """

    __slots__ = ("__weakref__", "_node", "data", "grad")

    __array_ufunc__ = None  # so that `ndarray * tensor` asks the tensor
    __hash__ = object.__hash__

    data: Array
    grad: Tensor | None
    _node: Node | None

    def __init__(
        self, values: Any, requires_grad: bool = False, dtype: DType | None = None
    ) -> None:
        if isinstance(values, Tensor):
            values = values.data
        self.data = as_array(values, dtype)
        self.grad = None
        self._node = None
        if requires_grad:
            self.requires_grad = True

    @classmethod
    def _wrap(cls, array: Array, node: Node | None) -> Tensor:
        """A tensor around `array` as it is, linked to the node that computed it."""
        tensor = Tensor.__new__(Tensor)
        tensor.data = array
        tensor.grad = None
        tensor._node = node
        return tensor

    # What it is -----------------------------------------------------------------------------------

    @property
    def shape(self) -> Shape:
        return self.data.shape

    @property
    def dtype(self) -> DType:
        return self.data.dtype

    @property
    def ndim(self) -> int:
        return self.data.ndim

    def dim(self) -> int:
        """The number of axes."""
        return self.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the size of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def numel(self) -> int:
        """The number of elements."""
        return self.data.size

    @property
    def requires_grad(self) -> bool:
        """Whether a gradient flows to or through this tensor; may be set on leaves."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self._node is not None and not self.is_leaf:
            raise RuntimeError("requires_grad can be set on leaves only; use .detach() instead")
        if not wanted:
            self._node = None
        elif self._node is None:
            if self.dtype.kind not in "fV":
                raise TypeError(
                    f"only floating-point tensors can require a gradient; this one holds "
                    f"{self.dtype} values: pass floats, or dtype='float32'"
                )
            self._node = Leaf(self, self.shape, self.dtype)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` in place and return the tensor."""
        self.requires_grad = requires_grad
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether it was made by hand rather than computed from tensors that require a gradient."""
        return self._node is None or type(self._node) is Leaf

    # The backward pass ----------------------------------------------------------------------------

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Propagate back from this tensor, adding d self / d leaf to every leaf's `.grad`.

        `gradient`, of this tensor's shape, is the cotangent to start from: 1 by default, which
        needs a single number. `create_graph` records the walk, for gradients of gradients;
        `retain_graph` (by default as `create_graph`) keeps the graph for a second walk.

        Raises RuntimeError if nothing was recorded or a cotangent is needed, ValueError if the
        cotangent has another shape.
        """
        if self._node is None:
            raise RuntimeError(
                "backward: no gradient was recorded for this tensor; it does not depend on any "
                "tensor with requires_grad=True, or it was computed under no_grad()"
            )
        start = self._cotangent(gradient)
        leaves = backpropagate(
            [(self._node, start)],
            create_graph=create_graph,
            retain_graph=create_graph if retain_graph is None else retain_graph,
        )
        with tape.recording(create_graph):
            for node, cotangent in leaves.items():
                leaf = node.tensor() if isinstance(node, Leaf) else None
                if leaf is not None:
                    if state.trace is not None:
                        state.trace.check_leaf(leaf, node)
                    before = leaf.grad
                    # A tensor of its own: in a + b one cotangent reaches both leaves.
                    leaf.grad = (
                        Tensor._wrap(cotangent.data, cotangent._node)
                        if before is None
                        else before + cotangent
                    )

    def _cotangent(self, gradient: Any) -> Tensor:
        if gradient is None:
            if self.numel() != 1:
                raise RuntimeError(
                    f"backward: this tensor has shape {self.shape}, and only a single number has a "
                    "gradient by itself; reduce it (.sum(), .mean()) or pass gradient=, a tensor "
                    f"of shape {self.shape}"
                )
            return Tensor._wrap(namespace(self.data).ones(self.shape, self.dtype), None)
        gradient = gradient if isinstance(gradient, Tensor) else Tensor(gradient)
        if gradient.shape != self.shape:
            raise ValueError(
                f"backward: gradient has shape {gradient.shape}, expected this tensor's shape "
                f"{self.shape}"
            )
        return gradient

    def detach(self) -> Tensor:
        """The same values, cut off from the graph."""
        return Tensor._wrap(self.data, None)

    def _sum_to(self, shape: Shape) -> Tensor:
        """Undo a broadcast: sum over the axes that `shape` lacks or has with size 1."""
        extra = self.ndim - len(shape)
        rest = self.shape[max(extra, 0) :]
        if extra < 0 or any(n not in (1, m) for n, m in zip(shape, rest, strict=True)):
            raise ValueError(
                f"a rule returned a cotangent of shape {self.shape} for an operand of shape {shape}"
            )
        folded = tuple(range(extra)) + tuple(
            i + extra for i, n in enumerate(shape) if n == 1 and self.shape[i + extra] != 1
        )
        total = ops.sum(self, dim=folded, keepdim=False)
        return total if total.shape == shape else ops.reshape(total, shape=shape)

    def _cast(self, dtype: DType) -> Tensor:
        return ops.cast(self, dtype=dtype)

    # Out to Python --------------------------------------------------------------------------------

    def item(self) -> Any:
        """The one element as a Python number."""
        self._must_be_known("item()")
        return self.data.item()

    def numpy(self) -> np.ndarray[Any, Any]:
        """The values as a NumPy array, without a copy where that is possible."""
        self._must_be_known("numpy()")
        return np.asarray(self.data)

    def tolist(self) -> Any:
        """The values as nested lists."""
        return self.numpy().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        self._must_be_known("np.asarray()")
        return np.array(self.data, dtype, copy=copy)

    def __float__(self) -> float:
        self._must_be_known("float()")
        return float(self.data.item())

    def __int__(self) -> int:
        self._must_be_known("int()")
        return int(self.data.item())

    def __index__(self) -> int:
        self._must_be_known("an index")
        return operator.index(self.data.item())

    def __bool__(self) -> bool:
        self._must_be_known("if, while, and, or, not")
        return bool(self.data)

    def _must_be_known(self, what: str) -> None:
        if is_traced(self.data):
            refuse_number(what, self.data)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a tensor of a single number has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        if is_traced(self.data):
            return f"Tensor(shape={self.shape}, dtype={self.dtype}, inside a compiled step)"
        name = self._title
        values = np.array2string(np.asarray(self.data), separator=", ", prefix=f"{name}(")
        notes = "" if self.dtype == np.float32 else f", dtype={self.dtype}"
        if self._node is not None:
            notes += ", requires_grad=True"
        return f"{name}({values}{notes})"

    @property
    def _title(self) -> str:
        return "Tensor"

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        """A leaf with an array, a gradient and a place in the graph of its own.

        Raises RuntimeError for a tensor that was computed; detach it first.
        """
        if not self.is_leaf:
            raise RuntimeError("only leaves can be deep-copied; use .detach() first")
        twin = type(self)(namespace(self.data).array(self.data), self.requires_grad)
        twin.grad = copy.deepcopy(self.grad, memo)
        return twin

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            "a tensor is not changed in place, since its graph would no longer be true; build a "
            "new one with where(condition, a, b) or concatenate"
        )

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
        return ops.equal(self, other)

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
        return ops.logical_and(self, other)

    def __or__(self, other: Any) -> Tensor:
        return ops.logical_or(self, other)

    def __rand__(self, other: Any) -> Tensor:
        return ops.logical_and(other, self)

    def __ror__(self, other: Any) -> Tensor:
        return ops.logical_or(other, self)

    def __invert__(self) -> Tensor:
        return ops.logical_not(self)

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

    def max(self, dim: int | None = None, keepdim: bool = False, **axis: Any) -> Any:
        return ops.max(self, dim=dim, keepdim=keepdim, **axis)

    def min(self, dim: int | None = None, keepdim: bool = False, **axis: Any) -> Any:
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

    def clip(self, min: float | None = None, max: float | None = None) -> Tensor:
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
        return ops.reshape(self, shape=_shape(shape))

    view = reshape

    def permute(self, *dims: Any) -> Tensor:
        return ops.permute(self, dims=_shape(dims))

    def broadcast_to(self, *shape: Any) -> Tensor:
        return ops.broadcast_to(self, shape=_shape(shape))

    def expand(self, *sizes: Any) -> Tensor:
        return ops.expand(self, *sizes)

    def flip(self, *dims: Any) -> Tensor:
        return ops.flip(self, dims=_shape(dims))

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


def _shape(sizes: tuple[Any, ...]) -> Any:
    """Sizes given one by one or as one sequence."""
    return tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes


tape.register_tensor(Tensor)
