"""Attention as a function, with dropout from the in-step random stream."""

from __future__ import annotations

import functools
from typing import Any

from retrograd.nn.layers.dropout import dropout
from retrograd.ops.layers.attention import attend
from retrograd.tensor import Tensor

__all__ = ["scaled_dot_product_attention"]


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """(..., l, e), (..., s, e), (..., s, v) -> (..., l, v): softmax(Q Kᵀ · scale + mask) V.

    A boolean mask, (..., l, s), says which keys take part; one of numbers is added. A query for
    which no key takes part gets zeros. `is_causal` lets query i see the keys up to i. `scale` is
    1/√e unless given. `enable_gqa` shares each head of key and value, axis -3, among several heads
    of the query. `dropout_p` applies always: pass 0 outside of training.
    Raises ValueError for arguments that do not fit.
    """
    drop = functools.partial(dropout, p=dropout_p) if dropout_p else None
    return attend(query, key, value, attn_mask, is_causal, scale, enable_gqa, drop)
