"""Which singular values count as zero in a pseudoinverse."""

from __future__ import annotations

import numpy as np

import retrograd as rg
from retrograd import ops


def test_a_singular_value_below_the_larger_size_times_the_precision_counts_as_zero() -> None:
    tall = np.zeros((4, 2))
    tall[0, 0], tall[1, 1] = 1, 3 * np.finfo(float).eps
    for matrix in (tall, tall.T):
        assert ops.pinv(rg.Tensor(matrix)).numpy().max() == 1


def test_how_many_matrices_there_are_does_not_change_which_values_count_as_zero() -> None:
    small = 3 * np.finfo(float).eps
    many = rg.Tensor(np.tile(np.diag([1, small]), (10, 1, 1)))
    np.testing.assert_allclose(ops.pinv(many).numpy()[:, 1, 1], 1 / small)
