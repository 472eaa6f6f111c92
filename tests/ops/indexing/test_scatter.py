"""Writing by index where several values meet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from support.slopes import slope

import retrograd as rg
from retrograd import ops


@pytest.mark.parametrize("compiled", [False, True])
def test_of_values_written_to_one_place_the_last_stays_and_has_the_slope(compiled: bool) -> None:
    x, index = np.zeros(3), np.array([1, 1, 0, 1])

    def write(values: Any, x: Any, index: Any) -> Any:
        return ops.scatter(x, 0, index, values)

    values = np.array([1.0, 2.0, 3.0, 4.0])
    run = rg.compile(write) if compiled else write
    written = run(rg.Tensor(values), rg.Tensor(x), rg.Tensor(index))
    assert written.numpy().tolist() == [3, 4, 0]
    assert slope(write, values, x, index, compiled=compiled).tolist() == [0, 0, 1, 1]


def test_of_a_larger_source_the_part_that_the_index_covers_is_scattered() -> None:
    x, index, source = np.zeros(3), np.array([2]), np.array([7.0, 8.0])
    right = torch.scatter(*map(torch.tensor, (x, 0, index, source)))
    assert ops.scatter(rg.Tensor(x), 0, index, rg.Tensor(source)).tolist() == right.tolist()
    assert slope(lambda source: ops.scatter(x, 0, index, source), source).tolist() == [1, 0]


def test_of_integers_nothing_reduced_leaves_integers_as_in_pytorch() -> None:
    x, nothing = np.array([1, 2]), np.zeros(0, int)
    found = ops.scatter_reduce(rg.Tensor(x), 0, nothing, rg.Tensor(nothing), "amax", False)
    none = torch.tensor(nothing)
    right = torch.tensor(x).scatter_reduce(0, none, none, "amax", include_self=False).numpy()
    assert (found.dtype, found.tolist()) == (right.dtype, right.tolist())


def test_equal_ones_that_meet_share_the_slope_as_in_pytorch() -> None:
    x, index, source = np.array([2.0, 3.0]), np.array([0, 0, 1]), np.array([2.0, 2.0, 1.0])
    leaves = [torch.tensor(each, requires_grad=True) for each in (x, source)]
    found = leaves[0].scatter_reduce(0, torch.tensor(index), leaves[1], "amax")
    right = torch.autograd.grad(found.sum(), leaves)
    mine = rg.grad(lambda x, s: ops.sum(ops.scatter_reduce(x, 0, index, s, "amax")), (0, 1))
    for ours, theirs in zip(mine(rg.Tensor(x), rg.Tensor(source)), right, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy())


def test_index_put_is_what_assignment_does_to_an_array(rng: np.random.Generator) -> None:
    x, values = rng.normal(size=(4, 5)), rng.normal(size=(2, 5))
    for index, new in ((slice(1, 3), values), ((slice(None), 2), 7.0), ([3, 0], values)):
        expected = x.copy()
        expected[index] = new
        assert (ops.index_put(rg.Tensor(x), index, new).numpy() == expected).all()


@pytest.mark.parametrize("reduce", ["sum", "prod", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
def test_scatter_reduce_keeps_whole_numbers(reduce: str, include_self: bool) -> None:
    x, index, src = np.array([5, 6, 7]), np.array([0, 0, 2]), np.array([-3, 4, 9])
    found = rg.scatter_reduce(rg.Tensor(x), 0, index, rg.Tensor(src), reduce, include_self)
    theirs = torch.tensor(x).scatter_reduce(
        0, torch.tensor(index), torch.tensor(src), reduce, include_self=include_self
    )
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found.numpy(), theirs.numpy())
