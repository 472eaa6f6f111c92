"""Tables of vectors, looked up by index: one by one, or as sums, means and maxima of bags."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from retrograd import ops
from retrograd.arrays import namespace
from retrograd.autodiff.tape import no_grad
from retrograd.nn import init
from retrograd.nn.arguments import as_tensor, check_range, integers
from retrograd.nn.module import Module
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["Embedding", "EmbeddingBag", "embedding", "embedding_bag", "one_hot"]


def embedding(
    input: Any,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
) -> Tensor:
    """The rows of `weight` at `input`: (...), (count, size) -> (..., size).

    Row `padding_idx` receives no gradient. With `max_norm` the rows that are looked up are first
    scaled down, in `weight` itself, to a `norm_type`-norm of at most that. Raises TypeError
    unless `input` holds integers, and IndexError if one is outside [0, count); in a compiled step
    such a row is NaN instead.
    """
    index = integers("embedding", input)
    check_range("embedding: an index", index, len(weight))
    if max_norm is not None:
        _shorten(weight, index, max_norm, norm_type)
    rows = weight[index]
    if padding_idx is None:
        return rows
    padding = ops.unsqueeze(index == padding_idx % len(weight), -1)
    return ops.where(padding, rows.detach(), rows)


def _shorten(weight: Tensor, index: Tensor, longest: float, norm_type: float) -> None:
    """Scale the rows at `index` down to a norm of at most `longest`."""
    with no_grad():
        norms = ops.norm(weight, norm_type, dim=1, keepdim=True)
        used = ops.isin(np.arange(len(weight)), index).reshape(-1, 1)
        long = ops.logical_and(used, norms > longest)
        weight.data = ops.where(long, weight * (longest / (norms + 1e-7)), weight).data


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
    `padding_idx` starts at 0 and stays as it is. With `max_norm` each forward scales the rows that
    it looks up down to a `norm_type`-norm of at most that. Raises IndexError for an index out of
    range.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
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
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), np.float32))
        self.reset_parameters()

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Any,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
    ) -> Self:
        """An embedding of given vectors, (num_embeddings, embedding_dim), trained unless frozen."""
        values = np.array(as_tensor(embeddings).numpy())
        if values.ndim != 2:
            raise ValueError(
                f"Embedding.from_pretrained: expected a matrix, found the shape {values.shape}"
            )
        count, size = values.shape
        made = cls(count, size, padding_idx, max_norm, norm_type)
        made.weight = Parameter(values, requires_grad=not freeze)
        return made

    def reset_parameters(self) -> None:
        """Draw new initial weights."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            keep = np.arange(self.num_embeddings) != self.padding_idx
            self.weight.data = self.weight.data * keep[:, None]

    def forward(self, input: Any) -> Tensor:
        return embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


MODES = ("sum", "mean", "max")


def embedding_bag(
    input: Any,
    weight: Tensor,
    offsets: Any = None,
    mode: str = "mean",
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, mean or max of the rows of `weight` in each bag: (n, k) -> (n, size).

    Or bags one after the other, (total,), with `offsets`, (n,), saying where each begins, and with
    `include_last_offset` where the last one ends. An empty bag is 0. `per_sample_weights`, of the
    input's shape, multiply the rows ("sum" only). Index `padding_idx` counts nothing and receives
    no gradient. Of equal maxima each has a share of the slope.

    Raises TypeError unless indices are integers, IndexError for one out of range, ValueError for
    another mode or arguments that do not go together.
    """
    name = "embedding_bag"
    index = integers(name, input)
    check_range(f"{name}: an index", index, len(weight))
    if mode not in MODES:
        raise ValueError(f"{name}: mode must be 'sum', 'mean' or 'max', found {mode!r}")
    if per_sample_weights is not None and mode != "sum":
        raise ValueError(f"{name}: per_sample_weights are for mode 'sum', found {mode!r}")
    if index.ndim != (2 if offsets is None else 1):
        raise ValueError(
            f"{name}: expected indices (n, k), or (total,) with offsets; found the shape "
            f"{tuple(index.shape)} and offsets={'None' if offsets is None else 'given'}"
        )
    bag, count = _bags(index, offsets, include_last_offset)
    flat = index.data.reshape(-1)
    rows = ops.take(weight, flat, 0)
    xp = namespace(flat, bag)
    counted = xp.ones(flat.shape, bool)
    if padding_idx is not None:
        counted = flat != padding_idx % len(weight)
    if per_sample_weights is not None:
        rows = rows * as_tensor(per_sample_weights).reshape(-1, 1)
    empty = Tensor(np.zeros((count, weight.shape[1]), weight.dtype))
    if mode == "max":
        lowest = ops.where(counted[:, None], rows, -np.inf)
        place = xp.broadcast_to(bag[:, None], lowest.shape)
        found = ops.scatter_reduce(empty, 0, place, lowest, "amax", include_self=False)
        return ops.where(found == -np.inf, 0.0, found)
    total = ops.index_add(empty, 0, bag, ops.where(counted[:, None], rows, 0.0))
    if mode == "sum":
        return total
    sizes = ops.index_add(empty[:, 0], 0, bag, Tensor(counted.astype(weight.dtype)))
    return total / ops.unsqueeze(ops.clip(sizes, min=1), 1)


def _bags(index: Tensor, offsets: Any, include_last_offset: bool) -> tuple[Any, int]:
    """The bag of each index, and how many bags there are."""
    if offsets is None:
        n, k = index.shape
        return np.repeat(np.arange(n), k), n
    starts = integers("embedding_bag: offsets", offsets).data
    starts = starts[:-1] if include_last_offset else starts
    places = np.arange(index.shape[0])
    return namespace(starts).searchsorted(starts, places, side="right") - 1, starts.shape[0]


class EmbeddingBag(Module):
    """A trained vector for each of `num_embeddings` indices, folded bag by bag: `embedding_bag`.

    `weight` has shape `(num_embeddings, embedding_dim)` and starts standard normal. Row
    `padding_idx` starts at 0 and stays as it is.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.mode = mode
        self.include_last_offset = include_last_offset
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(np.empty((num_embeddings, embedding_dim), np.float32))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial weights."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            keep = np.arange(self.num_embeddings) != self.padding_idx
            self.weight.data = self.weight.data * keep[:, None]

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Tensor:
        return embedding_bag(
            input,
            self.weight,
            offsets,
            self.mode,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}, mode={self.mode!r}"
