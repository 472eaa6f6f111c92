"""The cotangents that pass through one call of a module, for its backward hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrograd import ops
from retrograd.autodiff.hooks import Handle
from retrograd.tensor import Tensor

__all__ = ["WatchedCall"]


class WatchedCall:
    """One call of a module: what comes in and goes out, marked so that cotangents are seen.

    Inputs and outputs go through an identity of their own, since a tensor that comes in may be used
    elsewhere too. The cotangents of the outputs arrive first; when those of all inputs have arrived
    (at once where none needs one) the hooks are called.
    """

    def __init__(self, module: Any, handles: Sequence[Handle]) -> None:
        self.module = module
        self.handles = handles
        self.grad_input: list[Tensor | None] = []
        self.grad_output: list[Tensor | None] = []
        self.awaited = 0
        self.arrived = 0

    def into(self, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs, marked."""
        marked = []
        for each in inputs:
            if isinstance(each, Tensor):
                position = len(self.grad_input)
                self.grad_input.append(None)
                if each.requires_grad:
                    self.awaited += 1
                    each = ops.clone(each)
                    each.register_hook(self._arrival(position))
            marked.append(each)
        return tuple(marked)

    def out(self, output: Any) -> Any:
        """The outputs, a tensor or a tuple or list of some, marked."""
        several = isinstance(output, tuple | list)
        outputs = list(output) if several else [output]
        for position, each in enumerate(outputs):
            self.grad_output.append(None)
            if isinstance(each, Tensor) and each.requires_grad:
                outputs[position] = each = ops.clone(each)
                each.register_hook(self._departure(position))
        return type(output)(outputs) if several else outputs[0]

    def _departure(self, position: int) -> Any:
        def seen(gradient: Tensor) -> None:
            self.grad_output[position] = gradient
            if not self.awaited:
                self._tell()

        return seen

    def _arrival(self, position: int) -> Any:
        def seen(gradient: Tensor) -> Tensor | None:
            self.grad_input[position] = gradient
            self.arrived += 1
            if self.arrived < self.awaited:
                return None
            self.arrived = 0
            new = self._tell()
            return new if len(self.grad_input) == 1 else None

        return seen

    def _tell(self) -> Tensor | None:
        """Call the hooks; the cotangent that they put in the place of the only input's, if any."""
        grads = tuple(self.grad_input)
        for handle in self.handles:
            new = handle.hook(self.module, grads, tuple(self.grad_output))
            if new is not None:
                grads = new if isinstance(new, tuple) else (new,)
        return grads[0] if grads else None
