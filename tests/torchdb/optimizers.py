"""An optimizer of ours and PyTorch's beside each other for 20 steps of a small fit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

import retrograd as rg
from retrograd import ops, optim
from torchdb.database import OPTIMIZERS
from torchdb.missing import OPTIONS_LEFT_OUT

__all__ = [
    "by_retrograd",
    "by_torch",
    "error_inputs",
    "inputs",
    "left_out",
    "plain",
    "tolerance",
]

STEPS = 20

Array = np.ndarray[Any, Any]


def inputs(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The description and the options of every input that the database has for an optimizer."""
    for each in OPTIMIZERS[name].optim_inputs_func("cpu"):
        yield each.desc, dict(each.kwargs)


def error_inputs(name: str) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """The description, the parameters (None: any) and the options of what PyTorch refuses."""
    for each in OPTIMIZERS[name].optim_error_inputs_func("cpu", torch.float64):
        given = each.optimizer_error_input
        yield given.desc, given.params, dict(given.kwargs)


def tolerance(name: str, exact: float) -> float:
    """`exact`, or what rounding allows: PyTorch's Muon goes through bfloat16."""
    return {"Muon": 0.02, "LBFGS": max(exact, 1e-7)}.get(name, exact)


def left_out(options: dict[str, Any]) -> str | None:
    """Why an input cannot run, or None."""
    for option, reason in OPTIONS_LEFT_OUT.items():
        if options.get(option):
            return f"`{option}`: {reason}"
    return None


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """Tensors as numbers: a learning rate need not be one here to change in a compiled step."""
    return {
        name: value.item() if isinstance(value, torch.Tensor) else value
        for name, value in options.items()
    }


def _start(name: str, dtype: Any) -> tuple[list[Array], list[Array]]:
    """Two weights, which Muon wants to be matrices, and an input for each step.

    L-BFGS makes twenty iterations in a step: without a line search rounding grows in each.
    """
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((4, 3)), rng.standard_normal((1, 3) if name == "Muon" else 3)]
    return [w.astype(dtype) for w in weights], list(
        rng.standard_normal((1 if name == "LBFGS" else STEPS, 8, 4)).astype(dtype)
    )


def by_torch(name: str, options: dict[str, Any], dtype: str) -> list[Array]:
    """The weights after the steps, then what the optimizer holds of each, in name order."""
    torch.set_default_dtype(getattr(torch, dtype))  # some keep their counts in it
    weights, xs = _start(name, dtype)
    w, b = parameters = [torch.nn.Parameter(torch.tensor(each)) for each in weights]
    optimizer = OPTIMIZERS[name].optim_cls(parameters, **options)
    for x in xs:

        def closure(x: Array = x) -> Any:
            optimizer.zero_grad()
            loss = (torch.tanh(torch.tensor(x) @ w + b) - 1).square().mean()
            loss.backward()
            return loss

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimizer.step(closure)
    torch.set_default_dtype(torch.float32)
    held = [] if name == "LBFGS" else [optimizer.state[parameter] for parameter in parameters]
    return [parameter.detach().numpy() for parameter in parameters] + _held(held)


def by_retrograd(name: str, options: dict[str, Any], dtype: str, compiled: bool) -> list[Array]:
    """The same of ours, eagerly or with all steps in one compiled program."""
    weights, xs = _start(name, dtype)
    w, b = parameters = [rg.Parameter(each) for each in weights]
    optimizer = getattr(optim, name)(parameters, **options)

    def step(x: Any) -> None:
        def closure() -> Any:
            optimizer.zero_grad()
            loss = ops.mean(ops.square(ops.tanh(x @ w + b) - 1))
            loss.backward()
            return loss

        optimizer.step(closure)

    if compiled and name != "LBFGS":  # which decides in Python
        rg.compile(step).over(rg.Tensor(np.stack(xs)))
    else:
        for x in xs:
            step(rg.Tensor(x))
    held = list(optimizer.state_dict()["state"].values())
    if name == "Adagrad":  # PyTorch's sum includes where it starts
        start = options.get("initial_accumulator_value", 0.0)
        held = [{**each, "sum": each["sum"] + start} for each in held]
    return [np.asarray(parameter) for parameter in parameters] + _held(held)


def _held(states: list[Any]) -> list[Array]:
    return [
        np.asarray(state[name])
        for state in states
        for name in sorted(state)
        if name != "step" and state[name] is not None
    ]
