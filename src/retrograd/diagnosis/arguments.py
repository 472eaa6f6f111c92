"""Validation of the arguments of `rg.diagnose`, `rg.fix` and `rg.record`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd import nn, optim
from retrograd.diagnosis.data import Data
from retrograd.errors import UsageError

__all__ = ["check_loss", "check_model", "check_optimizer", "checked_data"]

# NumPy dtype kinds that no network can compute with: objects, strings, dates, complex numbers.
_NO_NUMBERS = "OUSMmc"


def check_model(call: str, model: object) -> None:
    """Raise TypeError unless `model` is a Module."""
    if not isinstance(model, nn.Module):
        hint = " The model comes first, then the optimizer." if _steps(model) else ""
        raise TypeError(f"{call}: model is {_a(model)}; expected an nn.Module.{hint}")


def check_optimizer(call: str, optimizer: object) -> None:
    """Raise TypeError unless `optimizer` is an Optimizer."""
    if not _steps(optimizer):
        raise TypeError(
            f"{call}: optimizer is {_a(optimizer)}; expected an optim.Optimizer, such as "
            "optim.Adam(model.parameters())."
        )


def check_loss(call: str, loss: Callable[..., Any] | None) -> None:
    """Raise TypeError unless `loss` is None or callable."""
    if loss is not None and not callable(loss):
        raise TypeError(
            f"{call}: loss is {_a(loss)}; expected a function of output and target, such as "
            "nn.cross_entropy."
        )


def checked_data(call: str, name: str, data: Any) -> Data:
    """`(inputs, target)` as numeric arrays with the same number of rows.

    Raises TypeError if `data` is not a pair or not numeric, UsageError if the lengths differ.
    """
    if not isinstance(data, tuple | list) or len(data) != 2:
        raise TypeError(
            f"{call}: {name} is {_a(data)}; expected a pair, (inputs, target). Pass several inputs "
            "as a tuple: ((a, b), target)."
        )
    made = Data.of(data)
    for each in made.inputs:
        _check_numbers(f"{call}: the input of {name}", each, "turn texts and dates into numbers")
    _check_numbers(
        f"{call}: the target of {name}",
        made.target,
        "classes as codes 0, 1, ..., np.unique(target, return_inverse=True)[1]",
    )
    for each in made.inputs:
        if len(each) != len(made.target):
            raise UsageError(
                f"{call}: {name} has {len(each)} inputs and {len(made.target)} targets; expected "
                "one target for each row."
            )
    return made


def _check_numbers(what: str, array: np.ndarray[Any, Any], way_out: str) -> None:
    if array.dtype.kind in _NO_NUMBERS:
        raise TypeError(f"{what} has dtype {array.dtype}; expected numbers: {way_out}.")
    if not array.ndim:
        raise TypeError(f"{what} is the single value {array}; expected an array (rows, ...).")


def _steps(optimizer: object) -> bool:
    return isinstance(optimizer, optim.Optimizer)


def _a(thing: object) -> str:
    """A short description of an object's type."""
    if thing is None:
        return "None"
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    size = f" of length {len(thing)}" if isinstance(thing, tuple | list) else ""
    return f"of type {type(thing).__name__}{size}"
