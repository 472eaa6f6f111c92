"""Running products, extremes and integrals: zeros, whole numbers, and places of every shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import ops


def test_cumprod_has_its_slope_where_factors_are_zero() -> None:
    rg.check_gradients(lambda x: ops.cumprod(x, 0), [2.0, 0.0, 3.0, 0.0, 5.0])


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, bool])
@pytest.mark.parametrize("name", ["cummax", "cummin"])
def test_running_extremes_of_whole_numbers_are_whole(name: str, dtype: Any) -> None:
    def extreme(x: Any) -> Any:
        return getattr(ops, name)(x, 0)

    for values in ([0, 3, 1, 4, 4, 2], [2, 4, 1, 1, 3, 0], [0, 0, 0]):
        x = np.array(values, dtype)
        right = getattr(torch, name)(torch.tensor(x), 0)
        for run in (extreme, rg.compile(extreme)):
            found = run(rg.Tensor(x))
            assert found[0].dtype == dtype
            assert found[0].tolist() == right.values.tolist()
            assert found[1].tolist() == right.indices.tolist()


@pytest.mark.parametrize("dtype", [int, np.uint8])
def test_logcumsumexp_of_whole_numbers(dtype: Any) -> None:
    x = np.array([3, 1, 4])
    right = torch.logcumsumexp(torch.tensor(x, dtype=torch.float64), 0).numpy()
    found = ops.logcumsumexp(rg.Tensor(x.astype(dtype)), 0).numpy()
    np.testing.assert_allclose(found, right, rtol=1e-6)


def test_logcumsumexp_has_its_slope_where_it_begins_at_minus_infinity() -> None:
    # The first sum is x₀ itself; the second is x₁, of which exp(x₀) = 0 is no part.
    slopes = rg.jacobian(lambda x: ops.logcumsumexp(x, 0), rg.Tensor([-np.inf, 2.0]))
    np.testing.assert_array_equal(slopes.numpy(), np.eye(2))


def test_the_places_of_an_integral_may_have_more_axes(rng: np.random.Generator) -> None:
    y, x = rng.normal(size=(4, 5)), rng.normal(size=(3, 4, 5))
    for dim in (0, 1):
        spread = torch.tensor(np.broadcast_to(y, x.shape).copy())
        for name in ("trapezoid", "cumulative_trapezoid"):
            right = getattr(torch, name)(spread, torch.tensor(x), dim=dim + 1).numpy()
            found = getattr(ops, name)(rg.Tensor(y), rg.Tensor(x), dim=dim).numpy()
            np.testing.assert_allclose(found, right, rtol=1e-12)


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
