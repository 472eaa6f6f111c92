"""Hooks into the engine: one stack of listeners, which nests and restores itself.

    with hooks(operation=note, module=look):
        step(x, y)

Each event is reported to every listener, the outermost first. Operations inside a hook are not
reported. A compiled step is retraced under different listeners, which are called while it is
traced, with tracers as values.

Hooks on one tensor (`Tensor.register_hook`) or one module (`Module.register_forward_hook`) belong
to that tensor or module, not to the stack: their operations are part of the step and are reported.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

__all__ = ["Handle", "Listener", "handed_on", "hooks", "moved"]

Hook = Callable[..., Any]


class Listener(NamedTuple):
    """The hooks of one listener, by event; None ignores an event.

    What `operation` and `module` return replaces the output, unless it is None.
    """

    operation: Hook | None = None  # (primitive, operands, attributes, output), after it has run
    enter: Hook | None = None  # (module), before its forward
    module: Hook | None = None  # (module, inputs, output), after its forward
    backward: Hook | None = None  # (tensor), before the walk from it
    pull: Hook | None = None  # (node, cotangent, [(edge, cotangent), ...]), after its rules
    clip: Hook | None = None  # (parameters, squares or None, factor or None, limit), before it
    update: Hook | None = None  # (optimizer, parameter, gradient, weight), after it
    step: Hook | None = None  # (optimizer), after all its updates
    ran: Hook | None = None  # (steps), after a compiled step or `over` several
    eager: bool = False  # compiled steps run eagerly meanwhile
    unrolls: bool = True  # `module` is told of each block of a compiled `Repeat`


class Hooks(threading.local):
    """The listeners of this thread."""

    active: tuple[Listener, ...] = ()

    @contextmanager
    def __call__(self, **events: Any) -> Iterator[None]:
        """Add a listener within the block; see `Listener` for the events."""
        with self._only((*self.active, Listener(**events))):
            yield

    def muted(self) -> Any:
        """Suspend all listeners within the block."""
        return self._only(())

    @contextmanager
    def _only(self, listeners: tuple[Listener, ...]) -> Iterator[None]:
        before, self.active = self.active, listeners
        try:
            yield
        finally:
            self.active = before

    @property
    def eager(self) -> bool:
        """Whether a listener needs compiled steps to run eagerly."""
        return bool(self.active) and any(each.eager for each in self.active)

    @property
    def unrolls(self) -> bool:
        """Whether a listener needs to see each block of a `Repeat`."""
        return any(each.unrolls and each.module is not None for each in self.active)

    def tell(self, event: str, *facts: Any) -> None:
        """Report an event to every listener."""
        self._told(event, facts, ())

    def passed(self, event: str, output: Any, *facts: Any) -> Any:
        """`output` after the listeners to an event, each given the result of the one before."""
        return self._told(event, facts, (output,))

    def _told(self, event: str, facts: tuple[Any, ...], output: tuple[Any, ...]) -> Any:
        # Not `_only`: a recorder hears of every compiled step, which may take only 20 µs.
        listeners, self.active = self.active, ()
        try:
            for listener in listeners:
                hook = getattr(listener, event)
                if hook is not None:
                    new = hook(*facts, *output)
                    if output and new is not None:
                        output = (new,)
        finally:
            self.active = listeners
        return output[0] if output else None


hooks = Hooks()


class Handle:
    """A handle to remove a hook on one tensor or module."""

    def __init__(self, hook: Hook, owner: Any, attribute: str) -> None:
        self.hook = hook
        # Weak, because the owner holds its handles.
        self.owner = weakref.ref(owner)
        self._attribute = attribute
        setattr(owner, attribute, (*getattr(owner, attribute), self))

    def remove(self) -> None:
        """Remove the hook; does nothing if it is already removed."""
        owner = self.owner()
        if owner is not None:
            left = tuple(each for each in getattr(owner, self._attribute) if each is not self)
            setattr(owner, self._attribute, left)


def moved(handles: tuple[Handle, ...], owner: Any) -> tuple[Handle, ...]:
    """The same handles, for an owner that replaces the former."""
    for handle in handles:
        handle.owner = weakref.ref(owner)
    return handles


def handed_on(handles: tuple[Handle, ...], gradient: Any) -> Any:
    """A gradient after the hooks on its tensor, each given the result of the one before."""
    for handle in handles:
        new = handle.hook(gradient)
        if new is None:
            continue
        if getattr(new, "shape", None) != gradient.shape or not isinstance(new, type(gradient)):
            found = f"{type(new).__name__} of shape {getattr(new, 'shape', None)}"
            raise ValueError(
                "register_hook: a hook returns None or a tensor of the gradient's shape "
                f"{gradient.shape}; found {found}"
            )
        gradient = new if new.dtype == gradient.dtype else new._cast(gradient.dtype)
    return gradient
