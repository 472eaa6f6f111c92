"""A compiled function in the middle of an eager graph: its Parameters are trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.compiled_steps import counting_compilations, programs

import retrograd as rg
from retrograd import nn, optim

X = rg.Tensor(np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32))


def network() -> tuple[nn.Module, nn.Module]:
    rg.manual_seed(0)
    body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Tanh())
    return body, nn.Linear(4, 1)


def trained(run: Any, steps: int = 3) -> list[np.ndarray]:
    body, head = network()
    forward = run(lambda x: body(x))
    optimizer = optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        rg.mean(rg.square(head(forward(X)) - 1)).backward()
        optimizer.step()
    state = {**body.state_dict(), **{f"head.{k}": v for k, v in head.state_dict().items()}}
    return list(state.values())


def test_a_compiled_model_trains_in_an_eager_step() -> None:
    """Batch statistics, dropout and the random stream as eagerly."""
    for mine, right in zip(trained(rg.compile), trained(lambda f: f), strict=True):
        np.testing.assert_allclose(mine, right, rtol=1e-4, atol=1e-6)


def test_the_backward_pass_compiles_once() -> None:
    body, head = network()
    forward = rg.compile(body)
    rg.sum(head(forward(X))).backward()
    with counting_compilations() as later:
        for _ in range(2):
            rg.sum(head(forward(X))).backward()
    assert not later
    assert programs(forward) == 1


def test_what_was_read_is_what_is_gone_back_over() -> None:
    weight = rg.Parameter(np.array([2.0]))
    square = rg.compile(lambda: weight * weight)
    double = rg.compile(lambda: setattr(weight, "data", weight.data * 2))
    before = square()
    double()  # reuses the memory of what `before` was computed from
    before.sum().backward()
    assert weight.grad.item() == 4.0


def test_several_results_and_other_leaves() -> None:
    weight, outside = rg.Parameter([3.0]), rg.Tensor([5.0], requires_grad=True)
    parts = rg.compile(lambda x: {"a": weight * x, "b": [outside * x, x * 2], "n": 1})
    found = parts(rg.Tensor([2.0]))
    assert found["n"] == 1
    assert not found["b"][1].requires_grad
    (found["a"] * found["b"][0]).backward()  # 3·2 · 5·2
    assert (weight.grad.item(), outside.grad.item()) == (20.0, 12.0)


def test_the_results_of_a_step_have_no_graph() -> None:
    weight = rg.Parameter([1.0])

    @rg.compile
    def step(x: Any) -> Any:
        weight.grad = None
        loss = (weight * x).sum()
        loss.backward()
        return loss, weight * 2

    assert not any(each.requires_grad for each in step(rg.Tensor([2.0])))
    with rg.no_grad():
        assert not rg.compile(lambda: weight * 2)().requires_grad


def test_without_recording_there_is_no_graph_and_no_second_program() -> None:
    weight = rg.Parameter([1.0])
    double = rg.compile(lambda: weight * 2)
    assert double().requires_grad
    with rg.no_grad():
        assert not double().requires_grad
    assert programs(double) == 1


def test_what_cannot_be_done_is_said() -> None:
    weight = rg.Parameter([1.0])
    cube = rg.compile(lambda: weight**3)
    out = cube()
    with pytest.raises(NotImplementedError, match="gradient of a gradient through the results"):
        out.backward(create_graph=True)
    out = cube()
    out.backward()
    with pytest.raises(RuntimeError, match="a second time through a compiled function"):
        out.backward()
