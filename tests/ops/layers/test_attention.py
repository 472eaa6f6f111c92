"""Scaled dot-product attention against PyTorch's, masks and rows without keys included."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from support.spatial_oracle import Call, call, check_compiled, check_eager

import retrograd as rg
from retrograd.nn import functional as F

attention = F.scaled_dot_product_attention
Q, K, V = (2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2)
PADDING = np.arange(6) < np.array([6, 3])[:, None]  # (n, s)
HOLES = np.random.default_rng(3).random((4, 6)) < 0.5
HOLES[2] = False  # a query for which no key takes part


def masked(mask: np.ndarray, *shapes: tuple[int, ...], **options) -> Call:
    theirs = torch.nn.functional.scaled_dot_product_attention
    return Call(
        functools.partial(attention, attn_mask=mask, **options),
        functools.partial(theirs, attn_mask=torch.tensor(mask), **options),
        shapes,
        f"mask {mask.dtype}{list(mask.shape)} {options}",
    )


def added(function):
    """With a mask of numbers as a fourth tensor, which has a gradient too."""
    return lambda q, k, v, m: function(q, k, v, attn_mask=m)


CALLS = [
    call(attention, Q, K, V),
    call(attention, (4, 5), (6, 5), (6, 2), scale=0.3),
    call(attention, Q, K, V, is_causal=True),
    call(attention, (3, 6, 5), (3, 4, 5), (3, 4, 2), is_causal=True),
    call(attention, (2, 6, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2), enable_gqa=True, is_causal=True),
    call(attention, (6, 4, 5), (3, 6, 5), (3, 6, 2), enable_gqa=True),
    masked(PADDING[:, None, None, :], Q, K, V),
    masked(HOLES, Q, K, V, scale=2.0),
    Call(
        added(attention),
        added(torch.nn.functional.scaled_dot_product_attention),
        (Q, K, V, (2, 1, 4, 6)),
        "a mask with a gradient",
    ),
]


@pytest.mark.parametrize("each", CALLS, ids=lambda each: each.name)
def test_value_and_both_gradients_are_torchs(each) -> None:
    check_eager(each)


def test_compiled_float32_is_torchs() -> None:
    check_compiled(CALLS)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("kind", ["bool", "number"])
def test_a_query_without_keys_gets_zeros_and_zero_gradients(dtype, kind, rng) -> None:
    mask = HOLES if kind == "bool" else np.where(HOLES, 0, -np.inf).astype(dtype)
    q, k, v = (
        rg.Tensor(rng.normal(size=shape).astype(dtype), requires_grad=True) for shape in (Q, K, V)
    )
    out = attention(q, k, v, mask)
    assert out.dtype == dtype
    assert np.all(out.numpy()[:, :, 2] == 0)
    out.sum().backward()
    assert np.all(q.grad.numpy()[:, :, 2] == 0)
    assert all(np.isfinite(x.grad.numpy()).all() for x in (q, k, v))


def test_masked_keys_have_no_influence_even_when_infinite() -> None:
    k, v = np.ones((3, 2)), np.arange(6.0).reshape(3, 2)
    k[2] = np.inf
    out = attention(np.ones((1, 2)), k, v, np.array([[True, True, False]]))
    np.testing.assert_allclose(out.numpy(), [[1, 2]])


def test_dropout_keeps_the_mean_and_is_the_same_compiled() -> None:
    q, k = np.zeros((1, 4), np.float32), np.zeros((1000, 4), np.float32)
    v = np.ones((1000, 1), np.float32)

    def run(q, k, v):
        return attention(q, k, v, dropout_p=0.25)

    rg.manual_seed(0)
    eager = run(q, k, v).item()
    rg.manual_seed(0)
    assert rg.compile(run)(q, k, v).item() == pytest.approx(eager, rel=1e-5)
    # The sum of 1000 weights, each 0 or 4/3 of 1/1000: a standard deviation of 0.018.
    assert eager != 1
    assert eager == pytest.approx(1, abs=0.07)


@pytest.mark.parametrize(
    ("shapes", "options", "told"),
    [
        ((Q, K, V), {"attn_mask": HOLES, "is_causal": True}, "not both"),
        (((4, 5), (6, 4), (6, 2)), {}, "expected query"),
        (((4, 5), (6, 5), (5, 2)), {}, "expected query"),
        (((5,), (6, 5), (6, 2)), {}, "expected query"),
        (((4, 4, 5), (3, 6, 5), (3, 6, 2)), {"enable_gqa": True}, "multiple"),
    ],
)
def test_what_does_not_fit_is_named(shapes, options, told) -> None:
    with pytest.raises(ValueError, match=told):
        attention(*(np.ones(shape) for shape in shapes), **options)
