"""PyTorch's ModuleInfo and OptimizerInfo databases: how each class is built and called."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import torch
from opinfo.database import rounded

# The databases import test-only packages, some of which warn on import.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_modules import module_db
    from torch.testing._internal.common_optimizers import optim_db

__all__ = ["MODULES", "OPTIMIZERS", "Call", "ModuleCase", "module_cases", "module_errors"]

MODULES: dict[str, Any] = {info.module_cls.__name__: info for info in module_db}
OPTIMIZERS: dict[str, Any] = {info.optim_cls.__name__: info for info in optim_db}


class Call(NamedTuple):
    """The arguments of a constructor or of forward."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


class ModuleCase(NamedTuple):
    """A module to build, and to call in training or in evaluation."""

    construct: Call
    forward: Call
    training: bool


def module_cases(info: Any) -> list[ModuleCase]:
    """The cases of one class, the same at every call, with values that float32 holds exactly."""
    return [
        ModuleCase(_call(each.constructor_input), _call(each.forward_input), training)
        for training in ([True, False] if info.train_and_eval_differ else [True])
        for each in _listed(info, info.module_inputs_func, training)
    ]


def module_errors(info: Any) -> list[tuple[ModuleCase, str]]:
    """The cases that PyTorch refuses, with the words that its message has."""
    if info.module_error_inputs_func is None:
        return []
    found = []
    for error in _listed(info, info.module_error_inputs_func, True):
        given = error.module_error_input
        case = ModuleCase(_call(given.constructor_input), _call(given.forward_input), True)
        found.append((case, str(error.error_regex)))
    return found


def _listed(info: Any, function: Any, training: bool) -> list[Any]:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(
            function(info, device="cpu", dtype=torch.float64, requires_grad=True, training=training)
        )


def _call(given: Any) -> Call:
    """Without the device and the dtype, which say where PyTorch keeps the numbers."""
    if given is None:
        return Call((), {})
    kwargs = {name: value for name, value in given.kwargs.items() if name not in _PLACES}
    # One case names forward's first argument, which our layers call x.
    first = (kwargs.pop("input"),) if "input" in kwargs else ()
    return Call(rounded((*first, *given.args)), rounded(kwargs))


_PLACES = {"device", "dtype"}
