"""The slopes of powers at their corners, and of a clip on its bounds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import ops


def slope(function: Any, *values: float) -> list[float]:
    """The derivative of `function` at each of the values, by one backward pass."""
    return rg.grad(lambda x: ops.sum(function(x)))(rg.Tensor(np.array(values))).numpy().tolist()


@pytest.mark.parametrize("base", [0.5, 1.0, 1.5])
def test_a_number_to_a_power_has_the_slope_of_its_logarithm(base: float) -> None:
    found = slope(lambda y: base**y, -1.0, 0.0, 2.5)
    np.testing.assert_allclose(found, [base**y * math.log(base) for y in (-1.0, 0.0, 2.5)])


@pytest.mark.parametrize("base", [-2.0, -0.5])
def test_a_negative_number_to_a_power_has_no_slope(base: float) -> None:
    assert np.isnan(slope(lambda y: base**y, 2.0)).all()


@pytest.mark.parametrize("base", [0.0, -0.5, -2.0, 0.5])
@pytest.mark.parametrize("exponent", [-2.0, -0.5, 0.0, 0.5])
def test_the_slope_in_the_exponent_is_pytorchs(base: float, exponent: float) -> None:
    theirs = torch.tensor(exponent, dtype=torch.float64, requires_grad=True)
    torch.pow(torch.tensor(base, dtype=torch.float64), theirs).backward()
    found = slope(lambda y: ops.power(np.array(base), y), exponent)
    np.testing.assert_allclose(found, theirs.grad.item())


@pytest.mark.parametrize(("low", "high"), [(1.0, None), (None, 1.0), (1.0, 2.0), (0.0, 1.0)])
def test_on_its_bound_a_clip_has_the_slope_1(low: float | None, high: float | None) -> None:
    assert slope(lambda x: ops.clip(x, low, high), 1.0) == [1.0]


def test_a_branch_that_is_not_taken_keeps_the_infinite_slope_of_a_root_out() -> None:
    def guarded(x: Any) -> Any:
        return ops.where(x > 0, ops.power(x, np.full(2, 0.5)), 0.0)

    assert slope(guarded, 0.0, 4.0) == [0.0, 0.25]


def test_an_infinite_slope_that_is_not_used_stays_out_of_the_second_order() -> None:
    def second_slope(a: Any) -> Any:
        return rg.grad(lambda x: ops.sum(a * ops.sqrt(x)))(rg.Tensor(np.array([0.0, 4.0])))[1]

    assert rg.grad(second_slope)(rg.Tensor(np.ones(2))).numpy().tolist() == [0.0, 0.25]
