"""Finds what a function reads and writes by running it once on tracers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, NoReturn

from retrograd.arrays import Array, state
from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.tape import Node
from retrograd.compiler.refusals import refuse_number
from retrograd.errors import TraceError
from retrograd.tensor import Tensor
from retrograd.variable import Parameter, Variable

__all__ = ["Guard", "Trace", "tracing"]


class Trace:
    """What one run of a function reads and writes, and the Variables' values during it."""

    def __init__(
        self, arrays: dict[Variable, Array], grads: dict[Variable, Array], looped: bool = False
    ) -> None:
        self.looped = looped  # the function is one step of many in a loop
        self.arrays = dict(arrays)
        self.grads: dict[Variable, Tensor | None] = {
            variable: Tensor._wrap(array, None) for variable, array in grads.items()
        }
        self.grads_read = dict.fromkeys(grads)
        self.written: dict[Variable, None] = {}  # in the order of writing
        self.grads_written: dict[Variable, None] = {}
        self.grads_spent: dict[Variable, None] = {}
        self.guards: dict[tuple[int, str], Guard] = {}
        self.guard(hooks, "active", hooks.active)
        self.watched: Any = None
        self.start = Node((), (), None).order

    def read(self, variable: Variable) -> Array:
        array = self.arrays.get(variable)
        if array is None:
            import jax.numpy

            # Not an input yet. Continue with the value itself to find what else is read; `Compiled`
            # then traces again with this Variable as an input.
            array = self.arrays[variable] = jax.numpy.asarray(variable.settled())
        if type(variable) is Parameter:
            self.guard(variable, "_hooks", variable._hooks)
        return array

    def write(self, variable: Variable, array: Array) -> None:
        held = variable.held
        if held is None:
            raise TraceError(
                f"a {type(variable).__name__} outlives the step that makes it: make it before the "
                "compiled step, or use a Tensor for a value that ends with the step"
            )
        if (array.shape, array.dtype) != (held.shape, held.dtype):
            raise TraceError(
                f"a compiled step must leave a {type(variable).__name__} its shape and dtype: it "
                f"held {held.dtype}{list(held.shape)}, and {array.dtype}{list(array.shape)} was "
                "assigned to it"
            )
        self.read(variable)  # an input too: its buffer is the one that the new array takes over
        self.arrays[variable] = array
        self.written[variable] = None

    def read_grad(self, variable: Variable) -> Tensor | None:
        if variable not in self.grads:
            grad = variable.accumulated
            self.guard(variable, "has_grad", grad is not None)
            if grad is not None:
                self.grads_read[variable] = None
            self.grads[variable] = None if grad is None else grad.detach()
        return self.grads[variable]

    def write_grad(self, variable: Variable, grad: Tensor | None) -> None:
        self.grads[variable] = grad
        self.grads_written[variable] = None
        self.grads_spent.pop(variable, None)

    def spend_grad(self, variable: Variable) -> None:
        """Note that an optimizer has used the gradient."""
        self.grads_spent[variable] = None

    @contextmanager
    def gradients_apart(self) -> Iterator[dict[Variable, Tensor | None]]:
        """Take back what a block does to gradients; the dict has what each became in the end."""
        before = self.grads, self.grads_written, self.grads_spent
        self.grads, self.grads_written, self.grads_spent = dict(self.grads), {}, dict(before[2])
        changed: dict[Variable, Tensor | None] = {}
        try:
            yield changed
            changed.update((variable, self.grads[variable]) for variable in self.grads_written)
        finally:
            self.grads, self.grads_written, self.grads_spent = before

    def check_leaf(self, leaf: Tensor, node: Node) -> None:
        """Refuse a gradient for a tensor outside the step, which cannot receive a value."""
        if not isinstance(leaf, Variable) and node.order < self.start:
            raise TraceError(
                f"backward reaches a tensor of shape {leaf.shape} that was made outside the "
                "compiled step and requires a gradient: make it a Parameter, whose .grad the step "
                "hands out"
            )

    def refuse(self, what: str, array: Array) -> NoReturn:
        """Raise TraceError for `what`, which needs the value of a traced array."""
        refuse_number(what, array)

    def called(self, module: Any, counted: Any) -> None:
        """Note that a module is called, whose attributes the program is traced for."""
        if self.watched is not None:
            self.watched.called(module, counted)

    def guard(self, owner: Any, attribute: str, value: Any) -> None:
        self.guards[id(owner), attribute] = Guard(owner, attribute, value)


class Guard(NamedTuple):
    """A Python value that a program was traced for."""

    owner: Any
    attribute: str
    value: Any


@contextmanager
def tracing(trace: Trace) -> Iterator[None]:
    """Route every Variable through `trace`; on exit, even by an error, all are restored."""
    before = state.trace
    state.trace = trace
    try:
        yield
    finally:
        state.trace = before
