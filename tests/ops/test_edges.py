"""The points where a rule is most easily wrong: ties, zeros, poles, overflow, nothing at all."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import ops

INF = math.inf


def gradient(function, *values, dtype="float64"):
    """The gradients of the sum of `function`, eagerly; compiled they must be equal."""
    found = []
    for run in (lambda f: f, rg.compile):
        pull = run(rg.grad(lambda *x: function(*x).sum(), tuple(range(len(values)))))
        slopes = pull(*(rg.Tensor(np.asarray(v, dtype)) for v in values))
        found.append([slope.numpy() for slope in slopes])
    for eager, compiled in zip(*found, strict=True):
        assert (eager.shape, eager.dtype) == (compiled.shape, compiled.dtype)
        np.testing.assert_allclose(compiled, eager, rtol=1e-6)
    return found[0] if len(values) > 1 else found[0][0]


def second(function, value):
    """d²/dx² of an elementwise function."""
    return rg.grad(lambda x: rg.grad(lambda x: function(x).sum())(x).sum())(
        rg.Tensor(np.asarray(value, np.float64))
    ).numpy()


def torchs(function, *values):
    leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values]
    slopes = torch.autograd.grad(function(*leaves).sum(), leaves)
    return [slope.numpy() for slope in slopes] if len(values) > 1 else slopes[0].numpy()


# Shapes and dtypes of gradients -------------------------------------------------------------------


def test_where_with_a_scalar_branch_has_gradients_of_the_right_shapes() -> None:
    mask = np.array([True, False, True])
    by_scalar, by_vector = gradient(lambda a, x: ops.where(mask, a, x), 2.0, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(by_scalar, 2.0)
    assert by_scalar.shape == ()
    np.testing.assert_array_equal(by_vector, [0.0, 1.0, 0.0])
    np.testing.assert_array_equal(
        gradient(lambda x: ops.where(mask, x, 0.0), [1.0, 2.0, 3.0]), [1.0, 0.0, 1.0]
    )


@pytest.mark.parametrize(
    "function",
    [
        ops.relu, ops.abs, ops.tanh, ops.sigmoid, ops.softplus, ops.erf, ops.sqrt, ops.rsqrt,
        ops.log_softmax, ops.softmax, ops.std, ops.var, ops.norm, ops.prod, ops.amax, ops.logsumexp,
        lambda x: ops.where(x > 1, x, 0.0), lambda x: ops.clip(x, 0.0, 1.5), lambda x: x**2.5,
        lambda x: 2.0**x, lambda x: 1.0 / x, lambda x: ops.maximum(x, 0.5),
        lambda x: ops.norm(x, 3),
    ],
)  # fmt: skip
def test_float32_gradients_stay_float32(function) -> None:
    x = rg.Tensor([0.5, 1.0, 2.0], requires_grad=True)
    (slope,) = rg.vjp(lambda x: function(x).sum(), x)[1](None)
    assert slope.dtype == np.float32
    x = rg.Tensor([0.5, 1.0, 2.0], requires_grad=True)
    function(x).sum().backward(create_graph=True)
    assert x.grad.dtype == np.float32


# No overflow --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("function", "value", "slope"),
    [
        (ops.tanh, [-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]),
        (ops.sigmoid, [0.0, 0.5, 1.0], [0.0, 0.25, 0.0]),
        (ops.softplus, [0.0, math.log(2), 800.0], [0.0, 0.5, 1.0]),
        (ops.erf, [-1.0, 0.0, 1.0], [0.0, 2 / math.sqrt(math.pi), 0.0]),
        (ops.relu, [0.0, 0.0, 800.0], [0.0, 0.0, 1.0]),
    ],
)
def test_activations_at_800(function, value, slope, dtype) -> None:
    x = [-800.0, 0.0, 800.0]
    np.testing.assert_allclose(function(rg.Tensor(x, dtype=dtype)).numpy(), value, rtol=1e-6)
    np.testing.assert_allclose(gradient(function, x, dtype=dtype), slope, rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize("sign", [1, -1])
def test_log_softmax_and_logsumexp_at_10_000(sign: int) -> None:
    x = np.array([sign * 1e4, 0.0, sign * 1e4])
    share = np.array([0.5, 0.0, 0.5]) if sign > 0 else np.array([0.0, 1.0, 0.0])
    top = 1e4 + math.log(2) if sign > 0 else 0.0
    np.testing.assert_allclose(ops.logsumexp(rg.Tensor(x)).item(), top, rtol=1e-14)
    np.testing.assert_allclose(ops.log_softmax(rg.Tensor(x)).numpy(), x - top, rtol=1e-12)
    np.testing.assert_allclose(ops.softmax(rg.Tensor(x)).numpy(), share, atol=1e-15)
    np.testing.assert_allclose(gradient(ops.logsumexp, x), share, atol=1e-15)
    np.testing.assert_allclose(
        gradient(lambda x: ops.log_softmax(x)[1], x), np.eye(3)[1] - share, atol=1e-15
    )


# Infinities and nothing ---------------------------------------------------------------------------


def test_logsumexp_of_a_row_of_minus_infinity() -> None:
    x = np.array([[-INF, -INF], [0.0, 0.0], [-INF, 0.0]])
    np.testing.assert_allclose(ops.logsumexp(rg.Tensor(x), 1).numpy(), [-INF, math.log(2), 0.0])
    # PyTorch and JAX give NaN for the first row, whose limit is 0 for every x that stays finite.
    np.testing.assert_allclose(
        gradient(lambda x: ops.logsumexp(x, 1), x), [[0, 0], [0.5, 0.5], [0, 1]]
    )


def test_masked_logits_receive_no_gradient() -> None:
    x = np.array([1.0, -INF, 2.0])
    expected = torchs(lambda x: torch.softmax(x, -1)[0], x)
    np.testing.assert_allclose(gradient(lambda x: ops.softmax(x)[0], x), expected, atol=1e-15)
    expected = torchs(lambda x: torch.log_softmax(x, -1)[0], x)
    np.testing.assert_allclose(gradient(lambda x: ops.log_softmax(x)[0], x), expected, atol=1e-15)


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


def test_nan_is_neither_hidden_nor_spread() -> None:
    x = rg.Tensor([1.0, math.nan, 3.0])
    for function in (ops.amax, ops.amin, ops.sum, ops.mean, ops.prod, ops.logsumexp, ops.norm):
        assert math.isnan(function(x).item())
    for function in (
        ops.relu,
        ops.abs,
        ops.tanh,
        lambda x: ops.clip(x, 0, 2),
        lambda x: ops.maximum(x, 0),
    ):
        np.testing.assert_array_equal(np.isnan(function(x).numpy()), [False, True, False])
    np.testing.assert_array_equal(ops.sort(x).indices.numpy(), [0, 2, 1])


# Zeros --------------------------------------------------------------------------------------------


def test_sqrt_at_zero_is_infinitely_steep_and_norms_are_flat() -> None:
    zero = np.zeros(2)
    np.testing.assert_array_equal(gradient(ops.sqrt, zero), [INF, INF])
    for p in (1, 2, 3, 0, INF, -INF):
        np.testing.assert_array_equal(
            gradient(lambda x, p=p: ops.norm(x, p), zero),
            torchs(lambda x, p=p: torch.linalg.vector_norm(x, p), zero) if p in (1, 2) else zero,
        )
    assert np.isfinite(second(ops.norm, zero)).all()


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


@pytest.mark.parametrize("exponent", [0, 0.0, 1, 2, 3, 0.5, 1.5])
def test_powers_at_zero(exponent) -> None:
    x = np.array([0.0, 2.0])
    expected = torchs(lambda x: x**exponent, x)
    np.testing.assert_allclose(gradient(lambda x: x**exponent, x), expected)
    both = gradient(lambda x, y: x**y, x, [exponent, exponent])
    np.testing.assert_allclose(both[0], expected)
    np.testing.assert_allclose(both[1], [0.0, 2.0**exponent * math.log(2)])


def test_zero_to_a_power_is_flat_in_the_exponent() -> None:
    np.testing.assert_array_equal(gradient(lambda y: 0.0**y, [0.0, 1.0, 2.5]), np.zeros(3))
    expected = torchs(lambda y: 1.5**y, [0.0, 1.0, -2.0])
    np.testing.assert_allclose(gradient(lambda y: 1.5**y, [0.0, 1.0, -2.0]), expected, rtol=1e-14)


def test_curvature_of_powers_at_zero() -> None:
    for exponent, expected in ((0, 0.0), (1, 0.0), (2, 2.0), (3, 0.0)):
        assert second(lambda x, n=exponent: x**n, [0.0]) == [expected]


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


GUARDED = [
    (lambda x: ops.where(x != 0, 1 / ops.where(x != 0, x, 1.0), 0.0), [0.0, 2.0]),
    (lambda x: ops.where(x != 0, 1 / x, 0.0), [0.0, 2.0]),
    (lambda x: ops.where(x != 0, x / x, 0.0), [0.0, 2.0]),
    (lambda x: ops.where(x != 0, 3.0 / (x * x), 0.0), [0.0, 2.0]),
    (lambda x: ops.where(x > 0, ops.log(x), 0.0), [0.0, -1.0, 2.0]),
    (lambda x: ops.where(x > -1, ops.log1p(x), 0.0), [-1.0, -2.0, 2.0]),
    (lambda x: ops.where(x > 0, ops.sqrt(x), 0.0), [0.0, -1.0, 2.0]),
    (lambda x: ops.where(x > 0, ops.rsqrt(x), 0.0), [0.0, -1.0, 2.0]),
    (lambda x: ops.where(x > 0, x**0.5, 0.0), [0.0, -1.0, 2.0]),
    (lambda x: ops.where(x != 0, x**-2, 0.0), [0.0, 2.0]),
    (lambda x: ops.where(x > 0, x**x, 0.0), [0.0, -1.0, 2.0]),
]


@pytest.mark.parametrize(("function", "points"), GUARDED)
def test_where_guards_a_pole_in_the_gradient_of_both_orders(function, points) -> None:
    slopes, curvatures = gradient(function, points), second(function, points)
    np.testing.assert_array_equal(slopes[:-1], np.zeros(len(points) - 1))
    np.testing.assert_array_equal(curvatures[:-1], np.zeros(len(points) - 1))
    rg.check_gradients(function, np.array(points[-1:]), rtol=1e-4)


# Ties ---------------------------------------------------------------------------------------------


def test_equal_operands_share_the_slope() -> None:
    for function in (ops.maximum, ops.minimum):
        for slope in gradient(function, [1.0, 1.0], [1.0, 1.0]):
            np.testing.assert_array_equal(slope, [0.5, 0.5])
    np.testing.assert_array_equal(gradient(lambda x: ops.maximum(x, 1.0), [1.0, 2.0]), [0.5, 1.0])


def test_equal_extremes_share_the_slope_over_all_and_the_first_has_it_along_an_axis() -> None:
    x = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 0.0]])
    shared = [[0, 0.5, 0.5], [0.5, 0.5, 0]]
    np.testing.assert_array_equal(gradient(lambda x: ops.amax(x, 1), x), shared)
    np.testing.assert_array_equal(gradient(lambda x: ops.amin(-x, 1), x), np.negative(shared))
    np.testing.assert_array_equal(gradient(ops.max, x), [[0, 0.5, 0.5], [0, 0, 0]])
    first = [[0, 1, 0], [1, 0, 0]]
    np.testing.assert_array_equal(gradient(lambda x: ops.max(x, 1).values, x), first)
    np.testing.assert_array_equal(gradient(lambda x: ops.min(-x, 1).values, x), np.negative(first))


def test_slopes_at_a_kink() -> None:
    for function, expected in ((ops.relu, 0.0), (ops.abs, 0.0), (ops.sign, 0.0)):
        assert gradient(function, [0.0]) == [expected]
    np.testing.assert_array_equal(
        gradient(lambda x: ops.clip(x, -1.0, 1.0), [-2.0, -1.0, 0.0, 1.0, 2.0]), [0, 1, 1, 1, 0]
    )


def test_equal_elements_keep_their_order_when_sorted() -> None:
    x = rg.Tensor([2.0, 1.0, 2.0, 1.0])
    np.testing.assert_array_equal(ops.sort(x).indices.numpy(), [1, 3, 0, 2])
    np.testing.assert_array_equal(ops.sort(x, descending=True).indices.numpy(), [0, 2, 1, 3])


def test_a_list_is_an_index_as_in_numpy() -> None:
    x = np.array([1.0, 2.0, 3.0])
    for index in ([True, False, True], [2, 0], []):
        np.testing.assert_array_equal(rg.Tensor(x)[index].numpy(), x[index])


def test_a_repeated_index_adds_up() -> None:
    rows = np.array([0, 2, 0, 0])
    np.testing.assert_array_equal(gradient(lambda x: x[rows], [1.0, 2.0, 3.0]), [3.0, 0.0, 1.0])
    np.testing.assert_array_equal(
        gradient(lambda x: ops.take(x, rows, 0), [1.0, 2.0, 3.0]), [3, 0, 1]
    )


# Refusals -----------------------------------------------------------------------------------------

X = rg.Tensor(np.ones((2, 3)))

OUT_OF_RANGE = {
    "sum": lambda d: ops.sum(X, d),
    "sum of two": lambda d: ops.sum(X, (0, d)),
    "mean": lambda d: ops.mean(X, dim=d),
    "var": lambda d: ops.var(X, d),
    "std": lambda d: ops.std(X, d),
    "amax": lambda d: ops.amax(X, d),
    "max": lambda d: ops.max(X, d),
    "prod": lambda d: ops.prod(X, d),
    "logsumexp": lambda d: ops.logsumexp(X, d),
    "softmax": lambda d: ops.softmax(X, d),
    "log_softmax": lambda d: ops.log_softmax(X, d),
    "norm": lambda d: ops.norm(X, 2, d),
    "cumsum": lambda d: ops.cumsum(X, d),
    "argmax": lambda d: ops.argmax(X, d),
    "sort": lambda d: ops.sort(X, d),
    "concatenate": lambda d: ops.concatenate([X, X], d),
    "stack": lambda d: ops.stack([X, X], d + 1 if d > 0 else d - 1),
    "split": lambda d: ops.split(X, 1, d),
    "flip": lambda d: ops.flip(X, d),
    "squeeze": lambda d: ops.squeeze(X, d),
    "unsqueeze": lambda d: ops.unsqueeze(X, d + 1 if d > 0 else d - 1),
    "flatten": lambda d: ops.flatten(X, d),
    "transpose": lambda d: ops.transpose(X, 0, d),
    "permute": lambda d: ops.permute(X, dims=(0, d)),
    "take": lambda d: ops.take(X, np.array([0]), d),
    "take_along_axis": lambda d: ops.take_along_axis(X, np.zeros((1, 1), int), d),
    "cumprod": lambda d: ops.cumprod(X, d),
    "logcumsumexp": lambda d: ops.logcumsumexp(X, d),
    "cummax": lambda d: ops.cummax(X, d),
    "cummin": lambda d: ops.cummin(X, d),
    "diff": lambda d: ops.diff(X, dim=d),
    "trapezoid": lambda d: ops.trapezoid(X, dim=d),
    "cumulative_trapezoid": lambda d: ops.cumulative_trapezoid(X, dim=d),
}


@pytest.mark.parametrize("dim", [2, -3])
@pytest.mark.parametrize("name", OUT_OF_RANGE)
def test_an_axis_out_of_range_is_refused(name: str, dim: int) -> None:
    with pytest.raises(IndexError, match=r"out of (range|bounds)|index out of range"):
        OUT_OF_RANGE[name](dim)


REFUSED = [
    (lambda: X + np.ones(2), "broadcast"),
    (lambda: ops.matmul(X, X), r"matmul: the shapes \(2, 3\) and \(2, 3\) do not fit"),
    (lambda: ops.matmul(X, 2.0), r"matmul: an operand is a single number; multiply with \*"),
    (lambda: ops.matmul(2.0, X), r"matmul: an operand is a single number; multiply with \*"),
    (lambda: ops.linear(X, rg.Tensor(np.ones((4, 2)))), r"linear: the input has shape \(2, 3\)"),
    (lambda: ops.linear(rg.Tensor(2.0), X), r"linear: the input has shape \(\)"),
    (lambda: ops.einsum("ij,jk->ik", X), "describes 2 operands, 1 were given"),
    (lambda: ops.einsum("ijk->i", X), r"names 3 axes; the operand has shape \(2, 3\)"),
    (lambda: ops.einsum("...ijk->i", X), r"names 3 axes; the operand has shape \(2, 3\)"),
    (lambda: ops.einsum("ij,ij->i", X, ops.transpose(X, 0, 1)), "broadcast"),
    (lambda: ops.split(X, [1, 1], 1), r"the sections \[1, 1\] add up to 2, but axis 1 has size 3"),
    (lambda: ops.pad(X, (1, 1), mode="mirror"), "mode 'mirror'"),
    (lambda: ops.polygamma(-1, X), "the order must not be negative, found -1"),
    (lambda: ops.reshape(X, shape=(4,)), "reshape"),
    (lambda: ops.broadcast_to(X, shape=(2, 4)), "broadcast"),
    (lambda: ops.kthvalue(X, 0), "kthvalue: k must be from 1 to 3, found 0"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_shapes_that_do_not_fit_are_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_clip_without_bounds_is_refused() -> None:
    with pytest.raises(TypeError, match="clip: give min, max or both"):
        ops.clip(X)


def test_positions_out_of_range_are_refused() -> None:
    for index in ((2,), (0, -4), (np.array([0, 2]),), (slice(None), slice(None), 0)):
        with pytest.raises(IndexError):
            ops.getitem(X, index)
