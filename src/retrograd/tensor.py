"""`Tensor`: an array that remembers how it was computed. Its methods are the operations by name."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

from retrograd import ops
from retrograd.arrays import Array, DType, as_array, is_traced, namespace, state
from retrograd.autodiff import tape
from retrograd.autodiff.hooks import Handle, hooks
from retrograd.autodiff.tape import Leaf, Node, backpropagate
from retrograd.methods import TensorMethods
from retrograd.ops.shapes.shape import Shape

__all__ = ["Tensor"]


class Tensor(TensorMethods):
    """An array of numbers, with a gradient if requested.

    `Tensor([1.0, 2.0], requires_grad=True)` makes a leaf: after `loss.backward()` its `.grad` holds
    d loss / d leaf, of the same shape and dtype. Python floats become float32; arrays keep their
    dtype and are copied, so that a buffer may be refilled. `data` is the array itself, NumPy's or
    JAX's.

    Raises TypeError for values that are not real numbers, and for integers that require a gradient.
    """

    __slots__ = ("__weakref__", "_node", "data", "grad")

    __array_ufunc__ = None  # so that `ndarray * tensor` asks the tensor
    __hash__ = object.__hash__

    _outlives = False  # whether it is a Variable, whose contents change from step to step

    data: Array
    grad: Tensor | None
    _node: Node | None

    def __init__(
        self, values: Any, requires_grad: bool = False, dtype: DType | None = None
    ) -> None:
        if isinstance(values, Tensor):
            values = values.data
        elif type(requires_grad) is int:  # the sizes of a tensor, in PyTorch
            raise TypeError(
                f"Tensor takes values, as Tensor([1.0, 2.0]); found Tensor({values}, "
                f"{requires_grad}, ...): for a shape use rg.zeros(shape)"
            )
        elif type(values) is np.ndarray and dtype is None and values.flags.writeable:
            values = values.copy(order="K")  # the caller may refill it before `backward`
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

    @staticmethod
    def _gathered(values: Any) -> Any:
        """Lists and tuples of tensors as one tensor, to which their gradients flow."""
        if isinstance(values, list | tuple):
            return ops.stack([Tensor._gathered(each) for each in values])
        return values

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
        """Whether it was created directly, not computed from tensors that require a gradient."""
        return self._node is None or type(self._node) is Leaf

    # The backward pass ----------------------------------------------------------------------------

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        """Propagate back from this tensor, adding d self / d leaf to every leaf's `.grad`.

        `gradient`, of this tensor's shape, is the cotangent to start from: 1 by default, which
        needs a single number. `create_graph` records the walk, for gradients of gradients;
        `retain_graph` (by default as `create_graph`) keeps the graph for a second walk.

        Raises RuntimeError if nothing was recorded or a cotangent is missing, ValueError if the
        cotangent has another shape.
        """
        if self._node is None:
            raise RuntimeError(_UNRECORDED)
        start = self._cotangent(gradient)
        if hooks.active:
            hooks.tell("backward", self)
        retain_graph = create_graph if retain_graph is None else retain_graph
        found = backpropagate(
            [(self._node, start)], create_graph=create_graph, retain_graph=retain_graph
        )
        with tape.recording(create_graph):
            for node, cotangent in found.items():
                leaf = node.tensor() if isinstance(node, Leaf) else None
                if leaf is None:
                    continue
                if state.trace is not None:
                    state.trace.check_leaf(leaf, node)
                before = leaf.grad
                # A tensor of its own: in a + b one cotangent reaches both leaves.
                new = Tensor._wrap(cotangent.data, cotangent._node)
                leaf.grad = new if before is None else before + cotangent

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

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Handle:
        """Call `hook(gradient)` in each backward pass that reaches this tensor.

        The gradient is the pass's complete gradient, before a leaf adds it to `.grad`. The hook's
        return value replaces it, unless it is None; a second hook receives what the first returned.
        `.remove()` on the result removes the hook, as does setting `requires_grad` to False.

        Within a compiled step the hook runs during tracing: what it computes and returns is part of
        the step; what it does in Python happens once. A step is retraced when a Parameter's hooks
        have changed.

        Raises RuntimeError if no gradient flows here, ValueError in the backward pass if the hook
        returns anything but None or a tensor of the gradient's shape.
        """
        if self._node is None:
            raise RuntimeError("register_hook: this tensor does not require a gradient")
        return Handle(hook, self._node, "hooks")

    @property
    def _hooks(self) -> tuple[Handle, ...] | None:
        """The hooks on this gradient; None if none flows. A compiled step needs both at once."""
        return None if self._node is None else self._node.hooks

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

    def __array_function__(
        self, function: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """NumPy's function of the values; raises RuntimeError if a gradient would be lost there."""
        name = function.__name__
        values = name not in _ABOUT_SHAPES

        def array(value: Any) -> Any:
            if isinstance(value, Tensor):
                if values and value.requires_grad:
                    other = f"use rg.{name}, or " if hasattr(ops, name) else ""
                    raise RuntimeError(
                        f"no gradient flows through np.{name}, and this tensor of shape "
                        f"{tuple(value.shape)} requires one: {other}pass x.detach()"
                    )
                return (
                    value.numpy()
                    if values
                    else np.broadcast_to(np.zeros((), value.dtype), value.shape)
                )
            if isinstance(value, list | tuple):
                return type(value)(map(array, value))
            return value

        return function(*map(array, args), **{key: array(value) for key, value in kwargs.items()})

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
        # Within someone else's JAX step, JAX itself raises.
        if state.trace is not None and is_traced(self.data):
            state.trace.refuse(what, self.data)

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

    def __reduce__(self) -> Any:
        """What `pickle` keeps of a leaf: its kind, values, gradient, and whether it requires one.

        Raises RuntimeError for a tensor that was computed; detach it first.
        """
        if not self.is_leaf:
            raise RuntimeError("only leaves can be pickled; use .detach() first")
        return _restored, (self._kept_as, self.numpy(), self.requires_grad, self.grad)

    @property
    def _kept_as(self) -> type[Tensor]:
        """The class of what is read from a pickle."""
        return Tensor

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            "a tensor cannot be changed in place, because its graph would become wrong; build a "
            "new one with where(condition, a, b) or concatenate"
        )


def _restored(kind: type[Tensor], array: Array, requires_grad: bool, grad: Any) -> Tensor:
    tensor = kind(array, requires_grad)
    tensor.grad = grad
    return tensor


_UNRECORDED = (
    "backward: no gradient was recorded for this tensor; it does not depend on any tensor with "
    "requires_grad=True, or it was computed under no_grad()"
)

# NumPy's functions that do not look at the values.
_ABOUT_SHAPES = frozenset(
    {"empty_like", "full_like", "ndim", "ones_like", "result_type", "shape", "size", "zeros_like"}
)


tape.register_tensor(Tensor)
