"""Multi-head attention as a layer."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.arrays import DType
from retrograd.nn import init
from retrograd.nn.arguments import as_tensor
from retrograd.nn.layers.dropout import dropout
from retrograd.nn.layers.linear import Linear
from retrograd.nn.module import Module
from retrograd.ops.layers.attention import attend
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention with `num_heads` parallel heads (Vaswani et al. 2017, section 3.2.2).

    `out, weights = attention(query, key, value)` with query (l, n, embed_dim), key (s, n, kdim) and
    value (s, n, vdim), or with `batch_first` (n, l, embed_dim) and so on; n may be missing. `out`
    has query's shape; `weights` are (n, l, s), the mean over the heads, or None unless
    `need_weights`.

    `in_proj_weight`, `(3 · embed_dim, embed_dim)`, holds the projections of query, key and value;
    where kdim or vdim differ they are `q_proj_weight`, `k_proj_weight` and `v_proj_weight`.
    As in PyTorch, and unlike in `scaled_dot_product_attention`, True in a boolean mask keeps a key
    out. Deviations: a query with no key left gets zeros, not NaN, and `is_causal` needs no mask.
    Raises ValueError for arguments that do not fit.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                f"MultiheadAttention: embed_dim {embed_dim} must be a multiple of num_heads, "
                f"found {num_heads}"
            )
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.batch_first = batch_first
        if self.kdim == self.vdim == embed_dim:
            self.in_proj_weight = Parameter(np.empty((3 * embed_dim, embed_dim), np.float32))
        else:
            self.q_proj_weight = Parameter(np.empty((embed_dim, embed_dim), np.float32))
            self.k_proj_weight = Parameter(np.empty((embed_dim, self.kdim), np.float32))
            self.v_proj_weight = Parameter(np.empty((embed_dim, self.vdim), np.float32))
        self.in_proj_bias = Parameter(np.empty(3 * embed_dim, np.float32)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights."""
        for _, parameter in self._own(Parameter):
            if parameter.ndim == 2:
                init.xavier_uniform_(parameter)
            else:
                init.zeros_(parameter)
        self.out_proj.reset_parameters()
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """`key_padding_mask` is (n, s), `attn_mask` (l, s) or (n · heads, l, s).

        True keeps a key out; numbers are added to the logits. `is_causal` lets query i see the keys
        up to i, unless an `attn_mask` says so itself.
        """
        same = key is query and value is query
        query = as_tensor(query)
        key, value = (query, query) if same else (as_tensor(key), as_tensor(value))
        alone = query.ndim == 2
        sizes = tuple(x.shape[-1] for x in (query, key, value))
        if {query.ndim, key.ndim, value.ndim} not in ({2}, {3}) or sizes != (
            self.embed_dim,
            self.kdim,
            self.vdim,
        ):
            raise ValueError(
                "MultiheadAttention: query, key and value must have three axes (or two, without "
                f"n) and end with {self.embed_dim}, {self.kdim} and {self.vdim}; found "
                f"{tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
            )
        q, k, v = self._heads(query, key, value)
        mask = self._mask(attn_mask, key_padding_mask, q, k, is_causal)
        kept: list[Tensor] = []

        def keep(weights: Tensor) -> Tensor:
            dropped = dropout(weights, self.dropout, self.training)
            kept.append(dropped)
            return dropped

        plain = not need_weights and not (self.dropout and self.training)
        out = attend(
            q,
            k,
            v,
            mask,
            is_causal=is_causal and mask is None,
            drop=None if plain else keep,
        )
        # (n, heads, l, size) -> (l, n, heads · size), or with n first
        length, n = out.shape[2], out.shape[0]
        first = alone or self.batch_first
        out = ops.permute(out, dims=(0, 2, 1, 3) if first else (2, 0, 1, 3))
        shape = (n, length, self.embed_dim) if first else (length, n, self.embed_dim)
        out = self.out_proj(ops.reshape(out, shape=shape))
        if not need_weights:
            return ops.squeeze(out, 0) if alone else out, None
        weights = ops.mean(kept[0], dim=1) if average_attn_weights else kept[0]
        if alone:
            return ops.squeeze(out, 0), ops.squeeze(weights, 0)
        return out, weights

    def _heads(self, query: Tensor, key: Tensor, value: Tensor) -> list[Tensor]:
        """Query, key and value projected, each (n, heads, length, size)."""
        size = self.embed_dim // self.num_heads
        n_first = self.batch_first or query.ndim == 2
        bias = self.in_proj_bias
        if key is query and value is query and self.kdim == self.vdim == self.embed_dim:
            # One product for all three.
            x = ops.linear(query, self.in_proj_weight, bias)
            x = ops.reshape(x, shape=(*x.shape[:-1], 3, self.num_heads, size))
            if query.ndim == 2:
                x = ops.unsqueeze(x, 0)
            order = (2, 0, 3, 1, 4) if n_first else (2, 1, 3, 0, 4)
            return list(ops.unbind(ops.permute(x, dims=order)))
        if self.kdim == self.vdim == self.embed_dim:
            weights = ops.split(self.in_proj_weight, self.embed_dim)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases = (None,) * 3 if bias is None else ops.split(bias, self.embed_dim)
        heads = []
        for x, weight, each in zip((query, key, value), weights, biases, strict=True):
            x = ops.linear(x, weight, each)
            x = ops.reshape(x, shape=(*x.shape[:-1], self.num_heads, size))
            if x.ndim == 3:
                x = ops.unsqueeze(x, 0)
            heads.append(ops.permute(x, dims=(0, 2, 1, 3) if n_first else (1, 2, 0, 3)))
        return heads

    def _mask(
        self, attn_mask: Any, key_padding_mask: Any, q: Tensor, k: Tensor, is_causal: bool
    ) -> Tensor | None:
        """Both masks as one that broadcasts to (n, heads, l, s); True for a key that takes part."""
        n, heads, length, keys = (*q.shape[:3], k.shape[2])
        masks = []
        if attn_mask is not None:
            masks.append(
                _shaped(
                    "attn_mask",
                    attn_mask,
                    {(length, keys): (1, 1), (n * heads, length, keys): (n, heads)},
                    (length, keys),
                )
            )
        elif is_causal and key_padding_mask is not None:
            masks.append(Tensor(np.tri(length, keys, dtype=np.bool_)))
        if key_padding_mask is not None:
            fits: dict[tuple[int, ...], tuple[int, int]] = {(n, keys): (n, 1)}
            if n == 1:
                fits[(keys,)] = (1, 1)
            masks.append(_shaped("key_padding_mask", key_padding_mask, fits, (1, keys)))
        if not masks:
            return None
        if all(mask.dtype == bool for mask in masks):
            return functools.reduce(ops.logical_and, masks)
        return functools.reduce(ops.add, [_added(mask, q.dtype) for mask in masks])

    def extra_repr(self) -> str:
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}"


def _shaped(
    name: str, mask: Any, fits: dict[tuple[int, ...], tuple[int, int]], last: tuple[int, int]
) -> Tensor:
    """A mask as (n, heads, l, s), a boolean one with True for a key that takes part."""
    mask = as_tensor(mask)
    if mask.shape not in fits:
        raise ValueError(
            f"MultiheadAttention: {name} must have the shape "
            f"{' or '.join(str(shape) for shape in fits)}, found {tuple(mask.shape)}"
        )
    full = ops.reshape(mask, shape=(*fits[mask.shape], *last))
    return ops.logical_not(full) if full.dtype == bool else full


def _added(mask: Tensor, dtype: DType) -> Tensor:
    """A mask as numbers to add."""
    added = ops.where(mask, 0.0, -np.inf) if mask.dtype == bool else mask
    return added if added.dtype == dtype else added.astype(dtype)
