"""The slopes of powers and roots at 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from support.slopes import gradient, second, torchs

import retrograd as rg
from retrograd import ops


def derivatives(function: Any, *values: float) -> list[float]:
    """The derivative of `function` at each of the values, by one backward pass."""
    return rg.grad(lambda x: ops.sum(function(x)))(rg.Tensor(np.array(values))).numpy().tolist()


@pytest.mark.parametrize("exponent", [0, 0.0, 1, 2, 3, 0.5, 1.5])
def test_powers_at_zero(exponent) -> None:
    x = np.array([0.0, 2.0])
    expected = torchs(lambda x: x**exponent, x)
    np.testing.assert_allclose(gradient(lambda x: x**exponent, x), expected)
    both = gradient(lambda x, y: x**y, x, [exponent, exponent])
    np.testing.assert_allclose(both[0], expected)
    np.testing.assert_allclose(both[1], [0.0, 2.0**exponent * math.log(2)])


def test_zero_to_a_power_is_flat_in_the_exponent() -> None:
    np.testing.assert_array_equal(gradient(lambda y: 0.0**y, [0.0, 1.0, 2.5]), np.zeros(3))
    expected = torchs(lambda y: 1.5**y, [0.0, 1.0, -2.0])
    np.testing.assert_allclose(gradient(lambda y: 1.5**y, [0.0, 1.0, -2.0]), expected, rtol=1e-14)


def test_curvature_of_powers_at_zero() -> None:
    for exponent, expected in ((0, 0.0), (1, 0.0), (2, 2.0), (3, 0.0)):
        assert second(lambda x, n=exponent: x**n, [0.0]) == [expected]


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("function", "point"),
    [(ops.divide, (1.0, 0.0)), (ops.power, (0.0, -1.0)), (ops.power, (0.0, 0.0))],
)
def test_neither_operand_gets_more_than_a_cotangent_of_zero_at_a_pole(
    function: Any, point: tuple[float, float], place: int
) -> None:
    operands = [rg.Tensor(np.array(value), requires_grad=True) for value in point]
    with np.errstate(all="ignore"):
        function(*operands).backward(np.zeros(()))
    assert operands[place].grad.item() == 0


@pytest.mark.parametrize("base", [0.5, 1.0, 1.5])
def test_a_number_to_a_power_has_the_slope_of_its_logarithm(base: float) -> None:
    found = derivatives(lambda y: base**y, -1.0, 0.0, 2.5)
    np.testing.assert_allclose(found, [base**y * math.log(base) for y in (-1.0, 0.0, 2.5)])


@pytest.mark.parametrize("base", [-2.0, -0.5])
def test_a_negative_number_to_a_power_has_no_slope(base: float) -> None:
    assert np.isnan(derivatives(lambda y: base**y, 2.0)).all()


@pytest.mark.parametrize("base", [0.0, -0.5, -2.0, 0.5])
@pytest.mark.parametrize("exponent", [-2.0, -0.5, 0.0, 0.5])
def test_the_slope_in_the_exponent_is_pytorchs(base: float, exponent: float) -> None:
    theirs = torch.tensor(exponent, dtype=torch.float64, requires_grad=True)
    torch.pow(torch.tensor(base, dtype=torch.float64), theirs).backward()
    found = derivatives(lambda y: ops.power(np.array(base), y), exponent)
    np.testing.assert_allclose(found, theirs.grad.item())


def test_a_branch_that_is_not_taken_keeps_the_infinite_slope_of_a_root_out() -> None:
    def guarded(x: Any) -> Any:
        return ops.where(x > 0, ops.power(x, np.full(2, 0.5)), 0.0)

    assert derivatives(guarded, 0.0, 4.0) == [0.0, 0.25]


def test_an_infinite_slope_that_is_not_used_stays_out_of_the_second_order() -> None:
    def second_slope(a: Any) -> Any:
        return rg.grad(lambda x: ops.sum(a * ops.sqrt(x)))(rg.Tensor(np.array([0.0, 4.0])))[1]

    assert rg.grad(second_slope)(rg.Tensor(np.ones(2))).numpy().tolist() == [0.0, 0.25]
