"""What all rules keep: the dtype, 0 at a pole, NaN; and what does not fit is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from support.slopes import gradient, second

import retrograd as rg
from retrograd import ops


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
