"""Gated recurrent networks that read a text from both ends."""

from __future__ import annotations

from typing import Any

from retrograd import nn, ops
from retrograd.data.texts.ragged import PADDING
from retrograd.models.texts.cnn import token_embedding
from retrograd.nn.arguments import as_tensor
from retrograd.tensor import Tensor

__all__ = ["TextGRU", "TextLSTM"]


class _TextRecurrent(nn.Module):
    layer: type[nn.GRU] | type[nn.LSTM]

    def __init__(
        self, tokens: int, outputs: int, *, width: int = 128, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.embedding = token_embedding(tokens, width)
        self.reader = self.layer(width, width, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * width, outputs)

    def forward(self, ids: Any) -> Tensor:
        there = as_tensor(ids) != PADDING
        lengths = there.astype("int64").sum(1)
        states, _ = self.reader(self.dropout(self.embedding(ids)), lengths=lengths)
        # Padding's states are 0, which would win over negative ones.
        seen = ops.where(ops.unsqueeze(there, 2), states, -1.0)
        return self.head(self.dropout(ops.amax(seen, dim=1)))


class TextGRU(_TextRecurrent):
    """Token ids (rows, length) -> (rows, outputs): a GRU in both directions.

    Of each element of its states the largest along the text goes into a linear layer (Conneau et
    al. 2017, section 3.2.2).
    """

    layer = nn.GRU


class TextLSTM(_TextRecurrent):
    """Token ids (rows, length) -> (rows, outputs): a bidirectional LSTM, otherwise as `TextGRU`."""

    layer = nn.LSTM
