"""The exponential of a matrix: Padé's coefficients, and large matrices."""

from __future__ import annotations

import math

import numpy as np

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
