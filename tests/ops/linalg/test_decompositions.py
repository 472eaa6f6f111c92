"""Decompositions of singular matrices, and of those with equal values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.slopes import slope

import retrograd as rg
from retrograd import ops


@pytest.mark.parametrize(
    ("function", "oracle"), [(ops.cholesky, np.linalg.cholesky), (ops.eigvalsh, np.linalg.eigvalsh)]
)
def test_a_compiled_step_reads_one_triangle_alone(function: Any, oracle: Any) -> None:
    matrix = np.array([[4.0, 100.0], [1.0, 3.0]])
    right = oracle(np.array([[4.0, 1.0], [1.0, 3.0]]))
    found = rg.compile(function)(rg.Tensor(matrix)).numpy()
    np.testing.assert_allclose(found, right, rtol=1e-5)


def test_singular_vectors_of_a_singular_square_matrix_have_a_slope(
    rng: np.random.Generator,
) -> None:
    def squares(a: Any) -> tuple[Any, ...]:
        u, _, vh = ops.svd(a, False)
        return ops.square(u), ops.square(vh)

    singular = rng.normal(size=(3, 2)) @ rng.normal(size=(2, 3))
    rg.check_gradients(squares, singular, order=1)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_the_largest_singular_value_has_a_slope_where_another_is_zero(shape: Any) -> None:
    matrix = np.zeros(shape)
    matrix[0, 0] = 2
    largest = slope(lambda a: ops.svdvals(a)[0], matrix)
    np.testing.assert_allclose(largest, matrix / 2, atol=1e-12)


@pytest.mark.parametrize("values", [ops.eigvalsh, ops.svdvals])
def test_the_sum_of_equal_values_has_a_slope(values: Any) -> None:
    np.testing.assert_allclose(slope(values, np.eye(3)), np.eye(3), atol=1e-12)


def test_a_decomposition_used_twice_has_the_second_order_gradient_of_both(
    rng: np.random.Generator,
) -> None:
    # The rule asks for U, S and Vh, and the loss uses two of them: their cotangents must add up.
    rg.check_gradients(lambda a: ops.matmul(*ops.svd(a, False)[::2]), rng.normal(size=(3, 3)))
