"""Rows of different lengths come back padded as they were, by hand."""

from __future__ import annotations

import numpy as np

from retrograd.data.texts.ragged import Ragged


def test_rows_are_cut_or_filled_up_behind() -> None:
    rows = Ragged.of([[3, 4], [], [5, 6, 7]])
    assert len(rows) == 3
    assert rows.lengths.tolist() == [2, 0, 3]
    np.testing.assert_array_equal(rows.padded(np.array([2, 0, 1]), 2), [[5, 6], [3, 4], [0, 0]])
    np.testing.assert_array_equal(rows.padded(np.array([0, 2]), 4), [[3, 4, 0, 0], [5, 6, 7, 0]])
    assert rows.padded(np.array([1]), 8).dtype == np.int32


def test_no_rows_and_empty_rows_have_a_shape() -> None:
    assert Ragged.of([]).padded(np.arange(0), 3).shape == (0, 3)
    np.testing.assert_array_equal(Ragged.of([[], []]).padded(np.arange(2), 1), [[0], [0]])
