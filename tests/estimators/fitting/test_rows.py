"""Rows as a weighted set, and how an epoch of them is cut."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from retrograd.estimators.fitting.rows import Batching, WeightedRows, distinct


def test_equal_rows_are_one_and_their_weights_add_up() -> None:
    table = pa.table({"a": [2.0, 1.0, 2.0, 2.0, None], "b": ["x", "y", "x", "x", "z"]})
    target = np.array([0, 0, 0, 1, 0])
    found, targets, weights = distinct(table, target, np.array([1.0, 5.0, 0.5, 1.0, 0.0]))
    assert found.to_pylist() == [{"a": 1.0, "b": "y"}, {"a": 2.0, "b": "x"}, {"a": 2.0, "b": "x"}]
    assert targets.tolist() == [0, 0, 1]
    assert weights.tolist() == [5.0, 1.5, 1.0]


def test_the_order_given_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 3, (50, 2)), rng.normal(size=(50, 2)).round()
    order = rng.permutation(50)
    one, other = (
        distinct(pa.table({"a": x[rows, 0], "b": x[rows, 1]}), y[rows], np.ones(50))
        for rows in (np.arange(50), order)
    )
    assert one[0].equals(other[0])
    np.testing.assert_array_equal(one[1], other[1])
    np.testing.assert_array_equal(one[2], other[2])


@pytest.mark.parametrize(
    ("rows", "batch_size"), [(1, 1), (30, 32), (85, 32), (1000, 7), (9000, 32)]
)
def test_an_epoch_has_every_row_once_and_no_step_is_empty(rows: int, batch_size: int) -> None:
    weight = np.random.default_rng(0).random(rows)
    source = WeightedRows(
        (np.zeros((rows, 1), np.float32),),
        np.zeros(rows),
        weight,
        (),
        Batching(rows, batch_size),
        shuffle=True,
    )
    stacks = list(source.calls(batch_size, np.random.default_rng(1)))
    steps = np.concatenate([stack.arrays[0] for stack in stacks])
    assert len({stack.arrays[0].shape for stack in stacks}) == 1
    assert len(steps) == source.steps(batch_size)
    found = steps[steps < rows]
    assert sorted(found.tolist()) == list(range(rows))
    assert (steps.min(1) < rows).all() or rows < len(steps)
    assert (steps < rows).sum(1).max() <= max(batch_size, 1)


def test_the_mean_of_an_epochs_losses_is_the_weighted_mean() -> None:
    rng = np.random.default_rng(0)
    weight, loss = rng.random(85), rng.random(85)
    source = WeightedRows(
        (np.zeros((85, 1), np.float32),), np.zeros(85), weight, (), Batching(85, 32), shuffle=True
    )
    (stack,) = source.calls(32, rng)
    scaled = np.asarray(source._columns[-1].data)
    rows_lost = np.append(loss, 0.0)[np.minimum(stack.arrays[0], 85)]
    steps = (rows_lost * scaled[stack.arrays[0]]).mean(1)
    assert steps.mean() == pytest.approx(np.average(loss, weights=weight), rel=1e-5)
