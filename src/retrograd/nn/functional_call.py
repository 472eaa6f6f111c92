"""A module as a function of its parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retrograd.nn.module import Module
from retrograd.tensor import Tensor

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Any],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """`module(*args)` with tensors in the place of parameters and buffers, by their names.

    Gradients flow into those tensors. The module is as before afterwards. Raises ValueError for a
    name that the module does not have, or another shape.
    """
    own = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    given = {}
    for name, value in parameter_and_buffer_dicts.items():
        if name not in own:
            raise ValueError(
                f"functional_call: {type(module).__name__} has no parameter or buffer {name!r}; "
                f"it has {', '.join(own)}"
            )
        tensor = value if isinstance(value, Tensor) else Tensor(value)
        if tensor.shape != own[name].shape:
            raise ValueError(
                f"functional_call: {name} has shape {tensor.shape}, expected {own[name].shape}"
            )
        given[id(own[name])] = tensor
    places = [
        (holder, name, value)
        for holder in module.modules()
        for name, value in vars(holder).items()
        if id(value) in given
    ]
    try:
        for holder, name, value in places:
            vars(holder)[name] = given[id(value)]
        arguments = args if isinstance(args, tuple) else (args,)
        return module(*arguments, **(kwargs or {}))
    finally:
        for holder, name, value in places:
            vars(holder)[name] = value
