"""Batches of texts of about one length: no row is lost, none is changed, few programs."""

from __future__ import annotations

import numpy as np
import pytest

from retrograd.data.texts.ragged import Ragged
from retrograd.kinds.text.buckets import Buckets, by_length, lengths_of, rows_at_once


def made(rows: int, seed: int = 0) -> Buckets:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 60, (rows, 2))
    sequences = []
    for column in range(2):
        sequences.append(Ragged.of(rng.integers(1, 99, length) for length in lengths[:, column]))
    numbers = np.arange(rows, dtype=np.float32)[:, None]
    return Buckets((numbers,), tuple(sequences), np.arange(rows))


@pytest.mark.parametrize("rows", [1, 7, 999, 1000, 3001])
def test_every_row_is_in_one_bucket_in_which_it_fits(rows: int) -> None:
    lengths = np.random.default_rng(1).integers(0, 90, (rows, 3))
    buckets = by_length(lengths)
    assert sorted(np.concatenate([each for each, _ in buckets])) == list(range(rows))
    assert len(buckets) == (3 if rows >= 1000 else 1)
    for of_bucket, limit in buckets:
        assert (lengths[of_bucket] <= limit).all()
        assert (limit % 8 == 0).all()
        assert (limit >= 8).all()
        assert (limit - lengths[of_bucket].max(0) < 8).all() or limit.min() == 8


def test_long_rows_make_only_their_own_bucket_long() -> None:
    lengths = np.full((2000, 1), 10)
    lengths[::40] = 500  # one row in forty
    assert [int(limit[0]) for _, limit in by_length(lengths)] == [16, 16, 504]


def test_a_few_much_longer_rows_are_apart() -> None:
    lengths = np.full((2000, 1), 10)
    lengths[::10] = 100
    lengths[::400] = 220  # one row in 400
    assert [int(limit[0]) for _, limit in by_length(lengths)] == [16, 16, 104, 224]
    lengths[::400] = 190
    assert [int(limit[0]) for _, limit in by_length(lengths)] == [16, 16, 192]


def test_long_rows_are_few_at_once() -> None:
    assert rows_at_once(np.array([1 << 20, 1 << 20])) == 2
    assert rows_at_once(np.array([1 << 30])) == 1
    source = Buckets((), (Ragged.of([np.ones(1 << 21, np.int32)] * 5),), np.arange(5))
    assert [len(target) for _, target in source.parts(500)] == [2, 2, 1]


@pytest.mark.parametrize("rows", [40, 1500])
def test_an_epoch_has_each_row_at_most_once_and_nearly_all(rows: int) -> None:
    source = made(rows)
    calls = list(source.calls(32, np.random.default_rng(2)))
    assert sum(call.arrays[0].shape[0] for call in calls) == source.steps(32)
    seen = []
    for form, (batches,) in calls:
        for batch in batches:
            (numbers, *ids), target = source.batch(form, batch)
            np.testing.assert_array_equal(numbers.numpy()[:, 0], target.numpy())
            for cut, whole in zip(ids, source.sequences, strict=True):
                length = cut.numpy().shape[1]
                np.testing.assert_array_equal(cut.numpy(), whole.padded(target.numpy(), length))
                assert (whole.lengths[target.numpy()] <= length).all()
            seen += target.numpy().tolist()
    assert len(set(seen)) == len(seen) >= 0.6 * rows
    shapes = {(form, arrays[0].shape) for form, arrays in calls}
    assert len(shapes) == len({form for form, _ in calls})  # a program for each bucket


def test_buckets_take_turns_in_a_seeded_order() -> None:
    source = made(3000)
    orders = [
        [(form, arrays[0].sum()) for form, arrays in source.calls(16, np.random.default_rng(seed))]
        for seed in (3, 3, 4)
    ]
    assert orders[0] == orders[1] != orders[2]
    forms = [form for form, _ in orders[0]]
    assert forms != sorted(forms)


def test_parts_hold_all_rows_for_validation() -> None:
    source = made(1200)
    targets = []
    for (numbers, *ids), target in source.parts(500):
        assert len(target) <= 500
        np.testing.assert_array_equal(numbers[:, 0], target)
        lengths = lengths_of(source.sequences)[target]
        found = np.stack([np.count_nonzero(each, 1) for each in ids], 1)
        np.testing.assert_array_equal(found, lengths)
        targets += target.tolist()
    assert sorted(targets) == list(range(1200))
