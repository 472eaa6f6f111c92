"""Tables of vectors, looked up by index."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd import ops
from retrograd.nn import init
from retrograd.nn.arguments import check_range, integers
from retrograd.nn.module import Module
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["Embedding", "embedding", "one_hot"]


def embedding(input: Any, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows of `weight` at `input`: (...), (count, size) -> (..., size).

    Row `padding_idx` receives no gradient. Raises TypeError unless `input` holds integers, and
    IndexError if one is outside [0, count); in a compiled step such a row is NaN instead.
    """
    index = integers("embedding", input)
    check_range("embedding: an index", index, len(weight))
    rows = weight[index]
    if padding_idx is None:
        return rows
    padding = ops.unsqueeze(index == padding_idx % len(weight), -1)
    return ops.where(padding, rows.detach(), rows)


def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """(...) -> (..., num_classes): 1 at the class that `tensor` names, else 0; int64 as PyTorch's.

    By default there are as many classes as the largest one needs, which a compiled step cannot
    know. Raises TypeError unless `tensor` holds integers, IndexError for one out of range.
    """
    index = integers("one_hot", tensor)
    count = num_classes if num_classes >= 0 else int(index.max()) + 1
    check_range("one_hot: a class", index, count)
    return (ops.unsqueeze(index, -1) == np.arange(count)).astype("int64")


class Embedding(Module):
    """A trained vector for each of `num_embeddings` indices: (...) -> (..., embedding_dim).

    `weight` has shape `(num_embeddings, embedding_dim)` and starts standard normal. Row
    `padding_idx` starts at 0 and stays as it is. Raises IndexError for an index out of range.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"Embedding: padding_idx must be one of the {num_embeddings} rows, "
                f"found {padding_idx}"
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), np.float32))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial weights anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            keep = np.arange(self.num_embeddings) != self.padding_idx
            self.weight.data = self.weight.data * keep[:, None]

    def forward(self, input: Any) -> Tensor:
        return embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
