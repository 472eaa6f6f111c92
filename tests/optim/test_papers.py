"""Optimizers that PyTorch lacks follow their papers' equations in float64; Muon PyTorch's too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import ops, optim

Array = np.ndarray[Any, Any]
STEPS = 12
SHAPES = [(4, 3), (3,)]
RNG = np.random.default_rng(0)
STARTS = [RNG.standard_normal(shape) for shape in SHAPES]
TARGETS = [RNG.standard_normal(shape) for shape in SHAPES]
Equation = Callable[[Array, Array, dict[str, Any], int], Array]


def slope(x: Array, target: Array) -> Array:
    return 4 * (x - target) ** 3


def loss(parameters: list[Any]) -> Any:
    return sum(
        (ops.sum((x - target) ** 4) for x, target in zip(parameters, TARGETS, strict=True)),
        rg.tensor(0.0, dtype=rg.float64),
    )


def by_equation(equation: Equation) -> list[Array]:
    found = []
    for start, target in zip(STARTS, TARGETS, strict=True):
        x, memory = start, {"m": 0 * start, "v": 0 * start, "x": start, "z": start, "sum": 0.0}
        for t in range(1, STEPS + 1):
            x = equation(x, slope(x, target), memory, t)
        found.append(x)
    return found


def lion(x: Array, g: Array, s: dict[str, Any], t: int) -> Array:
    c = 0.9 * s["m"] + 0.1 * g
    s["m"] = 0.99 * s["m"] + 0.01 * g
    return x - 0.01 * (np.sign(c) + 0.1 * x)


def adam_moments(g: Array, s: dict[str, Any], t: int) -> tuple[Array, Array]:
    s["m"] = 0.9 * s["m"] + 0.1 * g
    s["v"] = 0.999 * s["v"] + 0.001 * g**2
    return s["m"] / (1 - 0.9**t), s["v"] / (1 - 0.999**t)


def lamb(x: Array, g: Array, s: dict[str, Any], t: int) -> Array:
    m, v = adam_moments(g, s, t)
    r = m / (np.sqrt(v) + 1e-6) + 0.1 * x
    return x - 0.01 * np.linalg.norm(x) / np.linalg.norm(r) * r


def schedule_free(y: Array, g: Array, s: dict[str, Any], t: int) -> Array:
    s["v"] = 0.999 * s["v"] + 0.001 * g**2
    gamma = 0.05 * min(1, t / 4)
    step = g / (np.sqrt(s["v"] / (1 - 0.999**t)) + 1e-8) + 0.1 * y
    s["z"] = s["z"] - gamma * step
    s["sum"] += gamma**2
    c = gamma**2 / s["sum"]
    s["x"] = (1 - c) * s["x"] + c * s["z"]
    return 0.1 * s["z"] + 0.9 * s["x"]


EQUATIONS: dict[str, tuple[Equation, dict[str, Any]]] = {
    "Lion": (lion, {"lr": 0.01, "weight_decay": 0.1}),
    "LAMB": (lamb, {"lr": 0.01, "weight_decay": 0.1}),
    "AdamWScheduleFree": (schedule_free, {"lr": 0.05, "weight_decay": 0.1, "warmup_steps": 4}),
}


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("name", EQUATIONS)
def test_the_path_is_the_papers(name: str, compiled: bool) -> None:
    equation, options = EQUATIONS[name]
    parameters = [rg.Parameter(start) for start in STARTS]
    optimizer = getattr(optim, name)(parameters, **options)

    def step(_: Any) -> None:
        optimizer.zero_grad()
        loss(parameters).backward()
        optimizer.step()

    if compiled:
        rg.compile(step).over(np.zeros(STEPS))
    else:
        for _ in range(STEPS):
            step(None)
    for found, expected in zip(parameters, by_equation(equation), strict=True):
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10)


def test_schedule_free_answers_with_the_average_and_goes_on_from_where_it_was() -> None:
    parameter = rg.Parameter(np.array([1.0, -2.0]))
    optimizer = optim.AdamWScheduleFree([parameter], lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        ops.sum(parameter**2).backward()
        optimizer.step()
    slots = optimizer.state[parameter]
    y = parameter.numpy().copy()
    optimizer.eval()
    np.testing.assert_allclose(parameter.numpy(), slots["x"])
    with pytest.raises(RuntimeError, match=r"call optimizer\.train\(\) first"):
        optimizer.step()
    optimizer.train()
    np.testing.assert_allclose(parameter.numpy(), y, rtol=1e-12)


def sam(rho: float, adaptive: bool) -> list[Array]:
    xs = list(STARTS)
    for _ in range(STEPS):
        gs = [slope(x, target) for x, target in zip(xs, TARGETS, strict=True)]
        scale = [np.abs(x) if adaptive else np.ones_like(x) for x in xs]
        norm = np.sqrt(sum(((a * g) ** 2).sum() for a, g in zip(scale, gs, strict=True)))
        worst = [x + rho * a**2 * g / norm for x, a, g in zip(xs, scale, gs, strict=True)]
        xs = [x - 1e-3 * slope(w, target) for x, w, target in zip(xs, worst, TARGETS, strict=True)]
    return xs


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_sam_steps_by_the_gradient_at_the_worst_point_nearby(
    adaptive: bool, compiled: bool
) -> None:
    parameters = [rg.Parameter(start) for start in STARTS]
    optimizer = optim.SAM(optim.SGD(parameters, lr=1e-3), rho=0.1, adaptive=adaptive)

    def closure() -> Any:
        optimizer.zero_grad()
        value = loss(parameters)
        value.backward()
        return value

    step = (
        rg.compile(lambda: optimizer.step(closure)) if compiled else lambda: optimizer.step(closure)
    )
    first = step()
    expected = sum(((x - t) ** 4).sum() for x, t in zip(STARTS, TARGETS, strict=True))
    np.testing.assert_allclose(float(first), expected)
    for _ in range(STEPS - 1):
        step()
    for found, wanted in zip(parameters, sam(0.1, adaptive), strict=True):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-10)


@pytest.mark.parametrize(
    "options",
    [{"lr": 0.02}, {"nesterov": False, "weight_decay": 0.0}, {"adjust_lr_fn": "match_rms_adamw"}],
)
@pytest.mark.parametrize("shape", [(6, 3), (3, 6)])
def test_muon_is_torchs_up_to_the_precision_of_its_bfloat16(
    options: dict[str, Any], shape: tuple[int, int]
) -> None:
    rng = np.random.default_rng(1)
    start, target = rng.standard_normal(shape), rng.standard_normal(shape)
    ours, theirs = rg.Parameter(start), torch.tensor(start, requires_grad=True)
    optimizer, oracle = optim.Muon([ours], **options), torch.optim.Muon([theirs], **options)
    for _ in range(3):
        optimizer.zero_grad()
        ops.sum((ours - target) ** 2).backward()
        optimizer.step()
        oracle.zero_grad()
        ((theirs - torch.tensor(target)) ** 2).sum().backward()
        oracle.step()
    moved = np.abs(theirs.detach().numpy() - start).max()
    np.testing.assert_allclose(ours.numpy(), theirs.detach().numpy(), atol=0.05 * moved)


def test_muons_step_has_singular_values_about_1_and_takes_matrices_alone() -> None:
    start = np.zeros((5, 3))
    parameter = rg.Parameter(start)
    optimizer = optim.Muon([parameter], lr=1.0, weight_decay=0.0)
    parameter.grad = rg.tensor(np.random.default_rng(2).standard_normal((5, 3)))
    optimizer.step()
    values = np.linalg.svd(parameter.numpy(), compute_uv=False) / np.sqrt(5 / 3)
    assert 0.6 < values.min() <= values.max() < 1.3
    with pytest.raises(
        ValueError, match=r"Muon trains matrices; found a parameter of shape \(3,\)"
    ):
        optim.Muon([rg.Parameter(np.zeros(3))])
    with pytest.raises(ValueError, match="adjust_lr_fn must be 'original' or 'match_rms_adamw'"):
        optim.Muon([parameter], adjust_lr_fn="best")
