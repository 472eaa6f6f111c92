"""A bag of n-grams: each n-gram of a text votes, and the order of the text does not matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd import nn, ops
from retrograd.data.texts.ragged import PADDING, Ragged
from retrograd.models.texts.cnn import token_embedding
from retrograd.nn.arguments import as_tensor
from retrograd.random import bernoulli
from retrograd.tensor import Tensor
from retrograd.variable import Buffer, Parameter

__all__ = ["NgramVectors", "NgramVotes", "TextBag", "log_count_ratios", "mean_targets"]

Array = np.ndarray[Any, Any]


def _shares(module: nn.Module, ids: Tensor, dropout: float) -> Tensor:
    """(rows, length): 1 / √count for each n-gram of a row, 0 for padding and what is left out."""
    there = (ids != PADDING).astype(np.float32)
    counts = ops.maximum(there.sum(1, keepdim=True), 1.0)
    if module.training and dropout:
        there = there * bernoulli(1 - dropout, shape=ids.shape) / (1 - dropout)
    return there / ops.sqrt(counts)


class NgramVotes(nn.Module):
    """Ids (rows, length) of n-grams -> (rows, outputs): the sum of their votes, over √count.

    The vote of n-gram i is r_i ∘ (1 + 8 w_i): `ratio` r, fixed, is how much more often training saw
    it with one answer than with the others, and `weight` w, from 0 on, is learned, so that naive
    Bayes is where it starts and what it decays to (Wang & Manning 2012, "Baselines and bigrams",
    section 2.3). In training an n-gram of a row is left out with the probability `dropout`.
    """

    # Weights of the size of 1 are learned at a rate for weights that are much smaller.
    gain = 8.0

    def __init__(self, ngrams: int, outputs: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.ratio = Buffer(np.zeros((ngrams, outputs), np.float32))
        self.weight = Parameter(np.zeros((ngrams, outputs), np.float32))
        self.bias = Parameter(np.zeros(outputs, np.float32))
        self.dropout = dropout

    def forward(self, ids: Any) -> Tensor:
        ids = as_tensor(ids)
        votes = nn.functional.embedding(ids, self.ratio * (1 + self.gain * self.weight))
        # n rows, l n-grams, o outputs
        return ops.einsum("nlo,nl->no", votes, _shares(self, ids, self.dropout)) + self.bias


class NgramVectors(nn.Module):
    """Ids (rows, length) of n-grams -> (rows, outputs): their vectors, added, and two layers.

    N-grams share what they say by their vectors (Iyyer et al. 2015, "Deep unordered composition",
    with its word dropout). Ids from `ngrams` on are left out.
    """

    def __init__(self, ngrams: int, outputs: int, width: int = 32, dropout: float = 0.5) -> None:
        super().__init__()
        self.embedding = token_embedding(ngrams, width)
        self.dropout = dropout
        self.hidden_dropout = nn.Dropout(0.6 * dropout)
        self.head = nn.Linear(width, outputs)

    def forward(self, ids: Any) -> Tensor:
        ids = as_tensor(ids)
        ids = ids * (ids < self.embedding.num_embeddings).astype(ids.dtype)
        # n rows, l n-grams, w width
        shares = _shares(self, ids, self.dropout)
        summed = ops.einsum("nlw,nl->nw", self.embedding(ids), shares)
        return self.head(self.hidden_dropout(ops.relu(summed)))


class TextBag(nn.Module):
    """Ids of each view of a text, (rows, length) -> (rows, views + 1, outputs).

    A view is one way to cut a text into n-grams, of which `ngrams` says how many ids there are. The
    votes of each view are a member of an ensemble, and so are the vectors of the first `repeated`
    n-grams of the first view; whoever reads the outputs averages them.
    """

    def __init__(
        self, ngrams: Sequence[int], repeated: int, outputs: int, *, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.votes = nn.ModuleList([NgramVotes(size, outputs, dropout) for size in ngrams])
        self.vectors = NgramVectors(repeated + 1, outputs, dropout=dropout)

    def forward(self, *ids: Any) -> Tensor:
        members = [votes(each) for votes, each in zip(self.votes, ids, strict=True)]
        return ops.stack([*members, self.vectors(ids[0])], 1)


def log_count_ratios(ids: Ragged, ngrams: int, codes: Array, classes: int) -> Array:
    """(ngrams, classes): ln of each n-gram's share of a class's n-grams over its share elsewhere.

    Counts start at 1 (Wang & Manning 2012, section 2.1, for a class and the rest). `ids` are the
    n-grams of the rows, `codes` (rows,) their classes. Padding's are 0.
    """
    places = np.repeat(codes, ids.lengths) * ngrams + ids.ids
    seen = np.bincount(places, minlength=classes * ngrams).reshape(classes, ngrams)
    seen = np.delete(seen, PADDING, 1)
    inside, elsewhere = seen + 1.0, seen.sum(0) - seen + 1.0
    shares = [each / each.sum(1, keepdims=True) for each in (inside, elsewhere)]
    return np.insert(np.log(shares[0] / shares[1]).T, PADDING, 0, 0).astype(np.float32)


def mean_targets(ids: Ragged, ngrams: int, targets: Array) -> Array:
    """(ngrams, 1): the mean of the standardized targets (rows,) of the rows that hold an n-gram.

    One more row with the target 0 is counted with each, so that a rare n-gram says less.
    """
    sums = np.bincount(ids.ids, weights=np.repeat(targets, ids.lengths), minlength=ngrams)
    counts = np.bincount(ids.ids, minlength=ngrams)
    means = sums / (counts + 1)
    means[PADDING] = 0
    return means[:, None].astype(np.float32)
