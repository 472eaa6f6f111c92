"""Where a rule as usually written fails: zeros, poles, ties, equal values, singular matrices."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import scipy.special
import torch

import retrograd as rg
from retrograd import ops
from retrograd.ops.linalg.matrix_functions import _PADE

BFLOAT16 = ml_dtypes.bfloat16


def slope(function: Any, *values: Any, compiled: bool = False) -> np.ndarray[Any, Any]:
    """The gradient of the sum of `function(*values)` with respect to the first value."""

    def step(first: Any, *rest: Any) -> Any:
        return rg.grad(lambda x: ops.sum(function(x, *rest)))(first)

    run = rg.compile(step) if compiled else step
    return run(*(rg.Tensor(value) for value in values)).numpy()


def test_sinc_has_four_derivatives_at_zero() -> None:
    function: Any = ops.sinc
    for right in (1, 0, -(np.pi**2) / 3, 0, np.pi**4 / 5):
        np.testing.assert_allclose(function(rg.Tensor(np.array(0.0))).item(), right)
        function = rg.grad(function)


def test_sinc_beside_zero() -> None:
    x = np.array([1e-4, 0.01, 0.1, 0.3])
    np.testing.assert_allclose(ops.sinc(rg.Tensor(x)).numpy(), np.sinc(x), rtol=1e-14)


@pytest.mark.parametrize("function", [ops.hypot, ops.atan2])
def test_slope_at_the_origin_is_zero(function: Any) -> None:
    origin = np.zeros(2)
    assert slope(function, origin, origin).tolist() == [0, 0]
    assert slope(lambda x: function(origin, x), origin).tolist() == [0, 0]


def test_digamma_near_its_poles_in_a_compiled_float32_step() -> None:
    x = np.array([-8.3156843, -2.0, -1.001, -1.0, -0.9999, 0.0, 0.3, 0.9999], np.float32)
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
    x = np.array([-1.0, -0.5, 0.0, 0.3, np.nan])
    np.testing.assert_allclose(ops.entr(rg.Tensor(x)).numpy(), scipy.special.entr(x))


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


@pytest.mark.parametrize("function", [ops.xlogy, ops.xlog1py])
def test_zero_times_an_infinite_logarithm_is_zero(function: Any) -> None:
    pole = 0.0 if function is ops.xlogy else -1.0
    assert function(np.zeros(1), np.array([pole])).numpy().tolist() == [0]
    assert np.isfinite(slope(lambda y: function(np.zeros(1), y), np.array([pole]))).all()


@pytest.mark.parametrize("name", ["xlogy", "xlog1py"])
def test_products_with_logarithms_and_their_slopes_are_pytorchs(name: str) -> None:
    x, y = np.array([0.0, 0.0, 0.0, 1.0, 2.0]), np.array([0.0, 2.0, np.nan, -1.0, 0.5])
    y -= name == "xlog1py"
    leaf, theirs = torch.tensor(x, requires_grad=True), getattr(torch.special, name)
    right = theirs(leaf, torch.tensor(y))
    right.sum().backward()
    ours = getattr(ops, name)
    np.testing.assert_allclose(ours(rg.Tensor(x), rg.Tensor(y)).numpy(), right.detach().numpy())
    np.testing.assert_allclose(slope(ours, x, y), leaf.grad.numpy())


def test_logit_has_its_slope_on_the_bounds_and_none_beyond() -> None:
    x = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    found = slope(lambda x: ops.logit(x, 0.25), x)
    np.testing.assert_allclose(found, [0, 16 / 3, 4, 16 / 3, 0])


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


def test_a_single_element_is_scattered_where_the_mask_holds() -> None:
    x = rg.Tensor([1.0, 2.0])
    assert ops.masked_scatter(x, np.array([False, True]), rg.Tensor([5.0])).tolist() == [1, 5]


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


def test_what_flattens_its_tensor_does_so_in_a_compiled_step(rng: np.random.Generator) -> None:
    def step(x: Any, index: Any, mask: Any, levels: Any) -> tuple[Any, ...]:
        return (
            ops.median(x),
            ops.nanmedian(x),
            ops.quantile(x, levels),
            ops.cov(x[0]),
            ops.take_along_dim(x, index),
            ops.masked_scatter(x, mask, x + 1),
            ops.index_add(x[0, 0], 0, index[0, :1], x[1, :1]),
            ops.index_fill(x, 1, index[0], 7.0),
        )

    x, index = rng.normal(size=(2, 3)), np.array([[2, 0], [1, 1]])
    given = [rg.Tensor(each) for each in (x, index, x > 0, np.array([0.2, 0.7]))]
    for compiled, eager in zip(rg.compile(step)(*given), step(*given), strict=True):
        assert compiled.shape == eager.shape
        np.testing.assert_allclose(compiled.numpy(), eager.numpy(), rtol=1e-6)


def test_nothing_has_parts_and_sizes_too() -> None:
    nothing = np.zeros((0, 4))
    assert [part.shape for part in ops.chunk(rg.Tensor(nothing), 3)] == [(0, 4)]
    right = torch.tensor(nothing).unflatten(1, (2, -1))
    assert ops.unflatten(rg.Tensor(nothing), 1, (2, -1)).shape == tuple(right.shape)


def test_a_number_on_the_diagonal_is_a_matrix_of_one_element() -> None:
    parts = np.array(2.0), np.array([[1.0, 3.0]])
    right = torch.block_diag(*map(torch.tensor, parts)).tolist()
    assert ops.block_diag(*map(rg.Tensor, parts)).tolist() == right


def test_what_is_made_a_vector_is_so_in_a_compiled_step() -> None:
    def step(x: Any, places: Any) -> list[Any]:
        return [
            ops.roll(x, 1),
            ops.repeat_interleave(x, 2),
            *ops.meshgrid(x, places),
            ops.trapezoid(x, places, dim=0),
        ]

    x, places = np.array([[1.0, 2.0, 4.0], [5.0, 3.0, 9.0]]), np.array([0.0, 0.5])
    found = rg.compile(step)(rg.Tensor(x), rg.Tensor(places))
    grid = np.meshgrid(x, places, indexing="ij")
    right = [np.roll(x, 1), np.repeat(x, 2), *grid, np.trapezoid(x, places, axis=0)]
    for mine, each in zip(found, right, strict=True):
        np.testing.assert_allclose(mine.numpy(), each)


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


def test_where_all_is_missing_the_first_element_stands_for_it_as_in_pytorch() -> None:
    x = np.full((1, 3), np.nan)
    leaf = torch.tensor(x, requires_grad=True)
    right = torch.nanmedian(leaf, 1)
    assert ops.nanmedian(rg.Tensor(x), 1).indices.tolist() == right.indices.tolist()
    torch.nanquantile(leaf, 0.4, dim=1).sum().backward()
    assert slope(lambda x: ops.nanquantile(x, 0.4, 1), x).tolist() == leaf.grad.tolist()


@pytest.mark.parametrize("how", ["linear", "lower", "higher", "midpoint", "nearest"])
def test_a_quantile_between_two_elements(how: str) -> None:
    x = np.array([5.0, 1.0, 4.0, 2.0])
    for q in (0.0, 0.4, 0.6, 1.0):
        right = torch.quantile(torch.tensor(x), q, interpolation=how)
        found = ops.quantile(rg.Tensor(x), q, interpolation=how)
        np.testing.assert_allclose(found.item(), right.item(), rtol=1e-14)


@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
@pytest.mark.parametrize("options", [{}, {"dim": 1}, {"keepdim": True}])
def test_quantiles_have_pytorchs_shapes(
    name: str, options: dict[str, Any], rng: np.random.Generator
) -> None:
    x = rng.normal(size=(2, 3))
    for q in (np.array(0.4), np.array([0.4]), np.array([0.1, 0.9])):
        right = getattr(torch, name)(torch.tensor(x), torch.tensor(q), **options)
        found = getattr(ops, name)(rg.Tensor(x), q, **options)
        assert found.shape == right.shape
        np.testing.assert_allclose(found.numpy(), right.numpy())


@pytest.mark.parametrize("correction", [1, 2])
def test_the_covariance_of_one_observation_is_unknown_as_in_pytorch(correction: int) -> None:
    found = ops.cov(rg.Tensor(np.ones((2, 1))), correction).numpy()
    assert np.isnan(found).all()


def test_a_singular_value_below_the_larger_size_times_the_precision_counts_as_zero() -> None:
    tall = np.zeros((4, 2))
    tall[0, 0], tall[1, 1] = 1, 3 * np.finfo(float).eps
    for matrix in (tall, tall.T):
        assert ops.pinv(rg.Tensor(matrix)).numpy().max() == 1


def test_how_many_matrices_there_are_does_not_change_which_values_count_as_zero() -> None:
    small = 3 * np.finfo(float).eps
    many = rg.Tensor(np.tile(np.diag([1, small]), (10, 1, 1)))
    np.testing.assert_allclose(ops.pinv(many).numpy()[:, 1, 1], 1 / small)


def test_the_coefficients_of_the_exponential_are_those_of_pades_formula() -> None:
    order = len(_PADE) - 1
    for k, coefficient in enumerate(_PADE):
        above = math.factorial(2 * order - k)
        assert coefficient == above // (math.factorial(order - k) * math.factorial(k))


def test_the_exponential_of_a_large_matrix_is_a_rotation() -> None:
    angle = 1000.0
    found = ops.matrix_exp(rg.Tensor(np.array([[0.0, -angle], [angle, 0.0]]))).numpy()
    right = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    np.testing.assert_allclose(found, right, rtol=0, atol=1e-11)


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


@pytest.mark.parametrize(
    "dtypes",
    [
        (BFLOAT16, BFLOAT16, BFLOAT16),
        (BFLOAT16, BFLOAT16, np.float32),
        (np.float64, BFLOAT16, np.float64),
        (BFLOAT16, np.float64, BFLOAT16),
        (np.float16, BFLOAT16, BFLOAT16),
    ],
)
def test_einsum_has_the_precision_of_its_widest_operand(dtypes: tuple[Any, ...]) -> None:
    # The shapes decide which two are multiplied first.
    for shapes in ([(8, 8), (8, 8), (8, 1)], [(1, 8), (8, 8), (8, 8)]):
        operands = [
            rg.Tensor(np.full(shape, 1.5, dtype))
            for shape, dtype in zip(shapes, dtypes, strict=True)
        ]
        found = ops.einsum("ij,jk,kl->il", *operands)
        assert found.dtype == math.prod(operand[0, 0] for operand in operands).dtype
        assert (found.numpy() == 216).all()


def test_the_dot_product_is_of_two_vectors() -> None:
    for a, b in ((np.ones(2), np.ones((2, 2))), (np.ones((2, 2)), np.ones(2))):
        with pytest.raises(ValueError, match="dot"):
            ops.dot(rg.Tensor(a), rg.Tensor(b))


def test_determinant_has_a_slope_where_the_matrix_is_singular() -> None:
    singular = np.array([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(slope(ops.det, singular), [[4, -2], [-2, 1]], atol=1e-12)


def test_the_logarithm_of_a_determinant_that_is_not_positive() -> None:
    matrices = np.array([[[1.0, 2.0], [2.0, 4.0]], [[1.0, 3.0], [2.0, 1.0]]])
    assert np.linalg.slogdet(matrices).sign.tolist() == [0, -1]
    logarithm, not_a_number = ops.logdet(rg.Tensor(matrices)).tolist()
    assert logarithm == -np.inf
    assert np.isnan(not_a_number)


@pytest.mark.parametrize(
    ("function", "oracle"), [(ops.cholesky, np.linalg.cholesky), (ops.eigvalsh, np.linalg.eigvalsh)]
)
def test_a_compiled_step_reads_one_triangle_alone(function: Any, oracle: Any) -> None:
    matrix = np.array([[4.0, 100.0], [1.0, 3.0]])
    right = oracle(np.array([[4.0, 1.0], [1.0, 3.0]]))
    found = rg.compile(function)(rg.Tensor(matrix)).numpy()
    np.testing.assert_allclose(found, right, rtol=1e-5)


def test_singular_vectors_of_a_singular_square_matrix_have_a_slope(
    rng: np.random.Generator,
) -> None:
    def squares(a: Any) -> tuple[Any, ...]:
        u, _, vh = ops.svd(a, False)
        return ops.square(u), ops.square(vh)

    singular = rng.normal(size=(3, 2)) @ rng.normal(size=(2, 3))
    rg.check_gradients(squares, singular, order=1)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_the_largest_singular_value_has_a_slope_where_another_is_zero(shape: Any) -> None:
    matrix = np.zeros(shape)
    matrix[0, 0] = 2
    largest = slope(lambda a: ops.svdvals(a)[0], matrix)
    np.testing.assert_allclose(largest, matrix / 2, atol=1e-12)


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
