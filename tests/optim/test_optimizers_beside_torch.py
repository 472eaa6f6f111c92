"""Each optimizer takes the same 100 steps as PyTorch's, from the same weights on the same data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import ops, optim

STEPS = 100
SHAPES = [(16, 5), (16,), (1, 16), (1,)]

CASES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.05, "momentum": 0.9}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.05, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-3}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.9, "eps": 1e-4, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 1e-3, "momentum": 0.9}),
    ("RMSprop", {"lr": 1e-3, "momentum": 0.5, "centered": True, "eps": 1e-4}),
    ("Adam", {}),
    ("Adam", {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-4}),
    ("Adam", {"lr": 0.02, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.02, "amsgrad": True, "betas": (0.9, 0.9)}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.3, "amsgrad": True, "betas": (0.9, 0.9)}),
    ("NAdam", {"lr": 0.01, "momentum_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.1, "betas": (0.8, 0.95)}),
    ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.01}),
    ("RAdam", {"weight_decay": 0.1, "betas": (0.8, 0.95), "eps": 1e-4}),
    ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adamax", {"lr": 0.01, "weight_decay": 0.1}),
    ("Adamax", {"betas": (0.8, 0.95), "eps": 1e-4}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-4, "weight_decay": 0.1}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.02, "etas": (0.4, 1.3), "step_sizes": (1e-3, 0.05)}),
    ("ASGD", {"lr": 0.05}),
    ("ASGD", {"lr": 0.05, "lambd": 0.1, "alpha": 0.6, "t0": 20, "weight_decay": 0.1}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.05, "beta2_decay": -0.5, "eps": (1e-4, 0.01), "weight_decay": 0.1}),
]
each_case = pytest.mark.parametrize(
    ("name", "options"), CASES, ids=[f"{name}-{'-'.join(options)}" for name, options in CASES]
)


def weights_and_data(dtype: str) -> tuple[list[Any], list[Any], list[Any]]:
    """The first weights, and a batch of inputs and targets for each step."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(0, 0.4, shape).astype(dtype) for shape in SHAPES]
    xs = rng.normal(size=(STEPS, 8, 5)).astype(dtype)
    ys = np.sin(xs.sum(-1, keepdims=True)).astype(dtype)
    return weights, list(xs), list(ys)


def by_torch(name: str, options: dict[str, Any], dtype: str) -> list[Any]:
    weights, xs, ys = weights_and_data(dtype)
    w1, b1, w2, b2 = parameters = [torch.tensor(each, requires_grad=True) for each in weights]
    optimizer = getattr(torch.optim, name)(parameters, **options)
    for x, y in zip(xs, ys, strict=True):
        optimizer.zero_grad()
        hidden = torch.tanh(torch.nn.functional.linear(torch.tensor(x), w1, b1))
        output = torch.nn.functional.linear(hidden, w2, b2)
        (output - torch.tensor(y)).square().mean().backward()
        optimizer.step()
    return [parameter.detach().numpy() for parameter in parameters]


def by_retrograd(
    name: str, options: dict[str, Any], dtype: str, run: Callable[[Any], Any]
) -> list[Any]:
    weights, xs, ys = weights_and_data(dtype)
    w1, b1, w2, b2 = parameters = [rg.Parameter(each) for each in weights]
    optimizer = getattr(optim, name)(parameters, **options)

    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        hidden = ops.tanh(ops.linear(x, w1, b1))
        ops.mean(ops.square(ops.linear(hidden, w2, b2) - y)).backward()
        optimizer.step()

    run(step)(xs, ys)
    return parameters


def eagerly(step: Any) -> Any:
    def run(xs: list[Any], ys: list[Any]) -> None:
        for x, y in zip(xs, ys, strict=True):
            step(rg.Tensor(x), y)

    return run


def compiled(step: Any) -> Any:
    return lambda xs, ys: rg.compile(step).over(rg.Tensor(np.stack(xs)), rg.Tensor(np.stack(ys)))


@pytest.fixture
def double() -> Iterator[None]:
    """PyTorch keeps some counts in its default dtype."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@each_case
@pytest.mark.usefixtures("double")
def test_float64_eagerly_is_pytorchs_path_to_1e_10(name: str, options: dict[str, Any]) -> None:
    expected = by_torch(name, options, "float64")
    for found, wanted in zip(
        by_retrograd(name, options, "float64", eagerly), expected, strict=True
    ):
        assert found.dtype == np.float64
        np.testing.assert_allclose(found.numpy(), wanted, rtol=0, atol=1e-10)


@each_case
def test_float32_compiled_is_pytorchs_path_to_float32_precision(
    name: str, options: dict[str, Any]
) -> None:
    expected = by_torch(name, options, "float32")
    for found, wanted in zip(
        by_retrograd(name, options, "float32", compiled), expected, strict=True
    ):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=2e-5)


def test_float64_compiled_keeps_the_learning_rate_exact() -> None:
    options = {"lr": 0.1, "momentum": 0.9}
    expected = by_torch("SGD", options, "float64")
    for found, wanted in zip(
        by_retrograd("SGD", options, "float64", compiled), expected, strict=True
    ):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adam"])
def test_l1_is_the_slope_of_the_absolute_weights(name: str) -> None:
    l1 = 0.3
    start = np.array([0.5, -1.5, 2.0, 0.0])
    penalized = torch.tensor(start, requires_grad=True)
    oracle = getattr(torch.optim, name)([penalized], lr=0.01)
    parameter = rg.Parameter(start)
    optimizer = getattr(optim, name)([parameter], lr=0.01, l1=l1)
    for _ in range(20):
        oracle.zero_grad()
        (penalized.square().sum() + l1 * penalized.abs().sum()).backward()
        oracle.step()
        optimizer.zero_grad()
        ops.sum(ops.square(parameter)).backward()
        optimizer.step()
    np.testing.assert_allclose(parameter.numpy(), penalized.detach().numpy(), atol=1e-12)


def test_adamw_takes_l1_off_the_weights_and_not_into_the_moments() -> None:
    start = np.array([0.5, -1.5])
    parameter = rg.Parameter(start)
    optimizer = optim.AdamW([parameter], lr=0.1, weight_decay=0.2, l1=0.3)
    parameter.grad = rg.Tensor(np.zeros(2))
    optimizer.step()
    expected = start - 0.1 * (0.2 * start + 0.3 * np.sign(start))
    np.testing.assert_allclose(parameter.numpy(), expected, atol=1e-15)


def test_a_parameter_that_skipped_steps_is_corrected_for_its_own_count() -> None:
    # Adam's correction must not take a weight that was frozen for long as one long in training.
    start = np.array([1.0, -2.0])
    ours = [rg.Parameter(start), rg.Parameter(start)]
    theirs = [torch.tensor(start, requires_grad=True) for _ in range(2)]
    optimizer, oracle = optim.Adam(ours, lr=0.1), torch.optim.Adam(theirs, lr=0.1)
    for step in range(30):
        optimizer.zero_grad()
        oracle.zero_grad()
        active = slice(0, 1) if step < 20 or step == 25 else slice(0, 2)
        for parameter in ours[active]:
            ops.sum(ops.square(parameter)).backward()
        for tensor in theirs[active]:
            tensor.square().sum().backward()
        optimizer.step()
        oracle.step()
    for parameter, tensor in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(parameter.numpy(), tensor.detach().numpy(), atol=1e-12)
