"""An epoch has whole batches in a drawn order, in calls of one size."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd.training.sources import STEPS_PER_CALL, OneBatch, Rows, Stack, in_calls

X = np.arange(44, dtype=np.float32).reshape(22, 2)
Y = np.arange(22)


def rows() -> Rows:
    return Rows((X, X[:, :1]), Y)


@pytest.mark.parametrize(("batch_size", "steps", "size"), [(5, 4, 5), (11, 2, 11), (50, 1, 22)])
def test_an_epoch_has_whole_batches_of_rows_that_come_once(batch_size, steps, size) -> None:
    source = rows()
    assert len(source) == 22
    assert source.steps(batch_size) == steps
    (stack,) = source.calls(batch_size, np.random.default_rng(3))
    (numbers,) = stack.arrays
    assert numbers.shape == (steps, size)
    assert len(set(numbers.flat)) == numbers.size
    expected = np.random.default_rng(3).permutation(22)[: numbers.size]
    np.testing.assert_array_equal(numbers.flat, expected)


def test_a_batch_is_the_rows_of_every_input_and_their_targets() -> None:
    (whole, first), target = rows().batch(None, rg.Tensor([7, 2]))
    np.testing.assert_array_equal(whole.numpy(), X[[7, 2]])
    np.testing.assert_array_equal(first.numpy(), X[[7, 2], :1])
    np.testing.assert_array_equal(target.numpy(), [7, 2])


def test_parts_are_all_rows_in_their_order() -> None:
    parts = list(rows().parts(10))
    assert [len(target) for _, target in parts] == [10, 10, 2]
    np.testing.assert_array_equal(np.concatenate([target for _, target in parts]), Y)
    for place, each in enumerate((X, X[:, :1])):
        joined = np.concatenate([inputs[place] for inputs, _ in parts])
        np.testing.assert_array_equal(joined, each)


@pytest.mark.parametrize(
    ("steps", "shape"),
    [(1, (1, 1)), (64, (1, 64)), (65, (2, 32)), (128, (2, 64)), (129, (3, 43)), (131, (3, 43))],
)
def test_calls_of_one_size_have_at_most_64_steps(steps: int, shape: tuple[int, int]) -> None:
    assert STEPS_PER_CALL == 64
    order = np.arange(steps * 3).reshape(steps, 3)
    found = in_calls(order)
    assert found.shape == (*shape, 3)
    np.testing.assert_array_equal(found.reshape(-1, 3), order[: shape[0] * shape[1]])


def test_every_call_of_a_long_epoch_is_a_stack() -> None:
    stacks = list(Rows((Y,), Y).calls(1, np.random.default_rng(0)))
    assert stacks[0].form is None
    long = Rows((np.arange(130),), np.arange(130))
    shapes = [stack.arrays[0].shape for stack in long.calls(1, np.random.default_rng(0))]
    assert shapes == [(43, 1)] * 3


def test_one_batch_is_all_rows_in_their_order_in_every_step() -> None:
    stack = OneBatch.stack(5)
    assert isinstance(stack, Stack)
    assert [len(each) for each in stack.arrays] == [5]
    (x, first), y = OneBatch((X, X[:, :1]), Y).batch(stack.form, rg.Tensor(3))
    np.testing.assert_array_equal(x.numpy(), X)
    np.testing.assert_array_equal(first.numpy(), X[:, :1])
    np.testing.assert_array_equal(y.numpy(), Y)
