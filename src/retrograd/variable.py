"""Variables: tensors whose array outlives a step. Their kinds are types.

They are the only state that a compiled step carries: while one is traced, reading and writing a
Variable's `data` or `grad` goes through the trace, which learns from it what the step reads and
writes.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from retrograd.arrays import Array, DType, is_jax, state
from retrograd.autodiff.tape import Leaf
from retrograd.tensor import Tensor

__all__ = ["Buffer", "Held", "Key", "Parameter", "Slot", "Variable", "exchange"]

# Held while a compiled step takes the arrays of Variables and puts new ones back, and while someone
# looks at one: in between the memory is the step's, in whichever thread it runs.
exchange = threading.RLock()


class Parcel:
    """A slice of a `compiler.pack.Pack`, held by a Variable whose values travel with others'."""

    __slots__ = ("dtype", "pack", "shape", "size", "start")

    def __init__(self, pack: Any, start: int, shape: tuple[int, ...], dtype: DType) -> None:
        self.pack = pack
        self.start = start
        self.shape = shape
        self.dtype = dtype
        self.size = math.prod(shape)

    def cut(self, array: Array) -> Array:
        """This parcel's values out of the packed array."""
        return array[self.start : self.start + self.size].reshape(self.shape)


class Held(Tensor):
    """A tensor whose array a compiled step left behind: eager code on a CPU sees it as NumPy's."""

    __slots__ = ("_held", "_view")

    _held: Array
    _view: Array | None

    @property
    def data(self) -> Array:
        """The array where the last engine left it; on a CPU, a NumPy view of it, uncopied."""
        return self.settled()

    @data.setter
    def data(self, array: Array) -> None:
        self._held = array
        self._view = None

    @property
    def held(self) -> Array | Parcel:
        """What the last engine left, as it left it."""
        return self._held

    def settled(self) -> Array:
        """The array as eager code sees it, even while a step is traced."""
        held = self._held
        if type(held) is np.ndarray:
            return held
        with exchange:
            held = self._held  # another one, if a step in another thread has just ended
            if type(held) is Parcel:
                return held.cut(held.pack.view())
            if self._view is None:
                # The JAX array stays beside its view, so that the next compiled step takes it
                # directly. JAX does not reuse the memory of an array that has a view, so the view
                # stays valid.
                on_cpu = is_jax(held) and all(each.platform == "cpu" for each in held.devices())
                self._view = np.asarray(held) if on_cpu else held
            return self._view

    def _is_shared(self) -> bool:
        return False  # what changes is which array this place holds

    @classmethod
    def of(cls, array: Array) -> Held:
        """A tensor around an array that a compiled step computed."""
        tensor = Held.__new__(Held)
        tensor._held = array
        tensor._view = None
        tensor.grad = None
        tensor._node = None
        return tensor


class Variable(Held):
    """A place for an array that outlives a step; see its subclasses."""

    __slots__ = ("_grad",)

    _grad: Tensor | None
    _outlives = True

    def __init__(
        self, values: Any, requires_grad: bool = False, dtype: DType | None = None
    ) -> None:
        self._held = None
        self._node = None
        super().__init__(values, requires_grad, dtype)

    @property
    def data(self) -> Array:
        """The array; assign to it to change what the Variable holds."""
        if state.trace is not None:
            return state.trace.read(self)
        held = self._held
        return held if type(held) is np.ndarray else self.settled()

    @data.setter
    def data(self, array: Array) -> None:
        if state.trace is not None:
            state.trace.write(self, array)
            return
        # A copy of a JAX array: a compiled step reuses the memory of what a Variable holds.
        self.hold(array.copy() if is_jax(array) else array)
        node = self._node
        if type(node) is Leaf and (node.shape != array.shape or node.dtype != array.dtype):
            self._node = Leaf(self, array.shape, array.dtype)  # its gradient must match it

    # What a compiled step takes and leaves --------------------------------------------------------

    def hold(self, held: Array | Parcel) -> None:
        """Hold another array or parcel; the pack that had the values is no longer whole."""
        if type(self._held) is Parcel:
            self._held.pack.whole = False
        self._held = held
        self._view = None

    def to_donate(self) -> Array:
        """The array itself, for a step that reuses its memory."""
        if type(self._held) is Parcel:
            self.hold(self.settled())
        # On an accelerator the array that was read may still be in use.
        handed_out = self._view is self._held
        return self._held.copy() if handed_out else self._held

    def to_read(self) -> Array:
        """The array for a step that only reads it, transferred once and not at every call."""
        if type(self._held) is np.ndarray:
            import jax

            self.hold(jax.device_put(self._held))
        return self.settled() if type(self._held) is Parcel else self._held

    @property
    def accumulated(self) -> Tensor | None:
        """`grad` outside the step that is being traced."""
        return self._grad

    @property
    def has_grad(self) -> bool:
        return self._grad is not None

    def grad_to_read(self) -> Array | None:
        """The gradient's array for a step that reads it; None, which it refuses, if it is gone."""
        grad = self._grad
        if grad is None:
            return None
        return grad.held if isinstance(grad, Held) else grad.data

    @property
    def _kept_as(self) -> type[Tensor]:
        return type(self)

    # The gradient ---------------------------------------------------------------------------------

    @property
    def grad(self) -> Tensor | None:
        """The sum of the backward passes' gradients since the last `zero_grad`."""
        return self._grad if state.trace is None else state.trace.read_grad(self)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if state.trace is not None:
            state.trace.write_grad(self, value)
        else:
            self._grad = value

    @property
    def _title(self) -> str:
        return type(self).__name__


class Parameter(Variable):
    """A weight: it requires a gradient, and an optimizer changes it."""

    __slots__ = ()

    def __init__(self, values: Any, requires_grad: bool = True, dtype: DType | None = None) -> None:
        super().__init__(values, requires_grad, dtype)


class Buffer(Variable):
    """Untrained state of a module, such as running statistics."""

    __slots__ = ()


class Slot(Variable):
    """An optimizer's state, such as a momentum."""

    __slots__ = ()


class Key(Variable):
    """The state of a stream of random numbers."""

    __slots__ = ()
