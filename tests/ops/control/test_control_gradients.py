"""Gradients of gradients through compiled branches, and backward passes inside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg


def both(function: Any, *arguments: Any) -> tuple[Any, Any]:
    return function(*arguments), rg.compile(function)(*arguments)


@pytest.mark.parametrize("values", [[1.0, 2.0], [-1.0, -2.0]])
def test_the_curvature_of_a_branch_is_that_of_the_one_taken(values: list[float]) -> None:
    scale = rg.Tensor(np.array([2.0, 3.0]))

    def branch(x: Any) -> Any:
        return rg.cond(
            rg.sum(x) > 0, lambda x: rg.sum(x**3 * scale), lambda x: rg.sum(x**2 * scale), x
        )

    def penalty(x: Any) -> Any:
        return rg.sum(rg.grad(branch)(x) ** 2)

    x = np.array(values)
    s = scale.numpy()
    # (3 s x²)² and (2 s x)², differentiated
    expected = 36 * s**2 * x**3 if x.sum() > 0 else 8 * s**2 * x
    for found in both(rg.grad(penalty), rg.Tensor(x)):
        np.testing.assert_allclose(found.numpy(), expected)


def test_the_third_derivative_of_a_branch() -> None:
    def branch(x: Any) -> Any:
        return rg.cond(x > 0, lambda x: x**4, lambda x: x**2, x)

    for found in both(rg.grad(rg.grad(rg.grad(branch))), rg.Tensor(2.0)):
        assert found.item() == 48.0


def test_curvature_reaches_what_a_branch_uses_from_around_it() -> None:
    def loss(w: Any, x: Any) -> Any:
        return rg.cond(rg.sum(x) > 0, lambda x: rg.sum(w * w * x * x), lambda x: rg.sum(x), x)

    def penalty(w: Any, x: Any) -> Any:
        return rg.sum(rg.grad(loss, 1)(w, x) ** 2)

    w, x = np.array([1.0, 2.0]), np.array([3.0, 1.0])
    for of_w, of_x in both(rg.grad(penalty, (0, 1)), rg.Tensor(w), rg.Tensor(x)):
        np.testing.assert_allclose(of_w.numpy(), 16 * w**3 * x**2)  # of (2 w² x)²
        np.testing.assert_allclose(of_x.numpy(), 8 * w**4 * x)


@pytest.mark.parametrize("before", [None, 10.0])
def test_a_backward_pass_inside_of_a_loop_adds_up(before: float | None) -> None:
    x = rg.Tensor(np.array([1.0, 2.0, 4.0]))
    found = []
    for run in (lambda f: f, rg.compile):
        weight = rg.Parameter(np.array([2.0]))
        weight.grad = None if before is None else rg.Tensor(np.array([before]))

        def losses(x: Any, weight: Any = weight) -> Any:
            def step(carry: Any, row: Any) -> Any:
                loss = rg.sum(weight * weight * row)
                loss.backward()
                return carry + loss.detach(), loss.detach()

            return rg.scan(step, rg.Tensor(np.array(0.0)), x)

        total, each = run(losses)(x)
        found.append((total.item(), each.tolist(), weight.grad.tolist()))
    assert found[0] == found[1]
    assert found[0] == (28.0, [4.0, 8.0, 16.0], [28.0 + (before or 0.0)])


def test_a_backward_pass_inside_of_a_branch() -> None:
    first, second = rg.Parameter(np.array([2.0])), rg.Parameter(np.array([3.0]))

    @rg.compile
    def step(x: Any) -> Any:
        first.grad = second.grad = None

        def one(x: Any) -> Any:
            loss = rg.sum(first * x)
            loss.backward()
            return loss.detach()

        def other(x: Any) -> Any:
            loss = rg.sum(second * second * x)
            loss.backward()
            return loss.detach()

        return rg.cond(rg.sum(x) > 0, one, other, x)

    assert step(rg.Tensor(np.array([5.0]))).item() == 10.0
    assert (first.grad.item(), second.grad.item()) == (5.0, 0.0)
    assert step(rg.Tensor(np.array([-5.0]))).item() == -45.0
    assert (first.grad.item(), second.grad.item()) == (0.0, -30.0)


def test_a_branch_that_writes_to_a_variable_is_refused() -> None:
    held = rg.Buffer(np.zeros(1))

    def write(x: Any) -> Any:
        held.data = x.data
        return x

    with pytest.raises(RuntimeError, match="cond: the step writes to a Variable"):
        rg.compile(lambda x: rg.cond(rg.sum(x) > 0, write, lambda x: x, x))(rg.Tensor(np.ones(1)))
    assert held.item() == 0.0
