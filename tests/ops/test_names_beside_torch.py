"""What is composed of other operations gives what PyTorch's function of that name gives.

Values, dtypes and the gradients of a weighed sum, eagerly in float64 and compiled in float32.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg

Array = np.ndarray[Any, Any]

RNG = np.random.default_rng(0)


def draw(*shape: int) -> Array:
    return RNG.standard_normal(shape)


V, M, N = draw(4), draw(3, 4), draw(3, 4)
SQUARE, BATCH = draw(4, 4), draw(2, 3, 4)
WHOLE = np.array([[3, 0, -2, 3], [0, 0, 7, 3]])
ODD = np.array([np.inf, -np.inf, np.nan, 0.0, -1.5])

# The name, the arrays, and how the function (of `rg` or `torch`) is called with their tensors.
Case = tuple[str, list[Array], Callable[..., Any]]


def plain(name: str, *arrays: Array, **options: Any) -> Case:
    return name, list(arrays), lambda n, *xs: getattr(n, name)(*xs, **options)


def listed(name: str, *arrays: Array) -> Case:
    return name, list(arrays), lambda n, *xs: getattr(n, name)(xs)


SMOOTH: list[Case] = [
    *(plain(name, M) for name in ("neg", "absolute", "arctan", "arcsinh", "positive")),
    plain("arccos", np.tanh(M)),
    plain("arcsin", np.tanh(M)),
    plain("arctanh", np.tanh(M)),
    plain("arccosh", 1.5 + np.abs(M)),
    plain("arctan2", M, N),
    *(plain(name, M, N) for name in ("sub", "mul", "rsub", "true_divide")),
    plain("div", M, N),
    plain("pow", np.abs(M), N),
    plain("float_power", np.abs(M), 1 + np.abs(N)),
    plain("reciprocal", 2 + M),
    plain("clone", M),
    plain("pinverse", M),
    plain("swapdims", BATCH, dim0=0, dim1=2),
    plain("trapz", M),
    plain("put", M, np.array([0, 5]), V[:2]),
    plain("ldexp", M, N),
    plain("addcmul", M, N, V, value=0.3),
    plain("addcdiv", M, N, V, value=-2.0),
    plain("clamp", M, min=-0.4, max=0.5),
    plain("clamp_min", M, min=0.1),
    plain("clamp_max", M, max=0.1),
    ("clamp by tensors", [M, N, N + 1], lambda n, x, a, b: n.clamp(x, a, b)),
    listed("cat", M, N),
    listed("concat", M, N),
    listed("vstack", V, M),
    listed("row_stack", V, M),
    listed("hstack", M, N),
    ("hstack of vectors", [V, V[:2]], lambda n, *xs: n.hstack(xs)),
    listed("dstack", M, N),
    listed("column_stack", V, SQUARE),
    *(plain(name, x) for name in ("atleast_1d", "atleast_2d", "atleast_3d") for x in (V, M)),
    plain("broadcast_tensors", V, M),
    plain("cartesian_prod", V, V[:2]),
    plain("combinations", V, r=3),
    plain("combinations", V, with_replacement=True),
    plain("ravel", M),
    plain("t", M),
    plain("t", V),
    plain("flipud", M),
    plain("fliplr", M),
    ("swapaxes", [BATCH], lambda n, x: n.swapaxes(x, 0, 2)),
    ("moveaxis", [BATCH], lambda n, x: n.moveaxis(x, 0, 2)),
    ("split_with_sizes", [M], lambda n, x: n.split_with_sizes(x, [1, 2])),
    ("vsplit", [M], lambda n, x: n.vsplit(x, 3)),
    ("hsplit", [M], lambda n, x: n.hsplit(x, [1, 3])),
    ("hsplit of a vector", [V], lambda n, x: n.hsplit(x, 2)),
    ("dsplit", [BATCH], lambda n, x: n.dsplit(x, 2)),
    ("select_scatter", [M, V], lambda n, x, y: n.select_scatter(x, y, 0, 1)),
    ("slice_scatter", [M, N[:, :2]], lambda n, x, y: n.slice_scatter(x, y, 1, 0, 4, 2)),
    ("mm", [M, SQUARE], lambda n, x, y: n.mm(x, y)),
    ("mv", [M, V], lambda n, x, y: n.mv(x, y)),
    ("bmm", [BATCH, draw(2, 4, 5)], lambda n, x, y: n.bmm(x, y)),
    plain("ger", V, V[:3]),
    plain("vdot", V, V + 1),
    plain("addmm", M, draw(3, 2), draw(2, 4), beta=0.5, alpha=2.0),
    (
        "addmm of what does not count",
        [np.full((3, 4), np.nan), draw(3, 2), draw(2, 4)],
        lambda n, x, a, b: n.addmm(x.detach(), a, b, beta=0),
    ),
    plain("addmv", draw(3), M, V, alpha=0.3),
    plain("addr", M, draw(3), V, beta=2.0),
    plain("baddbmm", draw(2, 3, 5), BATCH, draw(2, 4, 5), beta=0.1),
    plain("addbmm", draw(3, 5), BATCH, draw(2, 4, 5)),
    plain("chain_matmul", M, SQUARE, draw(4, 2)),
    plain("inverse", SQUARE),
    plain("cdist", M, draw(5, 4)),
    plain("cdist", BATCH, draw(2, 5, 4), p=1.0),
    plain("cdist", M, M),
    plain("pdist", M),
    plain("dist", M, N, p=3),
    plain("renorm", BATCH, p=2, dim=1, maxnorm=1.5),
    plain("diag", V),
    plain("diag", SQUARE, diagonal=1),
    plain("diagflat", M, offset=-1),
    plain("aminmax", M, dim=1, keepdim=True),
    plain("var_mean", M, dim=1),
    plain("std_mean", M, correction=0),
    plain("msort", M),
    plain("mode", np.round(M)),
    plain("mode", np.round(BATCH), dim=1, keepdim=True),
    ("gradient", [SQUARE], lambda n, x: n.gradient(x)),
    ("gradient along one axis", [SQUARE], lambda n, x: n.gradient(x, spacing=0.5, dim=1)),
    ("linalg.norm", [M], lambda n, x: n.linalg.norm(x)),
    ("linalg.norm by order", [BATCH], lambda n, x: n.linalg.norm(x, 1, dim=(1, 2))),
    ("linalg.vector_norm", [BATCH], lambda n, x: n.linalg.vector_norm(x, 3, dim=1)),
    ("special.ndtr", [M], lambda n, x: n.special.ndtr(x)),
    ("special.gammaln", [1 + np.abs(M)], lambda n, x: n.special.gammaln(x)),
    ("special.expit", [M], lambda n, x: n.special.expit(x)),
]

# No gradient; those of the second list know their size only once they know the numbers.
QUESTIONS: list[Case] = [
    (
        "heaviside",
        [np.where(np.abs(M) < 0.5, 0.0, M), N],
        lambda n, x, y: n.heaviside(x.detach(), y.detach()),
    ),
    *(plain(name, M, N) for name in ("gt", "ge", "lt", "le", "ne")),
    *(plain(name, ODD) for name in ("isinf", "isposinf", "isneginf")),
    ("sgn", [M], lambda n, x: n.sgn(x.detach())),
    plain("isclose", ODD, ODD),
    plain("isclose", ODD, ODD, equal_nan=True),
    plain("isclose", M, M * (1 + 1e-6)),
    plain("any", WHOLE),
    plain("any", WHOLE, dim=0),
    plain("any", np.zeros((0, 2)), dim=0),
    plain("all", WHOLE, dim=1, keepdim=True),
    plain("all", np.zeros((0, 2)), dim=0),
    plain("count_nonzero", WHOLE, dim=1),
    plain("logical_xor", WHOLE, WHOLE[::-1].copy()),
    plain("gcd", WHOLE, WHOLE[::-1].copy()),
    plain("lcm", WHOLE, WHOLE[::-1].copy()),
    plain("isin", WHOLE, np.array([3, 7])),
    plain("searchsorted", np.sort(V), M),
    plain("searchsorted", np.sort(V), np.sort(V), right=True),
    plain("searchsorted", np.sort(M, -1), N),
    ("bucketize", [M, np.sort(V)], lambda n, x, y: n.bucketize(x, y, right=True)),
    ("div, down", [WHOLE], lambda n, x: n.div(x, 2, rounding_mode="floor")),
    ("div, toward 0", [WHOLE], lambda n, x: n.div(x, -2, rounding_mode="trunc")),
    ("unravel_index", [np.array([5, 7])], lambda n, x: n.unravel_index(x, (3, 4))),
    ("linalg.matrix_rank", [draw(4, 2) @ draw(2, 4)], lambda n, x: n.linalg.matrix_rank(x)),
]
EAGER: list[Case] = [
    plain("nonzero", WHOLE),
    plain("argwhere", WHOLE),
    ("nonzero as a tuple", [WHOLE], lambda n, x: n.nonzero(x, as_tuple=True)),
    plain("unique", WHOLE),
    plain("unique", WHOLE, return_inverse=True, return_counts=True),
    plain("unique", WHOLE, dim=1),
    plain("unique_consecutive", WHOLE, return_inverse=True, return_counts=True),
    plain("unique_consecutive", WHOLE, dim=0),
    plain("bincount", np.array([0, 2, 2, 5]), minlength=8),
    (
        "bincount by weight",
        [np.array([0, 2, 2]), V[:3]],
        lambda n, x, w: n.bincount(x, w.detach()),
    ),
    plain("histc", M, bins=5),
    plain("histc", M, bins=4, min=-1, max=1),
]


def ids(cases: list[Case]) -> list[str]:
    return [f"{position} {case[0]}" for position, case in enumerate(cases)]


def flat(value: Any) -> list[Any]:
    return [value] if hasattr(value, "dtype") else [x for each in value for x in flat(each)]


def answers(tensors: list[Any], total: Callable[[Any, Array], Any]) -> tuple[list[Any], Any]:
    """The outputs, and the sum of them weighed so that every cotangent differs."""
    outputs = flat(tensors)
    whole: Any = 0.0
    for i, each in enumerate(outputs):
        if "float" in str(each.dtype):
            count = int(np.prod(tuple(each.shape), dtype=int))
            weights = np.cos(np.arange(count) + i).reshape(tuple(each.shape))
            whole = whole + total(each, weights)
    return outputs, whole


def by_torch(case: Case, dtype: str) -> tuple[list[Any], list[Any]]:
    _, arrays, call = case
    xs = [
        torch.tensor(x.astype(dtype), requires_grad=True)
        if x.dtype.kind == "f"
        else torch.tensor(x)
        for x in arrays
    ]
    outputs, whole = answers(call(torch, *xs), lambda x, w: (x * torch.tensor(w).to(x.dtype)).sum())
    if isinstance(whole, torch.Tensor) and whole.requires_grad:
        whole.backward()
    return (
        [x.detach().numpy() for x in outputs],
        [x.grad.numpy(force=True) for x in xs if x.grad is not None],
    )


def by_us(case: Case, dtype: str, compiled: bool) -> tuple[list[Any], list[Any]]:
    _, arrays, call = case

    def run(*given: Any) -> Any:
        xs = [
            rg.Tensor(x, requires_grad=True) if "float" in str(x.dtype) else rg.Tensor(x)
            for x in given
        ]
        outputs, whole = answers(call(rg, *xs), lambda x, w: (x * w.astype(x.dtype)).sum())
        if isinstance(whole, rg.Tensor) and whole.requires_grad:
            whole.backward()
        return [x.detach() for x in outputs], [x.grad for x in xs if x.grad is not None]

    given = [x.astype(dtype) if x.dtype.kind == "f" else x for x in arrays]
    outputs, slopes = (rg.compile(run) if compiled else run)(*given)
    return [x.numpy() for x in outputs], [x.numpy() for x in slopes]


def check(case: Case, dtype: str, compiled: bool, tolerance: float) -> None:
    theirs, ours = by_torch(case, dtype), by_us(case, dtype, compiled)
    for expected, found in zip(theirs, ours, strict=True):
        assert len(found) == len(expected)
        for x, y in zip(found, expected, strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


@pytest.mark.filterwarnings("ignore:torch.chain_matmul:UserWarning")
@pytest.mark.parametrize("case", SMOOTH, ids=ids(SMOOTH))
def test_eager_float64_is_torchs(case: Case) -> None:
    check(case, "float64", compiled=False, tolerance=1e-10)


@pytest.mark.filterwarnings("ignore:torch.chain_matmul:UserWarning")
@pytest.mark.parametrize("case", SMOOTH[::3], ids=ids(SMOOTH)[::3])
def test_compiled_float32_is_torchs(case: Case) -> None:
    check(case, "float32", compiled=True, tolerance=2e-5)


@pytest.mark.parametrize("case", QUESTIONS + EAGER, ids=ids(QUESTIONS + EAGER))
def test_questions_have_torchs_answers(case: Case) -> None:
    check(case, "float64", compiled=False, tolerance=1e-12)


def test_questions_have_the_same_answers_in_a_compiled_step() -> None:
    arrays = [array for _, arrays, _ in QUESTIONS for array in arrays]

    def run(*given: Any) -> Any:
        rest = iter(given)
        return [
            flat(call(rg, *(rg.Tensor(next(rest)) for _ in inputs)))
            for _, inputs, call in QUESTIONS
        ]

    found = rg.compile(run)(*arrays)
    for case, answer in zip(QUESTIONS, found, strict=True):
        for x, y in zip(answer, by_torch(case, "float64")[0], strict=True):
            np.testing.assert_array_equal(x.numpy(), y, err_msg=case[0])


@pytest.mark.parametrize("case", EAGER, ids=ids(EAGER))
def test_what_has_no_size_before_it_is_known_is_refused_in_a_compiled_step(case: Case) -> None:
    from retrograd.errors import TraceError

    with pytest.raises(TraceError):
        by_us(case, "float32", compiled=True)


def test_allclose_is_one_bool() -> None:
    x = rg.tensor([1.0, 2.0])
    assert rg.allclose(x, x + 1e-7) is True
    assert rg.allclose(x, x + 0.1) is False
    assert rg.equal(x, x) is True


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: rg.mm(x, x[None]), "mm: expected 2 axes, found the shape (1, 2, 2)"),
        (lambda x: rg.bmm(x[None], rg.cat([x[None], x[None]])), "1 and 2 matrices"),
        (lambda x: rg.diag(x[None]), "diag: expected a vector or a matrix"),
        (lambda x: rg.t(x[None]), "t: expected at most two axes"),
        (lambda x: rg.clamp(x), "clamp: give min, max or both"),
        (lambda x: rg.div(x, x, rounding_mode="up"), "rounding_mode must be None, 'floor'"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_way_out(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call(rg.ones(2, 2))
