"""New tensors have PyTorch's values, shapes and dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg

CASES: list[Callable[[Any], Any]] = [
    lambda n: n.zeros(2, 3),
    lambda n: n.zeros((2, 3), dtype=n.int64),
    lambda n: n.zeros([]),
    lambda n: n.ones([2], dtype=n.float64),
    lambda n: n.full((2, 2), 7),
    lambda n: n.full((2, 2), 0.5),
    lambda n: n.full((2,), True),
    lambda n: n.full((2,), 3, dtype=n.float16),
    lambda n: n.arange(5),
    lambda n: n.arange(2, 9, 3),
    lambda n: n.arange(0, 1, 0.25),
    lambda n: n.arange(3.0),
    lambda n: n.arange(3, dtype=n.float32),
    lambda n: n.linspace(-1, 1, 5),
    lambda n: n.logspace(0, 2, 3),
    lambda n: n.eye(3),
    lambda n: n.eye(2, 3, dtype=n.long),
    lambda n: n.tril_indices(3, 4, -1),
    lambda n: n.triu_indices(3, 4, 1),
    lambda n: n.tensor([[1, 2], [3, 4]]),
    lambda n: n.tensor(2.5),
    lambda n: n.tensor([True, False]),
    lambda n: n.tensor([n.tensor(1.0), n.tensor(2.0)]),
    lambda n: n.tensor(np.arange(3.0)),
    lambda n: n.tensor([1, 2], dtype=n.bool),
    lambda n: n.as_tensor(np.arange(3, dtype=np.int32)),
    lambda n: n.from_numpy(np.ones(2)),
    lambda n: n.scalar_tensor(3),
    lambda n: n.zeros_like(n.ones(2, dtype=n.float64)),
    lambda n: n.ones_like(n.zeros(2), dtype=n.int32),
    lambda n: n.full_like(n.zeros(2), 4),
    lambda n: n.ones(2).new_zeros(3),
    lambda n: n.ones(2, dtype=n.double).new_full((2, 1), 3),
    lambda n: n.ones(2, dtype=n.double).new_tensor([1.0]),
    lambda n: n.ones(2).new_ones((1, 2), dtype=n.int64),
]


@pytest.mark.parametrize("make", CASES, ids=range(len(CASES)))
def test_the_values_and_dtypes_are_torchs(make: Callable[[Any], Any]) -> None:
    ours, theirs = make(rg), make(torch).numpy()
    assert (tuple(ours.shape), ours.dtype) == (theirs.shape, theirs.dtype)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-6)


def test_a_leaf_may_require_a_gradient_from_the_start() -> None:
    x = rg.zeros(3, requires_grad=True)
    rg.sum(x * 2).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2, 2, 2])


def test_tensor_copies_and_from_numpy_does_not() -> None:
    array = np.zeros(2)
    copied, shared = rg.tensor(array), rg.from_numpy(array)
    array[0] = 5
    assert copied.tolist() == [0, 0]
    assert shared.tolist() == [5, 0]


def test_from_numpy_takes_arrays_alone() -> None:
    with pytest.raises(TypeError, match="from_numpy: expected an array, found list"):
        rg.from_numpy([1.0])


def test_a_device_is_accepted_where_it_is_there() -> None:
    device = rg.device("cuda" if False else "cpu")
    x = rg.zeros(2, device=device)
    assert x.device == device
    assert x.device.type == "cpu"
    assert str(rg.device("cuda:1")) == "cuda:1"
    with pytest.raises(ValueError, match="there is no device tpu here: JAX computes on"):
        rg.zeros(2, device="tpu")


def test_constants_are_made_in_a_compiled_step() -> None:
    step = rg.compile(lambda x: rg.cat([x, rg.zeros(2), rg.arange(2, dtype=rg.float32)]))
    assert step(rg.ones(1)).tolist() == [1, 0, 0, 0, 1]
