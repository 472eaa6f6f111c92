"""L-BFGS takes PyTorch's path, with and without its line search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import optim
from retrograd.errors import TraceError
from retrograd.optim.whole import line_search

X = np.random.default_rng(0).standard_normal((20, 3))
Y = np.tanh(X @ np.array([1.0, -2.0, 0.5])) + 0.1


def rosenbrock(x: Any) -> Any:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


CASES = [
    {},
    {"lr": 0.5, "max_iter": 5},
    {"history_size": 3},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 7},
    {"line_search_fn": "strong_wolfe", "max_eval": 6, "lr": 0.3},
]


def fit(n: Any, w: Any, b: Any) -> Any:
    y = n.tensor(Y)
    return (n.tanh(n.tensor(X) @ w + b) - y).square().mean()


def paths(n: Any, make: Any, options: dict[str, Any], compiled: bool = False) -> list[Any]:
    w, b = make(np.array([0.3, 0.2, -0.1])), make(np.array(0.5))
    optimizer = (optim if n is rg else torch.optim).LBFGS([w, b], **options)
    seen = []

    def closure() -> Any:
        optimizer.zero_grad()
        value = fit(n, w, b)
        value.backward()
        return value

    called = rg.compile(closure) if compiled else closure
    for _ in range(4):
        seen.append(optimizer.step(called).item())
        seen += [*w.tolist(), b.item()]
    return seen


def leaf(values: Any) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


@pytest.mark.parametrize("options", CASES, ids=range(len(CASES)))
def test_the_path_is_torchs(options: dict[str, Any]) -> None:
    found = paths(rg, rg.Parameter, options)
    np.testing.assert_allclose(found, paths(torch, leaf, options), rtol=1e-6, atol=1e-9)


def test_a_compiled_closure_takes_the_same_path() -> None:
    options = {"line_search_fn": "strong_wolfe"}
    eager = paths(rg, rg.Parameter, options)
    np.testing.assert_allclose(
        paths(rg, rg.Parameter, options, compiled=True), eager, rtol=1e-6, atol=1e-9
    )


def test_it_finds_the_minimum_of_a_curved_valley() -> None:
    x = rg.Parameter(np.array([-1.2, 1.0]))
    optimizer = optim.LBFGS([x], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Any:
        optimizer.zero_grad()
        value = rosenbrock(x)
        value.backward()
        return value

    optimizer.step(closure)
    np.testing.assert_allclose(x.numpy(), [1, 1], atol=1e-4)


def test_its_state_comes_back() -> None:
    def run(x: rg.Parameter, optimizer: optim.LBFGS, steps: int) -> None:
        def closure() -> Any:
            optimizer.zero_grad()
            value = rosenbrock(x)
            value.backward()
            return value

        for _ in range(steps):
            optimizer.step(closure)

    x = rg.Parameter(np.array([-1.2, 1.0]))
    optimizer = optim.LBFGS([x], max_iter=4, line_search_fn="strong_wolfe")
    run(x, optimizer, 3)
    twin = rg.Parameter(x.numpy().copy())
    second = optim.LBFGS([twin], max_iter=9)
    second.load_state_dict(optimizer.state_dict())
    run(x, optimizer, 2)
    run(twin, second, 2)
    np.testing.assert_array_equal(twin.numpy(), x.numpy())


def test_what_does_not_fit_is_refused() -> None:
    x = rg.Parameter(np.zeros(2))
    with pytest.raises(ValueError, match="line_search_fn must be None or 'strong_wolfe'"):
        optim.LBFGS([x], line_search_fn="weak")
    with pytest.raises(ValueError, match="all parameters must be in one group"):
        optim.LBFGS([{"params": [x]}, {"params": [rg.Parameter(np.zeros(2))]}])
    optimizer = optim.LBFGS([x])
    with pytest.raises(TypeError, match="needs a closure"):
        optimizer.step()
    with pytest.raises(TraceError, match="call it outside of the compiled step"):
        rg.compile(lambda: optimizer.step(lambda: rg.ones(1)))()


def test_the_cubic_through_two_points_is_least_where_its_slope_is_0() -> None:
    def cubic(t: float) -> line_search.Point:
        return line_search.Point(t, t**3 - 2 * t**2 - t, np.zeros(0), 3 * t**2 - 4 * t - 1)

    found = line_search.cubic_minimum(cubic(0.0), cubic(3.0), 0.0, 3.0)
    assert found == pytest.approx((2 + np.sqrt(7)) / 3)
    assert line_search.cubic_minimum(cubic(3.0), cubic(0.0), 0.0, 1.0) == 1.0
