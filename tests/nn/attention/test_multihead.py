"""Attention layers: masks, queries without keys, dropout, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.networks import floats

import retrograd as rg
from retrograd import nn


def test_a_query_without_keys_gets_the_bias_alone_and_no_nan() -> None:
    layer, x = nn.MultiheadAttention(8, 2, batch_first=True), floats(2, 3, 8)
    out, weights = layer(x, x, x, key_padding_mask=np.array([[True] * 3, [False] * 3]))
    np.testing.assert_array_equal(out.numpy()[0], np.tile(layer.out_proj.bias.numpy(), (3, 1)))
    assert not weights.numpy()[0].any()
    np.testing.assert_allclose(weights.numpy()[1].sum(-1), 1, rtol=1e-6)


def test_is_causal_alone_is_the_causal_mask() -> None:
    layer, x = nn.MultiheadAttention(8, 2, batch_first=True), floats(2, 5, 8)
    masked = layer(x, x, x, attn_mask=~np.tri(5, dtype=bool))
    causal = layer(x, x, x, is_causal=True)
    padded = layer(x, x, x, is_causal=True, key_padding_mask=np.zeros((2, 5), bool))
    for found in (causal, padded):
        for mine, other in zip(found, masked, strict=True):
            np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)


def test_attention_weights_are_dropped_in_training_only() -> None:
    layer, x = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True), floats(2, 16, 8)
    dropped = layer(x, x, x, average_attn_weights=False)[1].numpy()
    assert 0.4 < (dropped == 0).mean() < 0.6
    assert (layer.eval()(x, x, x)[1].numpy() > 0).all()
    layer.train()
    same = [rg.manual_seed(0) or layer(x, x, x, need_weights=w)[0].numpy() for w in (True, False)]
    np.testing.assert_allclose(*same, rtol=1e-6)


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (lambda: nn.MultiheadAttention(8, 3), "multiple of num_heads, found 3"),
        (
            lambda: nn.MultiheadAttention(8, 2)(floats(4, 1, 8), floats(4, 1, 6), floats(4, 1, 6)),
            "end with 8, 8 and 8",
        ),
        (
            lambda: nn.MultiheadAttention(8, 2)(*[floats(4, 2, 8)] * 3, attn_mask=floats(4, 3)),
            r"attn_mask must have the shape \(4, 4\) or \(4, 4, 4\), found \(4, 3\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(run: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        run()
