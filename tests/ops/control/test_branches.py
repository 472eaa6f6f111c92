"""Branches: the same numbers eagerly and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import ops


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("compiled", [False, True])
def test_cond_takes_one_branch_and_its_gradient(sign: float, compiled: bool) -> None:
    w = rg.Parameter(np.array([2.0, 3.0]))

    def step(p: Any, x: Any) -> Any:
        w.grad = None
        x = rg.Tensor(x.data, requires_grad=True)
        y = rg.cond(p > 0, lambda x: ops.sin(x * w).sum(), lambda x: (x * x).sum(), x)
        y.backward()
        return y, x.grad, 0 * w.data if w.grad is None else w.grad.data

    x = np.array([0.5, 0.25])
    run = rg.compile(step) if compiled else step
    y, slope, of_w = (np.asarray(each) for each in run(rg.Tensor(sign), rg.Tensor(x)))
    wx = x * np.array([2.0, 3.0])
    taken = sign > 0
    np.testing.assert_allclose(y, np.sin(wx).sum() if taken else (x * x).sum())
    np.testing.assert_allclose(slope, np.cos(wx) * [2.0, 3.0] if taken else 2 * x)
    np.testing.assert_allclose(of_w, np.cos(wx) * x if taken else [0.0, 0.0])


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("compiled", [False, True])
def test_what_only_one_branch_depends_on_has_its_gradient(sign: float, compiled: bool) -> None:
    first, second = rg.Parameter([2.0]), rg.Parameter([3.0])

    def step(p: Any) -> Any:
        first.grad = second.grad = None
        rg.cond(p > 0, lambda: first * first, lambda: second * 5.0).sum().backward()
        return [0 * w.data if w.grad is None else w.grad.data for w in (first, second)]

    found = (rg.compile(step) if compiled else step)(rg.Tensor(sign))
    assert [np.asarray(each).item() for each in found] == ([4, 0] if sign > 0 else [0, 5])


def test_a_compiled_cond_needs_no_gradient() -> None:
    run = rg.compile(lambda p, x: rg.cond(p > 0, lambda x: (x * 2, x), lambda x: (x, x), x))
    assert [y.tolist() for y in run(rg.Tensor(1.0), rg.Tensor([3.0]))] == [[6], [3]]


def test_cond_refuses_branches_of_different_results() -> None:
    def step(p: Any, x: Any) -> Any:
        return rg.cond(p > 0, lambda x: x, lambda x: x.sum(), x)

    with pytest.raises(TypeError, match="the branches return"):
        rg.compile(step)(rg.Tensor(1.0), rg.Tensor([1.0, 2.0]))

    def in_a_list(p: Any, x: Any) -> Any:
        return rg.cond(p > 0, lambda x: (x, x), lambda x: [x, x], x)

    with pytest.raises(TypeError, match=r"cond: <lambda> returns \[.*\], expected \("):
        rg.compile(in_a_list)(rg.Tensor(1.0), rg.Tensor([1.0, 2.0]))
