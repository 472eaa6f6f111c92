"""One check for every layer: PyTorch writes the weights, ours reads them and must do the same.

Compared are the outputs, the gradients of every input and parameter of a weighed sum of the
outputs, and the buffers afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

import retrograd as rg
from retrograd import nn

Array = np.ndarray[Any, Any]


class Case(NamedTuple):
    """A layer as a function of the library, its inputs' shapes, and how each side calls it."""

    layer: Callable[[Any], Any]
    shapes: Sequence[tuple[int, ...]]
    call: Callable[..., Any] = lambda layer, *xs: layer(*xs)
    call_torch: Callable[..., Any] | None = None
    training: bool = True


class Answer(NamedTuple):
    outputs: list[Array]
    gradients: dict[str, Array]
    state: dict[str, Array]


def flat(value: Any) -> list[Any]:
    """The tensors in nested tuples; None and integers (indices) left out."""
    if isinstance(value, tuple | list):
        return [x for each in value for x in flat(each)]
    return [] if value is None or "int" in str(value.dtype) else [value]


def inputs(case: Case, dtype: str) -> list[Array]:
    rng = np.random.default_rng(3)
    return [rng.standard_normal(shape).astype(dtype) for shape in case.shapes]


def weights(outputs: Sequence[Any], dtype: str) -> list[Array]:
    """What each output element counts in the sum, so that every cotangent differs."""
    rng = np.random.default_rng(4)
    return [rng.standard_normal(tuple(x.shape)).astype(dtype) for x in outputs]


def by_torch(case: Case, dtype: str, file: Path) -> Answer:
    """PyTorch's answer; its weights, as they were at the start, are left in `file`."""
    torch.manual_seed(0)
    layer = case.layer(torch.nn).to(getattr(torch, dtype)).train(case.training)
    for parameter in layer.parameters():  # no weight stays 1 or 0, which would hide its use
        with torch.no_grad():
            parameter += 0.1 * torch.randn_like(parameter)
    safetensors.torch.save_file(layer.state_dict(), file)
    xs = [torch.tensor(x, requires_grad=True) for x in inputs(case, dtype)]
    outputs = flat((case.call_torch or case.call)(layer, *xs))
    total = sum(
        (x * torch.tensor(w)).sum() for x, w in zip(outputs, weights(outputs, dtype), strict=True)
    )
    total.backward()
    named = {f"input {i}": x for i, x in enumerate(xs)} | dict(layer.named_parameters())
    return Answer(
        [x.detach().numpy() for x in outputs],
        {name: x.grad.numpy() for name, x in named.items() if x.grad is not None},
        {name: x.numpy() for name, x in layer.state_dict().items()},
    )


def by_us(case: Case, dtype: str, file: Path, compiled: bool) -> Answer:
    layer = case.layer(nn).to(dtype).train(case.training)
    layer.load_state_dict(safetensors.numpy.load_file(file))
    names: list[str] = []

    def run(*arrays: Any) -> Any:
        xs = [rg.Tensor(x, requires_grad=True) for x in arrays]
        layer.zero_grad()
        outputs = flat(case.call(layer, *xs))
        sums = [(x * w).sum() for x, w in zip(outputs, weights(outputs, dtype), strict=True)]
        sum(sums[1:], sums[0]).backward()
        named = {f"input {i}": x for i, x in enumerate(xs)} | dict(layer.named_parameters())
        named = {name: x.grad for name, x in named.items() if x.grad is not None}
        names[:] = list(named)
        return outputs, list(named.values())

    outputs, gradients = (rg.compile(run) if compiled else run)(*inputs(case, dtype))
    return Answer(
        [x.numpy() for x in outputs],
        {name: x.numpy() for name, x in zip(names, gradients, strict=True)},
        layer.state_dict(),
    )


def compare(ours: Answer, theirs: Answer, rtol: float, atol: float) -> None:
    assert len(ours.outputs) == len(theirs.outputs)
    for i, (mine, other) in enumerate(zip(ours.outputs, theirs.outputs, strict=True)):
        close(mine, other, f"output {i}", rtol, atol)
    assert set(ours.gradients) == set(theirs.gradients)
    for name, gradient in theirs.gradients.items():
        close(ours.gradients[name], gradient, f"gradient of {name}", rtol, atol)
    assert list(ours.state) == list(theirs.state)
    for name, value in theirs.state.items():
        close(ours.state[name], value, name, rtol, atol)


def close(mine: Array, other: Array, what: str, rtol: float, atol: float) -> None:
    assert mine.dtype == other.dtype, what
    scale = max(1.0, float(np.abs(other).max(initial=0)))
    np.testing.assert_allclose(mine, other, rtol=rtol, atol=atol * scale, err_msg=what)


def check_eager_float64(case: Case, folder: Path) -> None:
    theirs = by_torch(case, "float64", folder / "layer.safetensors")
    ours = by_us(case, "float64", folder / "layer.safetensors", compiled=False)
    compare(ours, theirs, rtol=1e-10, atol=1e-10)


def check_compiled_float32(case: Case, folder: Path) -> None:
    theirs = by_torch(case, "float32", folder / "layer.safetensors")
    ours = by_us(case, "float32", folder / "layer.safetensors", compiled=True)
    compare(ours, theirs, rtol=1e-4, atol=2e-5)
