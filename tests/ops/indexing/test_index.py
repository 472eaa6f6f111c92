"""Lists as indices, indices met twice, and those out of range."""

from __future__ import annotations

import numpy as np
import pytest
from support.slopes import gradient

import retrograd as rg
from retrograd import ops

X = rg.Tensor(np.ones((2, 3)))


def test_a_list_is_an_index_as_in_numpy() -> None:
    x = np.array([1.0, 2.0, 3.0])
    for index in ([True, False, True], [2, 0], []):
        np.testing.assert_array_equal(rg.Tensor(x)[index].numpy(), x[index])


def test_a_repeated_index_adds_up() -> None:
    rows = np.array([0, 2, 0, 0])
    np.testing.assert_array_equal(gradient(lambda x: x[rows], [1.0, 2.0, 3.0]), [3.0, 0.0, 1.0])
    np.testing.assert_array_equal(
        gradient(lambda x: ops.take(x, rows, 0), [1.0, 2.0, 3.0]), [3, 0, 1]
    )


def test_positions_out_of_range_are_refused() -> None:
    for index in ((2,), (0, -4), (np.array([0, 2]),), (slice(None), slice(None), 0)):
        with pytest.raises(IndexError):
            ops.getitem(X, index)
