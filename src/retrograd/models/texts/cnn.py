"""Convolutions over the words of a text, and the strongest answer of each."""

from __future__ import annotations

from typing import Any

from retrograd import nn, ops
from retrograd.data.texts.ragged import PADDING
from retrograd.nn import init
from retrograd.tensor import Tensor

__all__ = ["TextCNN", "token_embedding"]


class TextCNN(nn.Module):
    """Token ids (rows, length) -> (rows, outputs), after Kim 2014.

    Filters over 3, 4 and 5 embedded tokens in a row, `filters` of each, rectified; of each filter
    the largest value in the text goes into a linear layer.
    """

    def __init__(
        self,
        tokens: int,
        outputs: int,
        *,
        width: int = 100,
        filters: int = 100,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.embedding = token_embedding(tokens, width)
        # Padded, so that a text of one token is as good as any; without a bias, so that padding
        # answers 0 and a text says the same however far it is filled up.
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(width, filters, size, padding=size - 1, bias=False) for size in (3, 4, 5)]
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(3 * filters, outputs)

    def forward(self, ids: Any) -> Tensor:
        words = ops.transpose(self.dropout(self.embedding(ids)), 1, 2)  # (rows, width, length)
        strongest = [ops.amax(ops.relu(filter_(words)), dim=2) for filter_ in self.convolutions]
        return self.head(self.dropout(ops.concatenate(strongest, 1)))


def token_embedding(tokens: int, width: int) -> nn.Embedding:
    """A vector for each token; they start small, so that rare tokens have little effect."""
    embedding = nn.Embedding(tokens, width, padding_idx=PADDING)
    init.normal_(embedding.weight, std=0.1)
    embedding.weight.data[PADDING] = 0
    return embedding
