"""Trigonometric functions at and beside 0."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.slopes import slope

import retrograd as rg
from retrograd import ops


def test_sinc_has_four_derivatives_at_zero() -> None:
    function: Any = ops.sinc
    for right in (1, 0, -(np.pi**2) / 3, 0, np.pi**4 / 5):
        np.testing.assert_allclose(function(rg.Tensor(np.array(0.0))).item(), right)
        function = rg.grad(function)


def test_sinc_beside_zero() -> None:
    x = np.array([1e-4, 0.01, 0.1, 0.3])
    np.testing.assert_allclose(ops.sinc(rg.Tensor(x)).numpy(), np.sinc(x), rtol=1e-14)


@pytest.mark.parametrize("function", [ops.hypot, ops.atan2])
def test_slope_at_the_origin_is_zero(function: Any) -> None:
    origin = np.zeros(2)
    assert slope(function, origin, origin).tolist() == [0, 0]
    assert slope(lambda x: function(origin, x), origin).tolist() == [0, 0]
