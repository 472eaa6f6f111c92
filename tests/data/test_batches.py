"""An epoch shows every row once, in batches of one size, in an order that the generator gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrograd.data import Batches
from retrograd.errors import UsageError


@given(n=st.integers(1, 70), batch_size=st.integers(1, 40), drop_last=st.booleans())
def test_an_epoch_has_every_row_in_equal_batches(n: int, batch_size: int, drop_last: bool) -> None:
    batches = Batches((np.arange(n),), batch_size, np.random.default_rng(0), drop_last)
    index = batches.epoch_indices()
    size = min(batch_size, n)
    steps = n // size if drop_last else -(-n // size)
    assert index.shape == (steps, size) == (len(batches), batches.batch_size)
    assert index.dtype == np.int32
    times = np.bincount(index.ravel(), minlength=n)
    if drop_last:
        assert times.max() == 1
    else:
        # The rows that fill the last batch are there twice.
        assert set(times) <= {1, 2}
        assert (times == 2).sum() == steps * size - n


def test_batches_have_the_form_of_the_arrays(rng: np.random.Generator) -> None:
    numbers, codes = rng.normal(size=(10, 3)), np.arange(10)
    for batch in Batches({"numbers": numbers, "codes": codes}, 4, rng):
        np.testing.assert_array_equal(batch["numbers"], numbers[batch["codes"]])
        assert batch["numbers"].shape == (4, 3)
    for batch in Batches((numbers, codes), 4, rng):
        np.testing.assert_array_equal(batch[0], numbers[batch[1]])


def test_iterating_and_indices_give_the_same_epochs() -> None:
    rows = np.arange(100, 150)
    one, other = (Batches((rows,), 8, np.random.default_rng(3)) for _ in range(2))
    for _ in range(3):
        (stacked,) = (np.stack([batch[0] for batch in one]),)
        np.testing.assert_array_equal(stacked, rows[other.epoch_indices()])


def test_each_epoch_is_shuffled_anew() -> None:
    batches = Batches((np.arange(50),), 50, np.random.default_rng(0))
    first, second = batches.epoch_indices(), batches.epoch_indices()
    assert (first != second).any()
    assert (np.sort(first) == np.arange(50)).all()


def test_arrays_that_do_not_match_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(UsageError, match=r"same number of rows, found \{'x': 3, 'y': 4\}"):
        Batches({"x": np.arange(3), "y": np.arange(4)}, 2, rng)
    for empty in ((), (np.empty((0, 3)),)):
        with pytest.raises(UsageError, match="same number of rows"):
            Batches(empty, 2, rng)
    with pytest.raises(UsageError, match="batch_size is 0; expected at least 1"):
        Batches((np.arange(3),), 0, rng)
