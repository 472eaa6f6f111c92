"""Scaled dot-product attention (Vaswani et al. 2017, equation 1)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd.autodiff.precision import raised
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.selection import where
from retrograd.ops.linalg.products import matmul
from retrograd.ops.reductions.softmax import softmax
from retrograd.ops.shapes.shape import broadcast_to, reshape, unsqueeze
from retrograd.ops.spatial.arguments import tensor


def attend(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    drop: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """(..., l, e), (..., s, e), (..., s, v) -> (..., l, v): softmax(Q Kᵀ · scale + mask) V.

    A boolean mask, (..., l, s), says which keys take part; one of numbers is added. A query for
    which no key takes part gets zeros. `is_causal` lets query i see the keys up to i. `scale` is
    1/√e unless given. `enable_gqa` shares each head of key and value, axis -3, among several heads
    of the query. `drop` is applied to the weights. Raises ValueError for arguments that do not fit
    and TypeError for a mask of integers.
    """
    query, key, value = tensor(query), tensor(key), tensor(value)
    if enable_gqa:
        key, value = _shared(key, query), _shared(value, query)
    _check(query, key, value, attn_mask, is_causal)
    # The scale goes to the smaller operand; logits are (l, s).
    query = query * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    logits = raised(matmul(query, key.mT))  # half precision cannot tell -1e30 from -inf
    if is_causal:
        # Every query sees at least key 0, so that no row is empty.
        seen = np.tri(*logits.shape[-2:], dtype=np.bool_)
        weights = softmax(where(seen, logits, -math.inf), dim=-1)
    elif attn_mask is None:
        weights = softmax(logits, dim=-1)
    else:
        mask = tensor(attn_mask)
        if mask.dtype.kind in "iu":
            raise TypeError(
                f"scaled_dot_product_attention: attn_mask holds {mask.dtype}; booleans say which "
                "keys take part, mask.astype(bool), and floating-point numbers are added"
            )
        takes_part = mask if mask.dtype == bool else mask > -math.inf
        if takes_part is not mask:
            logits = logits + mask
        # A low number rather than -inf: an empty row then has weights, which are set to zero, and
        # no NaN is formed on the way back.
        weights = softmax(where(takes_part, logits, -1e30), dim=-1)
        weights = where(takes_part, weights, 0.0)
    weights = weights if weights.dtype == value.dtype else weights.astype(value.dtype)
    return matmul(weights if drop is None else drop(weights), value)


def _shared(x: Tensor, query: Tensor) -> Tensor:
    """Each head, on axis -3, repeated for the heads of the query that share it."""
    heads, wanted = x.shape[-3], query.shape[-3]
    if wanted % heads:
        raise ValueError(
            f"scaled_dot_product_attention: the query's {wanted} heads are not a multiple of the "
            f"{heads} of key or value; shapes {tuple(query.shape)} and {tuple(x.shape)}"
        )
    lead, matrix = x.shape[:-3], x.shape[-2:]
    copies = broadcast_to(unsqueeze(x, -3), shape=(*lead, heads, wanted // heads, *matrix))
    return reshape(copies, shape=(*lead, wanted, *matrix))


def _check(query: Tensor, key: Tensor, value: Tensor, attn_mask: Any, is_causal: bool) -> None:
    if is_causal and attn_mask is not None:
        raise ValueError(
            "scaled_dot_product_attention: give attn_mask or is_causal=True, not both; the mask "
            "may hold the causal one, as np.tri(l, s, dtype=bool)"
        )
    fit = (
        min(query.ndim, key.ndim, value.ndim) >= 2
        and query.shape[-1] == key.shape[-1]
        and key.shape[-2] == value.shape[-2]
    )
    if not fit:
        raise ValueError(
            "scaled_dot_product_attention: expected query (..., l, e), key (..., s, e) and value "
            f"(..., s, v); found {tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
        )
