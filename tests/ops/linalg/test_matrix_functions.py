"""The exponential of a matrix: Padé's coefficients, and large matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg

import retrograd as rg
from retrograd import ops
from retrograd.ops.linalg.matrix_functions import _PADE


def test_the_coefficients_of_the_exponential_are_those_of_pades_formula() -> None:
    order = len(_PADE) - 1
    for k, coefficient in enumerate(_PADE):
        above = math.factorial(2 * order - k)
        assert coefficient == above // (math.factorial(order - k) * math.factorial(k))


def test_the_exponential_of_a_large_matrix_is_a_rotation() -> None:
    angle = 1000.0
    found = ops.matrix_exp(rg.Tensor(np.array([[0.0, -angle], [angle, 0.0]]))).numpy()
    right = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    np.testing.assert_allclose(found, right, rtol=0, atol=1e-11)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("scale", [0.01, 0.3, 1.0, 3.0, 10.0])
def test_the_exponential_in_single_precision_is_scipys(scale: float, compiled: bool) -> None:
    """A squaring doubles the error, so there are no more of them than the norm asks for."""
    a = (np.random.default_rng(0).normal(size=(3, 5, 5)) * scale / 2).astype(np.float32)
    a[1] = 0
    exact = scipy.linalg.expm(a.astype(np.float64))
    found = (rg.compile(ops.matrix_exp) if compiled else ops.matrix_exp)(rg.Tensor(a)).numpy()
    assert found.dtype == np.float32
    error = np.abs(found - exact).max(axis=(1, 2)) / np.abs(exact).max(axis=(1, 2))
    assert error.max() < 2e-6
