"""Where a rule as usually written fails: zeros, poles, ties, equal values, singular matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
import torch

import retrograd as rg
from retrograd import ops


def slope(function: Any, *values: Any, compiled: bool = False) -> np.ndarray[Any, Any]:
    """The gradient of the sum of `function(*values)` with respect to the first value."""

    def step(first: Any, *rest: Any) -> Any:
        return rg.grad(lambda x: ops.sum(function(x, *rest)))(first)

    run = rg.compile(step) if compiled else step
    return run(*(rg.Tensor(value) for value in values)).numpy()


def test_sinc_has_its_curvature_at_zero() -> None:
    curvature = rg.grad(rg.grad(ops.sinc))(rg.Tensor(np.array(0.0)))
    np.testing.assert_allclose(curvature.item(), -(np.pi**2) / 3)


@pytest.mark.parametrize("function", [ops.hypot, ops.atan2])
def test_slope_at_the_origin_is_zero(function: Any) -> None:
    assert slope(function, np.zeros(2), np.zeros(2)).tolist() == [0, 0]


def test_digamma_near_its_poles_in_a_compiled_float32_step() -> None:
    x = np.array([-8.3156843, -1.001, -0.9999, 0.3], np.float32)
    np.testing.assert_allclose(
        rg.compile(ops.digamma)(rg.Tensor(x)).numpy(), scipy.special.psi(x.astype(float)), rtol=2e-4
    )


def test_polygamma_of_negative_numbers_in_a_compiled_float32_step() -> None:
    x = np.array([-8.3156843, -2.5, 0.3, 4.0], np.float32)
    right = scipy.special.polygamma(1, x.astype(float))
    trigamma = rg.compile(lambda x: ops.polygamma(1, x))
    np.testing.assert_allclose(trigamma(rg.Tensor(x)).numpy(), right, rtol=1e-5)


def test_log_ndtr_has_its_slope_far_in_the_tail() -> None:
    # φ(x) / Φ(x) tends to -x; both underflow at -40.
    density = -(40**2) / 2 - np.log(2 * np.pi) / 2
    right = np.exp(density - scipy.special.log_ndtr(-40.0))
    np.testing.assert_allclose(slope(ops.log_ndtr, np.array([-40.0])), [right])


# Where each slope is infinite or NaN.
POLES = {
    "log": 0, "log2": 0, "log10": 0, "log1p": -1, "sqrt": 0, "rsqrt": 0, "erfinv": 1, "ndtri": 0,
    "lgamma": 0, "digamma": 0, "asin": 1, "acos": -1, "acosh": 1, "atanh": 1, "logit": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", POLES)
def test_a_cotangent_of_zero_stays_zero_at_a_pole(name: str) -> None:
    x = rg.Tensor(np.array(float(POLES[name])), requires_grad=True)
    with np.errstate(all="ignore"):
        getattr(ops, name)(x).backward(np.zeros(()))
    assert x.grad.item() == 0


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    ("function", "point"),
    [(ops.divide, (1.0, 0.0)), (ops.power, (0.0, -1.0)), (ops.power, (0.0, 0.0))],
)
def test_neither_operand_gets_more_than_a_cotangent_of_zero_at_a_pole(
    function: Any, point: tuple[float, float], place: int
) -> None:
    operands = [rg.Tensor(np.array(value), requires_grad=True) for value in point]
    with np.errstate(all="ignore"):
        function(*operands).backward(np.zeros(()))
    assert operands[place].grad.item() == 0


def test_entropy_has_no_slope_at_zero() -> None:
    assert slope(ops.entr, np.zeros(1)).tolist() == [0]
    assert np.isnan(ops.entr(rg.Tensor([np.nan])).item())
    assert ops.entr(rg.Tensor([-1.0])).item() == -np.inf


@pytest.mark.parametrize("function", [ops.xlogy, ops.xlog1py])
def test_zero_times_an_infinite_logarithm_is_zero(function: Any) -> None:
    pole = 0.0 if function is ops.xlogy else -1.0
    assert function(np.zeros(1), np.array([pole])).numpy().tolist() == [0]
    assert np.isfinite(slope(lambda y: function(np.zeros(1), y), np.array([pole]))).all()


def test_logaddexp_of_two_infinities_shares_the_slope() -> None:
    lowest = np.array([-np.inf])
    assert slope(ops.logaddexp, lowest, lowest).tolist() == [0.5]


def test_cumprod_has_its_slope_where_factors_are_zero() -> None:
    rg.check_gradients(lambda x: ops.cumprod(x, 0), [2.0, 0.0, 3.0, 0.0, 5.0])


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


def test_nothing_scattered_by_an_empty_mask_changes_nothing() -> None:
    x = rg.Tensor([1.0, 2.0])
    assert ops.masked_scatter(x, np.zeros(2, bool), rg.Tensor([])).tolist() == [1, 2]


def test_index_put_is_what_assignment_does_to_an_array(rng: np.random.Generator) -> None:
    x, values = rng.normal(size=(4, 5)), rng.normal(size=(2, 5))
    for index, new in ((slice(1, 3), values), ((slice(None), 2), 7.0), ([3, 0], values)):
        expected = x.copy()
        expected[index] = new
        assert (ops.index_put(rg.Tensor(x), index, new).numpy() == expected).all()


@pytest.mark.parametrize("name", ["median", "nanmedian", "quantile", "nanquantile"])
def test_order_statistics_of_what_is_missing(name: str) -> None:
    x = np.array([[3.0, np.nan, 1.0, 2.0], [4.0, 3.0, 2.0, 1.0]])
    q = [] if "median" in name else [0.4]
    found = getattr(ops, name)(rg.Tensor(x), *q, dim=1)
    right = getattr(torch, name)(torch.tensor(x), *q, dim=1)
    found, right = (found.values, right.values) if "median" in name else (found, right)
    np.testing.assert_allclose(found.numpy(), right.numpy())
    whole, right = getattr(ops, name)(rg.Tensor(x), *q), getattr(torch, name)(torch.tensor(x), *q)
    np.testing.assert_allclose(whole.numpy(), right.numpy())


@pytest.mark.parametrize("how", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_a_quantile_between_two_elements(how: str) -> None:
    x = np.array([5.0, 1.0, 4.0, 2.0])
    for q in (0.0, 0.4, 0.6, 1.0):
        right = torch.quantile(torch.tensor(x), q, interpolation=how)
        found = ops.quantile(rg.Tensor(x), q, interpolation=how)
        np.testing.assert_allclose(found.item(), right.item(), rtol=1e-14)


def test_a_singular_value_below_the_larger_size_times_the_precision_counts_as_zero() -> None:
    tall = np.zeros((4, 2))
    tall[0, 0], tall[1, 1] = 1, 3 * np.finfo(float).eps
    for matrix in (tall, tall.T):
        assert ops.pinv(rg.Tensor(matrix)).numpy().max() == 1


def test_the_exponential_of_a_large_matrix_is_a_rotation() -> None:
    angle = 700.0
    found = ops.matrix_exp(rg.Tensor(np.array([[0.0, -angle], [angle, 0.0]]))).numpy()
    right = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    np.testing.assert_allclose(found, right, atol=1e-11)


def test_the_dot_product_is_of_two_vectors() -> None:
    for a, b in ((np.ones(2), np.ones((2, 2))), (np.ones((2, 2)), np.ones(2))):
        with pytest.raises(ValueError, match="dot"):
            ops.dot(rg.Tensor(a), rg.Tensor(b))


def test_determinant_has_a_slope_where_the_matrix_is_singular() -> None:
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(slope(ops.det, singular), [[4, -2], [-2, 1]], atol=1e-12)


@pytest.mark.parametrize("values", [ops.eigvalsh, ops.svdvals])
def test_the_sum_of_equal_values_has_a_slope(values: Any) -> None:
    np.testing.assert_allclose(slope(values, np.eye(3)), np.eye(3), atol=1e-12)


def test_a_decomposition_used_twice_has_the_second_order_gradient_of_both(
    rng: np.random.Generator,
) -> None:
    # The rule asks for U, S and Vh, and the loss uses two of them: their cotangents must add up.
    rg.check_gradients(lambda a: ops.matmul(*ops.svd(a, False)[::2]), rng.normal(size=(3, 3)))


def test_masked_select_says_why_it_cannot_be_compiled() -> None:
    with pytest.raises(IndexError, match=r"where\(mask, x, 0\)"):
        rg.compile(lambda x: ops.masked_select(x, x > 0))(rg.Tensor([1.0, -1.0]))
