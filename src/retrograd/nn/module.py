"""`Module`: a function with parameters. Layers, losses and whole models are modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np

from retrograd.arrays import Array, DType, as_array, state
from retrograd.autodiff.hooks import Handle, hooks
from retrograd.nn.backward_hooks import WatchedCall
from retrograd.nn.casts import Casts
from retrograd.nn.members import Members
from retrograd.nn.summary import describe
from retrograd.variable import Buffer, Parameter, Variable

__all__ = ["IncompatibleKeys", "Module", "Place", "evaluating"]

Kind = TypeVar("Kind")


class Place(Protocol):
    """Where one array of a state is kept: a Variable, or a part of one."""

    data: Array

    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dtype(self) -> DType: ...


class IncompatibleKeys(NamedTuple):
    """The names that `load_state_dict(strict=False)` ignored."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def _no_forward(self: Module, *inputs: Any, **options: Any) -> Any:
    raise NotImplementedError(
        f"{type(self).__name__} has no forward(): define `def forward(self, x): ...` in it"
    )


class Module(Members, Casts):
    """A function with parameters: `forward` is written in a subclass, calling the module runs it.

    Parameters, Buffers and Modules that are assigned to attributes belong to the module, under the
    attribute's name:

        class Shift(nn.Module):
            def __init__(self, size):
                super().__init__()
                self.bias = rg.Parameter(np.zeros(size, np.float32))

            def forward(self, x):
                return x + self.bias

    Raises AttributeError if they are assigned before `super().__init__()`; TypeError if they are
    assigned inside a plain list or dict, where nothing would find them, or if a plain tensor takes
    a Parameter's place.
    """

    forward: Callable[..., Any] = _no_forward

    edits = 0  # how often an attribute of a module was assigned; compiled steps look at it
    _any_hooks = False  # whether a module of the process has ever had a hook
    _pre_hooks: tuple[Handle, ...] = ()
    _post_hooks: tuple[Handle, ...] = ()
    _backward_hooks: tuple[Handle, ...] = ()

    def __init__(self) -> None:
        self._training = True

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        if hooks.active:
            hooks.tell("enter", self)
        if state.trace is not None:
            state.trace.guard(Module, "_any_hooks", Module._any_hooks)
            state.trace.called(self, Module)
        forward = self._hooked if Module._any_hooks else self.forward
        output = forward(*inputs, **options)
        return hooks.passed("module", output, self, inputs) if hooks.active else output

    def _hooked(self, *inputs: Any, **options: Any) -> Any:
        """The forward between this module's own hooks."""
        if state.trace is not None:
            for attribute in ("_pre_hooks", "_post_hooks", "_backward_hooks"):
                state.trace.guard(self, attribute, getattr(self, attribute))
        for handle in self._pre_hooks:
            new = handle.hook(self, inputs)
            if new is not None:
                inputs = new if isinstance(new, tuple) else (new,)
        call = WatchedCall(self, self._backward_hooks) if self._backward_hooks else None
        output = self.forward(*(call.into(inputs) if call else inputs), **options)
        if call:
            output = call.out(output)
        for handle in self._post_hooks:
            new = handle.hook(self, inputs, output)
            if new is not None:
                output = new
        return output

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter | Buffer | Module):
            if "_training" not in vars(self):
                raise AttributeError(
                    f"{type(self).__name__}: call super().__init__() before assigning self.{name}"
                )
        elif isinstance(vars(self).get(name), Variable) and value is not None:
            raise TypeError(
                f"{type(self).__name__}.{name} is a {type(vars(self)[name]).__name__}, and a "
                f"{type(value).__name__} cannot take its place; assign new contents with "
                f"module.{name}.data = array"
            )
        elif _holds_modules(value):
            raise TypeError(
                f"{type(self).__name__}.{name}: modules in a plain {type(value).__name__} are not "
                "found by parameters(), so they would not be trained; wrap it in nn.ModuleList "
                "or nn.ModuleDict"
            )
        super().__setattr__(name, value)
        Module.edits += 1

    @property
    def training(self) -> bool:
        """Whether the module behaves as in training (dropout, batch statistics) or evaluation."""
        if state.trace is not None:
            state.trace.guard(self, "training", self._training)
        return self._training

    # What belongs to it ---------------------------------------------------------------------------

    def _own(self, kind: type[Kind]) -> list[tuple[str, Kind]]:
        """The attributes of one kind, in the order of their assignment."""
        return [(name, value) for name, value in vars(self).items() if isinstance(value, kind)]

    def _paths(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Every module with the path to it, as often as there are paths."""
        yield prefix, self
        for name, child in self._named_children():
            yield from child._paths(f"{prefix}.{name}" if prefix else name)

    def _members(self, kind: type[Kind], prefix: str, recurse: bool) -> Iterator[tuple[str, Kind]]:
        """The attributes of one kind here and below, each once, under the first path to it."""
        for path, module in self.named_modules(prefix) if recurse else [(prefix, self)]:
            yield from (
                (f"{path}.{name}" if path else name, value) for name, value in module._own(kind)
            )

    def named_parameters(
        self, prefix: str = "", recurse: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """`(name, parameter)` pairs, as `("0.weight", ...)`; a shared parameter comes once."""
        return _once(self._members(Parameter, prefix, recurse))

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Buffer]]:
        """`(name, buffer)` pairs; a shared buffer comes once."""
        return _once(self._members(Buffer, prefix, recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Buffer]:
        """The buffers, each once."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """`(path, module)` pairs: this module first, then all below it, each once."""
        return _once(self._paths(prefix))

    def modules(self) -> Iterator[Module]:
        """This module and all below it, each once."""
        return (module for _, module in self.named_modules())

    def _named_children(self) -> list[tuple[str, Module]]:
        """The modules directly below, under every name they have."""
        return self._own(Module)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """`(name, module)` pairs of the modules directly below, each once."""
        return _once(self._named_children())

    def children(self) -> Iterator[Module]:
        """The modules directly below, each once."""
        return (module for _, module in self.named_children())

    def add_module(self, name: str, module: Module) -> None:
        """Let `module` belong to this one as `name`.

        Raises ValueError for an empty name, one with a dot, or the name of another attribute.
        """
        if not name or "." in name:
            raise ValueError(f"a module's name must not be empty or contain a dot, found {name!r}")
        if hasattr(self, name) and not isinstance(vars(self).get(name), Module):
            raise ValueError(
                f"{type(self).__name__} has an attribute {name!r} already; choose another name"
            )
        if not isinstance(module, Module):
            raise TypeError(f"{name}: expected a Module, found {type(module).__name__}")
        setattr(self, name, module)

    # Hooks ----------------------------------------------------------------------------------------

    def register_forward_pre_hook(self, hook: Callable[[Module, tuple[Any, ...]], Any]) -> Handle:
        """Call `hook(module, inputs)` before each forward; see `register_forward_hook`.

        `inputs` are the positional arguments. What it returns takes their place, a tuple as all of
        them and anything else as the only one, unless it is None.
        """
        return self._register(hook, "_pre_hooks")

    def register_forward_hook(self, hook: Callable[[Module, tuple[Any, ...], Any], Any]) -> Handle:
        """Call `hook(module, inputs, output)` after each forward, until `.remove()` on the result.

        The hook's return value replaces the output, unless it is None; a second hook receives what
        the first returned. Hooks run when the module is called, not when its `forward` is.

        Within a compiled step a hook runs during tracing: what it computes and returns is part of
        the step; what it does in Python happens once (or a few times, because the step is traced
        until all its Variables are known). A step is retraced when the hooks of its modules have
        changed. The blocks of a compiled `Repeat` are one, whose hooks are part of its loop.
        """
        return self._register(hook, "_post_hooks")

    def register_full_backward_hook(self, hook: Callable[[Module, Any, Any], Any]) -> Handle:
        """Call `hook(module, grad_input, grad_output)` in each backward pass through the module.

        Both are tuples: the cotangents of the tensors among the positional inputs (None for one
        that needs none) and of the outputs. What the hook returns for a module with one input takes
        the place of its cotangent, unless it is None. In a compiled step, as forward hooks.
        """
        return self._register(hook, "_backward_hooks")

    def _register(self, hook: Callable[..., Any], attribute: str) -> Handle:
        Module._any_hooks = True
        return Handle(hook, self, attribute)

    # Its state ------------------------------------------------------------------------------------

    def _named_state(self, prefix: str = "") -> Iterator[tuple[str, Place]]:
        """Every parameter and buffer, under every name that leads to it."""
        yield from ((prefix + name, each) for name, each in self._own(Parameter))
        kept = (pair for pair in self._own(Buffer) if pair[0] not in self._transient)
        yield from ((prefix + name, each) for name, each in kept)
        for name, child in self._named_children():
            yield from child._named_state(f"{prefix}{name}.")

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """The parameters and buffers by name, copied into NumPy arrays.

        The names are PyTorch's. Unlike PyTorch's, the values are a snapshot that later steps do not
        change, and arrays, so that `safetensors.numpy.save_file` takes them as they are.
        """
        return {name: np.array(variable.data) for name, variable in self._named_state()}

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> IncompatibleKeys:
        """Set the parameters and buffers from tensors or arrays by name; dtypes are kept.

        With `strict=False`, names on one side only are ignored, and returned.

        Raises ValueError naming every missing and unexpected name and every shape that differs; in
        that case nothing is changed.
        """
        own = dict(self._named_state())
        missing = [name for name in own if name not in state_dict]
        unexpected = [name for name in state_dict if name not in own]
        arrays = {
            name: _array(name, state_dict[name], variable.dtype)
            for name, variable in own.items()
            if name in state_dict
        }
        problems = [
            f"{name} has shape {array.shape}, expected {own[name].shape}"
            for name, array in arrays.items()
            if array.shape != own[name].shape
        ]
        if strict and missing:
            problems.append(f"missing: {', '.join(missing)}")
        if strict and unexpected:
            problems.append(f"unexpected: {', '.join(map(str, unexpected))}")
        if problems:
            raise ValueError(
                f"load_state_dict: the state does not fit this {type(self).__name__}, which is "
                "left as it was:\n  " + "\n  ".join(problems)
            )
        for name, array in arrays.items():
            own[name].data = array
        return IncompatibleKeys(missing, unexpected)

    # Changing all of it ---------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Switch to training (or with False evaluation), here and below."""
        for module in self.modules():
            module._training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation, here and below."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze (False) or unfreeze all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or with `set_to_none=False` make them 0."""
        for parameter in self.parameters():
            grad = None if set_to_none else parameter.grad
            parameter.grad = grad if grad is None else grad.detach() * 0

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module below, then on this one: for example to initialize weights."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # In print -------------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """The text to show between the parentheses; subclasses override it."""
        return ""

    def __repr__(self) -> str:
        return describe(self)


@contextmanager
def evaluating(model: Module) -> Iterator[Module]:
    """Put `model` and all below it in evaluation mode within the block, then restore each mode.

    with nn.evaluating(model), rg.no_grad():
        outputs = model(x)
    """
    modes = [(module, module._training) for module in model.modules()]
    try:
        yield model.eval()
    finally:
        for module, mode in modes:
            module._training = mode


def _once(pairs: Iterable[tuple[str, Kind]]) -> Iterator[tuple[str, Kind]]:
    """The pairs whose second part has not come before."""
    seen: set[int] = set()
    for name, value in pairs:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value


def _holds_modules(value: Any) -> bool:
    """Whether a plain list, tuple or dict has a module directly in it."""
    inside = value.values() if isinstance(value, dict) else value
    return isinstance(value, list | tuple | dict) and any(isinstance(x, Module) for x in inside)


def _array(name: str, value: Any, dtype: DType) -> np.ndarray[Any, Any]:
    """A copy of `value` as `dtype`."""
    try:
        return np.array(as_array(np.asarray(value)), dtype)
    except TypeError as error:
        raise ValueError(f"load_state_dict: {name}: {error}") from None
