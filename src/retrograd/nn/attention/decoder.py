"""Transformer decoders, and the encoder and decoder together."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from retrograd.arrays import DType
from retrograd.nn import init
from retrograd.nn.attention.multihead import MultiheadAttention
from retrograd.nn.attention.transformer import (
    Activation,
    TransformerEncoder,
    TransformerEncoderLayer,
)
from retrograd.nn.containers.collections import ModuleList
from retrograd.nn.layers.dropout import Dropout
from retrograd.nn.module import Module
from retrograd.nn.normalization.layer import LayerNorm
from retrograd.tensor import Tensor

__all__ = ["Transformer", "TransformerDecoder", "TransformerDecoderLayer"]


class TransformerDecoderLayer(TransformerEncoderLayer):
    """Self-attention, attention to an encoder's output, and a feed-forward network.

    As `TransformerEncoderLayer` with one part more: tgt is (length, n, d_model), memory (source, n,
    d_model), or with `batch_first` n first (Vaswani et al. 2017).
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
        super().__init__(
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
        )
        self.multihead_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first
        )
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias)
        self.dropout3 = Dropout(dropout)
        # In PyTorch's order, which `state_dict` and `parameters` show.
        for name in ("linear1", "dropout", "linear2", "norm1", "norm2", "norm3"):
            vars(self)[name] = vars(self).pop(name)
        for name in ("dropout1", "dropout2", "dropout3"):
            vars(self)[name] = vars(self).pop(name)

    def forward(  # type: ignore[override]  # another layer's arguments
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Masks as `MultiheadAttention`'s: True keeps a key out."""
        x = tgt
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        others = (memory, memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = x + self._attended(self.norm1(x), *own)
            x = x + self._informed(self.norm2(x), *others)
            return x + self.dropout3(self._hidden(self.norm3(x)))
        x = self.norm1(x + self._attended(x, *own))
        x = self.norm2(x + self._informed(x, *others))
        out: Tensor = self.norm3(x + self.dropout3(self._hidden(x)))
        return out

    def _informed(
        self, x: Tensor, memory: Tensor, mask: Any, padding: Any, is_causal: bool
    ) -> Tensor:
        out, _ = self.multihead_attn(
            x,
            memory,
            memory,
            key_padding_mask=padding,
            need_weights=False,
            attn_mask=mask,
            is_causal=is_causal,
        )
        dropped: Tensor = self.dropout2(out)
        return dropped


class TransformerDecoder(Module):
    """`num_layers` copies of a decoder layer one after another, and `norm` at the end if given."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList(copy.deepcopy(decoder_layer) for _ in range(num_layers))
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Masks as `MultiheadAttention`'s: True keeps a key out."""
        x = tgt
        for layer in self.layers:
            x = layer(
                x,
                memory,
                tgt_mask,
                memory_mask,
                tgt_key_padding_mask,
                memory_key_padding_mask,
                tgt_is_causal,
                memory_is_causal,
            )
        return x if self.norm is None else self.norm(x)


class Transformer(Module):
    """An encoder and a decoder that attends to its output: `out = transformer(src, tgt)`.

    src is (source, n, d_model), tgt (length, n, d_model), or with `batch_first` n first. Matrices
    start with Glorot's uniform weights (Vaswani et al. 2017). Raises ValueError for sizes that do
    not fit.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Activation = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__()
        options: Any = (
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            activation,
            layer_norm_eps,
            batch_first,
            norm_first,
            bias,
        )
        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*options),
            num_encoder_layers,
            LayerNorm(d_model, eps=layer_norm_eps, bias=bias),
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*options),
            num_decoder_layers,
            LayerNorm(d_model, eps=layer_norm_eps, bias=bias),
        )
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool = False,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Masks as `MultiheadAttention`'s: True keeps a key out."""
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ValueError(
                f"Transformer: src and tgt must end with d_model = {self.d_model}, found the "
                f"shapes {tuple(src.shape)} and {tuple(tgt.shape)}"
            )
        memory = self.encoder(src, src_mask, src_key_padding_mask, src_is_causal)
        out: Tensor = self.decoder(
            tgt,
            memory,
            tgt_mask,
            memory_mask,
            tgt_key_padding_mask,
            memory_key_padding_mask,
            tgt_is_causal,
            memory_is_causal,
        )
        return out

    @staticmethod
    def generate_square_subsequent_mask(sz: int, dtype: DType = "float32") -> Tensor:
        """(sz, sz): 0 on and below the diagonal, -inf above; added, it keeps the future out."""
        above = np.triu(np.ones((sz, sz), np.bool_), 1)
        return Tensor(np.where(above, -np.inf, 0.0).astype(dtype))
