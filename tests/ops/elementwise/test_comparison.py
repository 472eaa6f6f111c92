"""Equality: of each element, and of two tensors as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd.errors import RetrogradError

PAIRS = [
    ([1.0, 2.0], [1.0, 2.0]),
    ([1.0, 2.0], [1.0, 3.0]),
    ([1.0, 1.0], [1.0]),
    ([[1.0, 2.0]], [1.0, 2.0]),
    ([float("nan")], [float("nan")]),
    ([], []),
    (np.zeros((0, 2)), np.zeros((2, 0))),
]


@pytest.mark.parametrize(("x", "y"), PAIRS)
def test_equal_is_pytorchs_one_bool(x: Any, y: Any) -> None:
    x, y = np.asarray(x), np.asarray(y)
    right = torch.equal(torch.tensor(x), torch.tensor(y))
    assert rg.equal(rg.Tensor(x), rg.Tensor(y)) is right
    assert rg.Tensor(x).equal(rg.Tensor(y)) is right


def test_eq_is_of_each_element() -> None:
    x, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 4.0])
    right = torch.eq(torch.tensor(x), torch.tensor(y)).numpy()
    np.testing.assert_array_equal(rg.eq(x, y).numpy(), right)
    np.testing.assert_array_equal((rg.Tensor(x) == rg.Tensor(y)).numpy(), right)
    np.testing.assert_array_equal(rg.Tensor(x).eq(rg.Tensor(y)).numpy(), right)


def test_a_compiled_step_does_not_know_whether_two_tensors_are_equal() -> None:
    with pytest.raises(RetrogradError, match="only when the compiled step runs"):
        rg.compile(rg.equal)(np.ones(2), np.ones(2))
