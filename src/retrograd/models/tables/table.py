"""The network for tables: piecewise-linear numbers, and an ensemble that shares its weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd import nn, ops
from retrograd.models.tables.encoding import OneHot, PiecewiseLinear
from retrograd.random import host_rng
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["TableNet"]

Array = np.ndarray[Any, Any]


class EnsembleLinear(nn.Module):
    """A linear layer shared by an ensemble: member k computes ((x ∘ r_k) Wᵀ) ∘ s_k + b_k.

    (rows, members, in) -> (rows, members, out); (rows, in) is taken as the same for every member,
    and then there is no r. The members differ by the signs of s at the start where `apart`, else
    they start equal (BatchEnsemble, Wen, Tran, Ba 2020, equation 3; its use for tables: TabM,
    Gorishniy, Kotelnikov, Babenko 2024).
    """

    def __init__(self, in_features: int, out_features: int, members: int, first: bool) -> None:
        super().__init__()
        bound = 1 / math.sqrt(max(in_features, 1))
        rng = host_rng()

        def drawn(*shape: int) -> Parameter:
            return Parameter(rng.uniform(-bound, bound, shape).astype(np.float32))

        self.weight = drawn(out_features, in_features)
        self.bias = drawn(members, out_features)
        signs = rng.choice(np.array([-1, 1], np.float32), (members, out_features))
        self.s = Parameter(signs if first else np.ones_like(signs))
        self.r = None if first else Parameter(np.ones((members, in_features), np.float32))

    def forward(self, x: Tensor) -> Tensor:
        product = (
            ops.unsqueeze(ops.linear(x, self.weight), 1)
            if self.r is None
            else ops.linear(x * self.r, self.weight)
        )
        return product * self.s + self.bias


class TableNet(nn.Module):
    """(rows, numbers), (rows, categories) -> (rows, members, outputs).

    Numbers enter as they are and piecewise-linearly (`edges`, one array of bin edges each),
    categories one-hot, or embedded where they have more than `one_hot_limit` codes. `hidden` has
    the width of each hidden layer, at least one; `activation` follows each, by default SiLU.
    `members` networks share their weights; the caller averages their outputs.
    """

    one_hot_limit = 128

    def __init__(
        self,
        edges: Sequence[Array],
        cardinalities: Sequence[int],
        outputs: int,
        *,
        hidden: Sequence[int] = (128, 128),
        members: int = 8,
        dropout: float = 0.0,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.numbers = len(edges)
        self.few = [i for i, n in enumerate(cardinalities) if n <= self.one_hot_limit]
        self.many = [i for i, n in enumerate(cardinalities) if n > self.one_hot_limit]
        self.piecewise = PiecewiseLinear(edges)
        self.one_hot = OneHot([cardinalities[i] for i in self.few])
        sizes = [(cardinalities[i], round(1.6 * cardinalities[i] ** 0.56)) for i in self.many]
        self.embeddings = nn.ModuleList([nn.Embedding(n, size) for n, size in sizes])
        features = len(edges) + self.piecewise.size + self.one_hot.size + sum(s for _, s in sizes)
        widths = [features, *hidden]
        self.layers = nn.ModuleList(
            [
                EnsembleLinear(n_in, n_out, members, first=i == 0)
                for i, (n_in, n_out) in enumerate(itertools.pairwise(widths))
            ]
        )
        self.activation = nn.SiLU() if activation is None else activation
        self.dropout = nn.Dropout(dropout)
        bound = 1 / math.sqrt(hidden[-1])
        shape = (members, outputs, hidden[-1])
        self.head = Parameter(host_rng().uniform(-bound, bound, shape).astype(np.float32))
        self.head_bias = Parameter(np.zeros((members, outputs), np.float32))

    @property
    def sources(self) -> Array:
        """(features,) int: which input each feature of `encoded` is made of, the numbers first."""
        few = np.asarray(self.few, int)[np.asarray(self.one_hot.column.data)]
        pairs = zip(self.many, self.embeddings, strict=True)
        many = [np.full(embedding.weight.shape[1], i) for i, embedding in pairs]
        piecewise = np.asarray(self.piecewise.column.data)
        categories = np.concatenate([few, *many]) + self.numbers
        return np.concatenate([np.arange(self.numbers), piecewise, categories])

    def encoded(self, numbers: Tensor, categories: Tensor) -> Tensor:
        """(rows, numbers), (rows, categories) -> (rows, features), what the first layer takes."""
        columns = [
            numbers,
            self.piecewise(numbers),
            self.one_hot(ops.take(categories, self.few, 1)),
        ]
        for i, embedding in zip(self.many, self.embeddings, strict=True):
            columns.append(embedding(categories[:, i]))
        return ops.concatenate(columns, 1)

    def answered(self, x: Tensor) -> Tensor:
        """(rows, features) -> (rows, members, outputs)."""
        for layer in self.layers:
            x = self.dropout(self.activation(layer(x)))
        # n rows, k members, w width, o outputs
        return ops.einsum("nkw,kow->nko", x, self.head) + self.head_bias

    def forward(self, numbers: Tensor, categories: Tensor) -> Tensor:
        return self.answered(self.encoded(numbers, categories))
