"""Determinants of singular matrices, and negative ones."""

from __future__ import annotations

import numpy as np
from support.slopes import slope

import retrograd as rg
from retrograd import ops


def test_determinant_has_a_slope_where_the_matrix_is_singular() -> None:
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(slope(ops.det, singular), [[4, -2], [-2, 1]], atol=1e-12)


def test_the_logarithm_of_a_determinant_that_is_not_positive() -> None:
    matrices = np.array([[[1.0, 2.0], [2.0, 4.0]], [[1.0, 3.0], [2.0, 1.0]]])
    assert np.linalg.slogdet(matrices).sign.tolist() == [0, -1]
    logarithm, not_a_number = ops.logdet(rg.Tensor(matrices)).tolist()
    assert logarithm == -np.inf
    assert np.isnan(not_a_number)
