"""Self-attention over the words of a text."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd import nn, ops
from retrograd.data.texts.ragged import PADDING
from retrograd.models.texts.cnn import token_embedding
from retrograd.nn.arguments import as_tensor
from retrograd.tensor import Tensor

__all__ = ["TextTransformer"]


class TextTransformer(nn.Module):
    """Token ids (rows, length) -> (rows, outputs): the encoder of Vaswani et al. 2017.

    Embedded tokens with sines of their positions, `depth` layers that are normalized before (Xiong
    et al. 2020), and the mean over the tokens into a linear layer. Raises ValueError unless `width`
    is an even multiple of `heads`.
    """

    def __init__(
        self,
        tokens: int,
        outputs: int,
        *,
        width: int = 128,
        depth: int = 2,
        heads: int = 4,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.embedding = token_embedding(tokens, width)
        self.scale = 10.0  # to the size of the sines, from the embedding's small start
        self.positions = nn.SinusoidalPositions(width)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(
            width, heads, 4 * width, dropout, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, depth, norm=nn.LayerNorm(width))
        self.head = nn.Linear(width, outputs)

    def forward(self, ids: Any) -> Tensor:
        there = as_tensor(ids) != PADDING
        words = self.dropout(self.positions(self.embedding(ids) * self.scale))
        states = self.encoder(words, src_key_padding_mask=ops.logical_not(there))
        weights = ops.unsqueeze(there.astype(np.float32), 2)
        mean = (states * weights).sum(1) / ops.maximum(weights.sum(1), 1.0)
        return self.head(self.dropout(mean))
