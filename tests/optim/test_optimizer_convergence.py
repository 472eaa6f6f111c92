"""Every optimizer finds the minimum of known functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import ops, optim


def sphere(x: Any) -> Any:
    return ops.sum(ops.square(x))


def rosenbrock(x: Any) -> Any:
    """A curved valley: min 0 at (1, 1) (Rosenbrock, 1960)."""
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def ill_conditioned(x: Any) -> Any:
    """A quadratic whose curvatures lie between 1 and 1000."""
    return 0.5 * ops.sum(np.array([1.0, 30.0, 1000.0]) * ops.square(x))


STARTS: dict[Callable[[Any], Any], list[float]] = {
    sphere: [1.0, -2.0, 3.0],
    rosenbrock: [-1.2, 1.0],
    ill_conditioned: [1.0, 1.0, 1.0],
}

CASES: list[tuple[Any, Any, dict[str, Any]]] = [
    (sphere, optim.SGD, {"lr": 0.1}),
    (sphere, optim.Adagrad, {"lr": 1.0}),
    (sphere, optim.RMSprop, {"lr": 0.03}),
    (sphere, optim.Adam, {"lr": 0.1}),
    (sphere, optim.AdamW, {"lr": 0.1, "weight_decay": 0.0}),
    (rosenbrock, optim.SGD, {"lr": 1e-3, "momentum": 0.95, "nesterov": True}),
    (rosenbrock, optim.Adagrad, {"lr": 1.0}),
    (rosenbrock, optim.RMSprop, {"lr": 0.01}),
    (rosenbrock, optim.Adam, {"lr": 0.03}),
    (rosenbrock, optim.AdamW, {"lr": 0.03, "weight_decay": 0.0}),
    (ill_conditioned, optim.SGD, {"lr": 1e-3, "momentum": 0.95}),
    (ill_conditioned, optim.Adagrad, {"lr": 1.0}),
    (ill_conditioned, optim.RMSprop, {"lr": 0.01}),
    (ill_conditioned, optim.Adam, {"lr": 0.03, "amsgrad": True}),
    (ill_conditioned, optim.AdamW, {"lr": 0.03, "weight_decay": 0.0}),
]


@pytest.mark.parametrize(
    ("function", "kind", "options"),
    CASES,
    ids=[f"{kind.__name__}-{function.__name__}" for function, kind, _ in CASES],
)
def test_optimizer_reaches_the_minimum(function: Any, kind: Any, options: dict[str, Any]) -> None:
    steps = 20_000
    x = rg.Parameter(np.array(STARTS[function]))
    optimizer = kind([x], **options)
    # A normalized step does not shrink by itself near the minimum.
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)

    @rg.compile
    def step(_: Any) -> Any:
        optimizer.zero_grad()
        loss = function(x)
        loss.backward()
        optimizer.step()
        scheduler.step()
        return loss

    losses = step.over(np.zeros(steps)).numpy()
    minimum = np.ones(2) if function is rosenbrock else np.zeros(3)
    assert losses[-1] < 1e-7
    np.testing.assert_allclose(x.numpy(), minimum, atol=1e-3)
