"""Choices between values: ties, bounds, signs and what is missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from support.slopes import gradient, slope

import retrograd as rg
from retrograd import ops

X = rg.Tensor(np.ones((2, 3)))


def derivatives(function: Any, *values: float) -> list[float]:
    """The derivative of `function` at each of the values, by one backward pass."""
    return rg.grad(lambda x: ops.sum(function(x)))(rg.Tensor(np.array(values))).numpy().tolist()


def test_where_with_a_scalar_branch_has_gradients_of_the_right_shapes() -> None:
    mask = np.array([True, False, True])
    by_scalar, by_vector = gradient(lambda a, x: ops.where(mask, a, x), 2.0, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(by_scalar, 2.0)
    assert by_scalar.shape == ()
    np.testing.assert_array_equal(by_vector, [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(
        gradient(lambda x: ops.where(mask, x, 0.0), [1.0, 2.0, 3.0]), [1.0, 0.0, 1.0]
    )


def test_equal_operands_share_the_slope() -> None:
    for function in (ops.maximum, ops.minimum):
        for found in gradient(function, [1.0, 1.0], [1.0, 1.0]):
            np.testing.assert_array_equal(found, [0.5, 0.5])
    np.testing.assert_array_equal(gradient(lambda x: ops.maximum(x, 1.0), [1.0, 2.0]), [0.5, 1.0])


@pytest.mark.parametrize(("low", "high"), [(1.0, None), (None, 1.0), (1.0, 2.0), (0.0, 1.0)])
def test_on_its_bound_a_clip_has_the_slope_1(low: float | None, high: float | None) -> None:
    assert derivatives(lambda x: ops.clip(x, low, high), 1.0) == [1.0]


def test_clip_without_bounds_is_refused() -> None:
    with pytest.raises(TypeError, match="clip: give min, max or both"):
        ops.clip(X)


def test_copysign_of_zero_has_the_sign_and_no_slope() -> None:
    x, y = np.array([0.0, -0.0, 3.0]), np.array([-1.0, 2.0, -0.0])
    found = ops.copysign(rg.Tensor(x), rg.Tensor(y)).numpy()
    assert (found.tolist(), np.signbit(found).tolist()) == ([0, 0, -3], [True, False, True])
    assert slope(ops.copysign, x, y).tolist() == [0, 0, -1]


@pytest.mark.parametrize("given", [{}, {"nan": 5.0, "posinf": 3.0, "neginf": -2.0}])
def test_nan_and_infinities_are_replaced_as_in_pytorch(given: dict[str, float]) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 2.0])
    right = torch.nan_to_num(torch.tensor(x), **given)
    assert ops.nan_to_num(rg.Tensor(x), **given).tolist() == right.tolist()


@pytest.mark.parametrize("kind", [float, np.array])
@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_lerp_starts_from_the_end_that_pytorch_does(weight: float, kind: Any) -> None:
    # Beside 1e16 the other end is lost in rounding: only from the nearer one are both reached.
    start, end = np.array([1.0, 1e16]), np.array([1e16, 1.0])
    right = torch.lerp(torch.tensor(start), torch.tensor(end), weight)
    assert ops.lerp(rg.Tensor(start), rg.Tensor(end), kind(weight)).tolist() == right.tolist()


def test_bounds_may_be_tensors_and_have_a_slope() -> None:
    values = [np.array([-1.0, 0.5, 4.0, 2.0]), np.array([0.0, 0.0, 0.0, 3.0]), np.full(4, 2.5)]
    theirs = [torch.tensor(each, requires_grad=True) for each in values]
    expected = torch.clamp(*theirs)
    expected.sum().backward()
    found = ops.clip(*map(rg.Tensor, values))
    np.testing.assert_array_equal(found.numpy(), expected.detach().numpy())
    for mine, right in zip(gradient(ops.clip, *values), theirs, strict=True):
        np.testing.assert_array_equal(mine, right.grad.numpy())
    assert ops.clip(rg.Tensor([1.0, 5.0]), max=rg.Tensor([3.0, 3.0])).tolist() == [1.0, 3.0]
