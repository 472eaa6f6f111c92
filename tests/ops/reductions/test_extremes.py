"""Which of equal extremes has the slope."""

from __future__ import annotations

import numpy as np
from support.slopes import gradient

import retrograd as rg
from retrograd import ops


def test_equal_extremes_share_the_slope_over_all_and_the_first_has_it_along_an_axis() -> None:
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]])
    shared = [[0, 0.5, 0.5], [0.5, 0.5, 0]]
    np.testing.assert_array_equal(gradient(lambda x: ops.amax(x, 1), x), shared)
    np.testing.assert_array_equal(gradient(lambda x: ops.amin(-x, 1), x), np.negative(shared))
    np.testing.assert_array_equal(gradient(ops.max, x), [[0, 0.5, 0.5], [0, 0, 0]])
    first = [[0, 1, 0], [1, 0, 0]]
    np.testing.assert_array_equal(gradient(lambda x: ops.max(x, 1).values, x), first)
    np.testing.assert_array_equal(gradient(lambda x: ops.min(-x, 1).values, x), np.negative(first))


def test_a_second_tensor_is_compared_elementwise() -> None:
    x, y = rg.Tensor([1.0, 4.0]), rg.Tensor([3.0, 2.0])
    assert ops.max(x, y).tolist() == x.max(y).tolist() == [3.0, 4.0]
    assert ops.min(x, y).tolist() == x.min(y).tolist() == [1.0, 2.0]
