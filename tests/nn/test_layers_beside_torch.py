"""Every layer and loss trains as PyTorch's does: 100 steps from the same weights on the same data.

A table gives each model once, as a function of the library (`nn` or `torch.nn`), so that names,
arguments and defaults are compared along with the numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn

STEPS, BATCH, RATE = 100, 16, 0.05

Array = np.ndarray[Any, Any]
Draw = Callable[[np.random.Generator, str], Array]


class Case(NamedTuple):
    """A model and a loss, as functions of the library and of its way to make an array."""

    model: Callable[[Any], Any]
    loss: Callable[[Any, Callable[[Any], Any]], Any] = lambda n, array: n.MSELoss()
    inputs: Draw = lambda rng, dtype: rng.standard_normal((STEPS, BATCH, 6)).astype(dtype)
    targets: Draw = lambda rng, dtype: rng.standard_normal((STEPS, BATCH, 2)).astype(dtype)


def hidden(layer: Callable[[Any], Any]) -> Case:
    """The layer between two affine ones."""
    return Case(lambda n: n.Sequential(n.Linear(6, 8), layer(n), n.Linear(8, 2)))


class TorchResidual(torch.nn.Module):
    """The oracle's part of `Residual`, which PyTorch has no class for."""

    def __init__(self, module: torch.nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.module(x)


def residual(n: Any) -> Any:
    return (n.Residual if n is nn else TorchResidual)(n.Linear(8, 8))


def embedding(**options: Any) -> Case:
    return Case(
        lambda n: n.Sequential(n.Embedding(7, 4, **options), n.Flatten(), n.Linear(12, 2)),
        inputs=lambda rng, dtype: rng.integers(0, 7, (STEPS, BATCH, 3)),
    )


def channels(**options: Any) -> Case:
    """Batch normalization of (n, c, length)."""
    return Case(
        lambda n: n.Sequential(n.BatchNorm1d(3, **options), n.Flatten(), n.Linear(12, 2)),
        inputs=lambda rng, dtype: rng.normal(1, 2, (STEPS, BATCH, 3, 4)).astype(dtype),
    )


LAYERS = {
    "Linear": Case(lambda n: n.Sequential(n.Linear(6, 2))),
    "Linear without bias": Case(lambda n: n.Sequential(n.Linear(6, 2, bias=False))),
    "Identity": hidden(lambda n: n.Identity()),
    "Residual": hidden(residual),
    "Embedding": embedding(),
    "Embedding with padding": embedding(padding_idx=-3),
    "BatchNorm1d": hidden(lambda n: n.BatchNorm1d(8)),
    "BatchNorm1d momentum": hidden(lambda n: n.BatchNorm1d(8, eps=1e-3, momentum=0.3)),
    "BatchNorm1d average": hidden(lambda n: n.BatchNorm1d(8, momentum=None)),
    "BatchNorm1d plain": hidden(lambda n: n.BatchNorm1d(8, affine=False)),
    "BatchNorm1d untracked": hidden(lambda n: n.BatchNorm1d(8, track_running_stats=False)),
    "BatchNorm1d of channels": channels(),
    "LayerNorm": hidden(lambda n: n.LayerNorm(8)),
    "LayerNorm without bias": hidden(lambda n: n.LayerNorm((8,), eps=1e-3, bias=False)),
    "LayerNorm plain": hidden(lambda n: n.LayerNorm(8, elementwise_affine=False)),
    "LayerNorm of two axes": Case(
        lambda n: n.Sequential(n.LayerNorm([3, 4]), n.Flatten(), n.Linear(12, 2)),
        inputs=lambda rng, dtype: rng.normal(1, 2, (STEPS, BATCH, 3, 4)).astype(dtype),
    ),
    "Dropout of nothing": hidden(lambda n: n.Dropout(0.0)),
    "ReLU": hidden(lambda n: n.ReLU()),
    "LeakyReLU": hidden(lambda n: n.LeakyReLU(0.2)),
    "ELU": hidden(lambda n: n.ELU(0.7)),
    "SELU": hidden(lambda n: n.SELU()),
    "GELU": hidden(lambda n: n.GELU()),
    "GELU by tanh": hidden(lambda n: n.GELU(approximate="tanh")),
    "SiLU": hidden(lambda n: n.SiLU()),
    "Mish": hidden(lambda n: n.Mish()),
    "Tanh": hidden(lambda n: n.Tanh()),
    "Sigmoid": hidden(lambda n: n.Sigmoid()),
    "Softplus": hidden(lambda n: n.Softplus(2.0, 1.0)),
    "Softmax": hidden(lambda n: n.Softmax(dim=1)),
    "LogSoftmax": hidden(lambda n: n.LogSoftmax(dim=-1)),
    "Hardtanh": hidden(lambda n: n.Hardtanh(-0.5, 0.7)),
    "ReLU6": hidden(lambda n: n.ReLU6()),
}


def scores(outputs: int, loss: Callable[..., Any], targets: Draw, **case: Any) -> Case:
    """A loss behind one affine layer."""
    return Case(lambda n: n.Sequential(n.Linear(6, outputs)), loss, targets=targets, **case)


def numbers(loss: Callable[..., Any]) -> Case:
    return scores(
        2, loss, lambda rng, dtype: 2 * rng.standard_normal((STEPS, BATCH, 2)).astype(dtype)
    )


def counts(loss: Callable[..., Any]) -> Case:
    return scores(2, loss, lambda rng, dtype: rng.poisson(3, (STEPS, BATCH, 2)).astype(dtype))


def yes_or_no(loss: Callable[..., Any]) -> Case:
    return scores(2, loss, lambda rng, dtype: rng.integers(0, 2, (STEPS, BATCH, 2)).astype(dtype))


def classes(loss: Callable[..., Any]) -> Case:
    return scores(4, loss, lambda rng, dtype: rng.integers(0, 4, (STEPS, BATCH)))


def probabilities(loss: Callable[..., Any]) -> Case:
    return scores(
        4, loss, lambda rng, dtype: rng.dirichlet(np.ones(4), (STEPS, BATCH)).astype(dtype)
    )


def positions(loss: Callable[..., Any]) -> Case:
    """Logits (n, c, 2) against classes (n, 2)."""
    return Case(
        lambda n: n.Sequential(n.Linear(6, 8), n.Unflatten(1, (4, 2)) if n is not nn else Fold()),
        loss,
        targets=lambda rng, dtype: rng.integers(0, 4, (STEPS, BATCH, 2)),
    )


class Fold(nn.Module):
    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return x.reshape(-1, 4, 2)


def log_probabilities(loss: Callable[..., Any]) -> Case:
    return Case(
        lambda n: n.Sequential(n.Linear(6, 4), n.LogSoftmax(dim=1)),
        loss,
        targets=lambda rng, dtype: rng.integers(0, 4, (STEPS, BATCH)),
    )


W = [0.5, 2.0, 1.0, 0.25]

LOSSES = {
    "MSELoss": numbers(lambda n, array: n.MSELoss()),
    "L1Loss": numbers(lambda n, array: n.L1Loss()),
    "HuberLoss": numbers(lambda n, array: n.HuberLoss(delta=0.6)),
    "SmoothL1Loss": numbers(lambda n, array: n.SmoothL1Loss(beta=0.4)),
    "SmoothL1Loss at 0": numbers(lambda n, array: n.SmoothL1Loss(beta=0.0)),
    "PoissonNLLLoss": counts(lambda n, array: n.PoissonNLLLoss()),
    "PoissonNLLLoss in full": counts(lambda n, array: n.PoissonNLLLoss(full=True)),
    "BCEWithLogitsLoss": yes_or_no(lambda n, array: n.BCEWithLogitsLoss()),
    "BCEWithLogitsLoss weighed": yes_or_no(
        lambda n, array: n.BCEWithLogitsLoss(weight=array([0.5, 2]), pos_weight=array([3, 0.7]))
    ),
    "CrossEntropyLoss": classes(lambda n, array: n.CrossEntropyLoss()),
    "CrossEntropyLoss in all": classes(
        lambda n, array: n.CrossEntropyLoss(array(W), ignore_index=2, label_smoothing=0.2)
    ),
    "CrossEntropyLoss of positions": positions(
        lambda n, array: n.CrossEntropyLoss(array(W), label_smoothing=0.1)
    ),
    "CrossEntropyLoss of probabilities": probabilities(
        lambda n, array: n.CrossEntropyLoss(array(W), label_smoothing=0.1)
    ),
    "NLLLoss": log_probabilities(lambda n, array: n.NLLLoss()),
    "NLLLoss weighed": log_probabilities(
        lambda n, array: n.NLLLoss(weight=array(W), ignore_index=0)
    ),
}

CASES = [pytest.param(case, id=name) for name, case in {**LAYERS, **LOSSES}.items()]


def build(case: Case, dtype: str) -> tuple[Any, Any, Any, Any, Array, Array]:
    """Our model and loss, PyTorch's with the same weights, and the data."""
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    theirs = case.model(torch.nn).to(getattr(torch, dtype))
    ours = case.model(nn).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    return (
        ours,
        case.loss(nn, lambda values: np.array(values, dtype)),
        theirs,
        case.loss(torch.nn, lambda values: torch.tensor(values, dtype=getattr(torch, dtype))),
        case.inputs(rng, dtype),
        case.targets(rng, dtype),
    )


def train_torch(model: Any, loss: Any, xs: Array, ys: Array) -> Array:
    losses = []
    for x, y in zip(torch.from_numpy(xs), torch.from_numpy(ys), strict=True):
        model.zero_grad()
        value = loss(model(x), y)
        value.backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= RATE * parameter.grad
        losses.append(value.item())
    return np.array(losses)


def stepper(model: Any, loss: Any) -> Callable[[Any, Any], Any]:
    def step(x: Any, y: Any) -> Any:
        model.zero_grad()
        value = loss(model(x), y)
        value.backward()
        for parameter in model.parameters():
            parameter.data = parameter.data - RATE * parameter.grad.data
        return value

    return step


def compare(ours: Any, theirs: Any, xs: Array, **tolerance: float) -> None:
    """The states, name by name in the same order, and what the models predict in evaluation."""
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    assert list(ours.state_dict()) == list(state)
    for name, value in ours.state_dict().items():
        assert value.dtype == state[name].dtype, name
        np.testing.assert_allclose(value, state[name], err_msg=name, **tolerance)
    ours.eval(), theirs.eval()
    predicted = theirs(torch.from_numpy(xs[0])).detach().numpy()
    np.testing.assert_allclose(ours(xs[0]).numpy(), predicted, **tolerance)


@pytest.mark.parametrize("case", CASES)
def test_eager_float64_follows_torch_to_1e_10(case: Case) -> None:
    ours, loss, theirs, their_loss, xs, ys = build(case, "float64")
    step = stepper(ours, loss)
    losses = np.array([step(x, y).item() for x, y in zip(xs, ys, strict=True)])
    np.testing.assert_allclose(
        losses, train_torch(theirs, their_loss, xs, ys), rtol=1e-10, atol=1e-10
    )
    compare(ours, theirs, xs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_compiled_float32_follows_torch_to_float32_tolerance(case: Case) -> None:
    ours, loss, theirs, their_loss, xs, ys = build(case, "float32")
    losses = rg.compile(stepper(ours, loss)).over(xs, ys).numpy()
    assert losses.dtype == np.float32
    np.testing.assert_allclose(
        losses, train_torch(theirs, their_loss, xs, ys), rtol=1e-4, atol=1e-5
    )
    compare(ours, theirs, xs, rtol=1e-4, atol=1e-5)
