"""Sums, products and deviations of nothing, of zeros, of equal numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.slopes import gradient, second

import retrograd as rg
from retrograd import ops

INF = math.inf


def test_reductions_of_nothing() -> None:
    nothing = rg.Tensor(np.zeros((0, 2)))
    np.testing.assert_array_equal(ops.sum(nothing, 0).numpy(), [0.0, 0.0])
    np.testing.assert_array_equal(ops.prod(nothing, 0).numpy(), [1.0, 1.0])
    for function in (ops.mean, ops.var, ops.std):  # as PyTorch, without a warning
        assert np.isnan(function(nothing, 0).numpy()).all()
        assert np.isnan(rg.compile(lambda x, f=function: f(x, 0))(nothing).numpy()).all()
    np.testing.assert_array_equal(ops.logsumexp(nothing, 0).numpy(), [-INF, -INF])
    with pytest.raises(ValueError, match="zero-size"):
        ops.amax(nothing, 0)


def test_std_of_equal_numbers_is_flat() -> None:
    equal = np.full((2, 3), 1.5)
    np.testing.assert_array_equal(gradient(lambda x: ops.std(x, 1), equal), np.zeros((2, 3)))
    assert np.isfinite(second(ops.std, equal)).all()
    np.testing.assert_array_equal(ops.std(rg.Tensor(equal)).numpy(), 0.0)


def test_the_deviation_of_one_number_is_unknown_as_in_pytorch() -> None:
    one = np.array([2.0])
    assert math.isnan(ops.var(rg.Tensor(one)).item())
    assert math.isnan(ops.std(rg.Tensor(one)).item())
    assert ops.var(rg.Tensor(one), correction=0).item() == 0.0


@pytest.mark.parametrize("zeros", [0, 1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_products_with_zeros(zeros: int, n: int) -> None:
    x = np.linspace(1.5, 3.0, n)
    x[: min(zeros, n)] = 0.0
    others = [np.prod(np.delete(x, i)) for i in range(n)]
    np.testing.assert_allclose(gradient(ops.prod, x), others)
    hessian = rg.jacobian(rg.grad(ops.prod), x).numpy()
    for i in range(n):
        for j in range(n):
            expected = 0.0 if i == j else np.prod(np.delete(x, [i, j]))
            assert hessian[i, j] == pytest.approx(expected)


def test_a_product_of_one_infinity() -> None:
    np.testing.assert_array_equal(
        gradient(lambda x: ops.prod(x, 1), [[INF], [2.0]]), [[1.0], [1.0]]
    )
