"""Integrals along every axis, with places of every shape, and differences: beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import ops

Y = np.random.default_rng(0).standard_normal((2, 3, 4))

# The shapes of what is integrated and of the places, and the axis.
PLACES = [
    *(((2, 3, 4), (2, 3, 4)[dim : dim + 1], dim) for dim in (0, 1, 2)),
    *(((2, 3, 4), (size,), dim) for size, dim in ((2, -3), (3, -2), (4, -1))),
    *(((2, 3, 4), (3, 4), dim) for dim in (0, 1, 2, -3, -2, -1)),
    *(((2, 3, 4), (2, 3, 4), dim) for dim in (0, 1, -1)),
    *(((2, 2, 3, 4), (2, 3, 4), dim) for dim in (1, 2, 3)),
    ((3, 2), (3,), 0),
    ((3,), (3,), 0),
]


@pytest.mark.parametrize("name", ["trapezoid", "cumulative_trapezoid"])
@pytest.mark.parametrize(("shape", "places", "dim"), PLACES)
def test_an_integral_and_its_slopes_are_pytorchs(
    name: str, shape: tuple[int, ...], places: tuple[int, ...], dim: int
) -> None:
    rng = np.random.default_rng(1)
    arrays = rng.standard_normal(shape), rng.uniform(0, 1, places).cumsum(axis=-1)
    theirs = [torch.tensor(values, requires_grad=True) for values in arrays]
    value = getattr(torch, name)(*theirs, dim=dim)
    value.square().sum().backward()

    def loss(y: Any, x: Any) -> Any:
        return ops.sum(ops.square(getattr(ops, name)(y, x, dim=dim)))

    ours = [rg.Tensor(values) for values in arrays]
    found = getattr(ops, name)(*ours, dim=dim).numpy()
    np.testing.assert_allclose(found, value.detach().numpy(), rtol=1e-12)
    for mine, right in zip(rg.grad(loss, (0, 1))(*ours), theirs, strict=True):
        np.testing.assert_allclose(mine.numpy(), right.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_differences_are_along_the_last_axis_unless_told() -> None:
    np.testing.assert_array_equal(ops.diff(rg.Tensor(Y)).numpy(), np.diff(Y))
    np.testing.assert_array_equal(ops.diff(rg.Tensor(Y), n=2).numpy(), np.diff(Y, n=2))
