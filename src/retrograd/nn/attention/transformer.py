"""Transformer encoders, with normalization after or before each part."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from retrograd.nn.attention.multihead import MultiheadAttention
from retrograd.nn.containers.collections import ModuleList
from retrograd.nn.layers.activation import gelu
from retrograd.nn.layers.dropout import Dropout
from retrograd.nn.layers.linear import Linear
from retrograd.nn.module import Module
from retrograd.nn.normalization.layer import LayerNorm
from retrograd.ops import relu
from retrograd.tensor import Tensor

__all__ = ["Activation", "TransformerEncoder", "TransformerEncoderLayer"]

Activation = Callable[[Tensor], Tensor]

_ACTIVATIONS: dict[str, Activation] = {"relu": relu, "gelu": gelu}


class TransformerEncoderLayer(Module):
    """Self-attention and a feed-forward network, each with a residual connection and LayerNorm.

    x is (length, n, d_model), or with `batch_first` (n, length, d_model). The norm comes after each
    sum (Vaswani et al. 2017), or with `norm_first` at the start of each branch, which trains deep
    stacks more steadily (Xiong et al. 2020). `activation` is "relu", "gelu" or a function.
    Raises ValueError for an activation of another name.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if isinstance(activation, str):
            if activation not in _ACTIVATIONS:
                raise ValueError(
                    f"{type(self).__name__}: activation must be relu, gelu or a function, found "
                    f"{activation!r}"
                )
            activation = _ACTIVATIONS[activation]
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation: Activation = activation

    def forward(
        self,
        src: Tensor,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Masks as `MultiheadAttention`'s: True keeps a key out."""
        x = src
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = x + self._attended(self.norm1(x), *masks)
            return x + self._fed_forward(self.norm2(x))
        x = self.norm1(x + self._attended(x, *masks))
        out: Tensor = self.norm2(x + self._fed_forward(x))
        return out

    def _attended(self, x: Tensor, mask: Any, padding: Any, is_causal: bool) -> Tensor:
        out, _ = self.self_attn(
            x,
            x,
            x,
            key_padding_mask=padding,
            need_weights=False,
            attn_mask=mask,
            is_causal=is_causal,
        )
        dropped: Tensor = self.dropout1(out)
        return dropped

    def _hidden(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear2(self.dropout(self.activation(self.linear1(x))))
        return out

    def _fed_forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.dropout2(self._hidden(x))
        return out

    def extra_repr(self) -> str:
        return f"norm_first={self.norm_first}"


class TransformerEncoder(Module):
    """`num_layers` copies of an encoder layer one after another, and `norm` at the end if given.

    As in PyTorch the copies start with equal weights. For many layers `Repeat` compiles faster.
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList(copy.deepcopy(encoder_layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        src: Tensor,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Masks as `MultiheadAttention`'s: True keeps a key out."""
        x = src
        for layer in self.layers:
            x = layer(
                x,
                src_mask=mask,
                src_key_padding_mask=src_key_padding_mask,
                is_causal=is_causal,
            )
        return x if self.norm is None else self.norm(x)
