"""What a network is built from: the columns' encodings, rounded up in size, and its layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.data import Preprocessor, TableArrays
from retrograd.estimators.fitting.sizes import rounded_up
from retrograd.models import TableNet
from retrograd.random import seeded

__all__ = ["ACTIVATIONS", "NetworkPlan"]

Array = np.ndarray[Any, Any]

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
}

# A column of padding may have at most this many bins or categories.
_STEP = 64


@dataclass(frozen=True)
class NetworkPlan:
    """The arguments of a `TableNet`, as plain values.

    Columns of padding bring the numbers, their bins and the one-hot categories to rounded sizes.
    They are 0 in every row, so that no prediction depends on them.
    """

    edges: tuple[tuple[float, ...], ...]
    cardinalities: tuple[int, ...]
    outputs: int
    hidden: tuple[int, ...]
    members: int
    dropout: float
    activation: str

    @classmethod
    def of(
        cls,
        preprocessor: Preprocessor,
        outputs: int,
        hidden: Sequence[int],
        members: int,
        dropout: float,
        activation: str,
    ) -> NetworkPlan:
        """A plan for the columns that `preprocessor` makes."""
        edges = [tuple(each.tolist()) for each in preprocessor.number_bins()]
        return cls(
            (*edges, *_padding_numbers(edges)),
            (*preprocessor.cardinalities, *_padding_category(preprocessor.cardinalities)),
            outputs,
            tuple(hidden),
            members,
            dropout,
            activation,
        )

    def build(self, seed: int) -> TableNet:
        """An untrained network, the same for the same seed."""
        with seeded(seed):
            return TableNet(
                [np.asarray(each, np.float32) for each in self.edges],
                self.cardinalities,
                self.outputs,
                hidden=self.hidden,
                members=self.members,
                dropout=self.dropout,
                activation=ACTIVATIONS[self.activation](),
            )

    def inputs(self, arrays: TableArrays) -> tuple[Array, Array]:
        """The network's inputs, numbers and categories, with the columns of padding."""
        return (
            _widened(arrays.numbers, len(self.edges)),
            _widened(arrays.categories, len(self.cardinalities)),
        )


def _padding_numbers(edges: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """The bins of the numbers of padding: those of the last one lie above 0, its value."""
    bins = sum(len(each) - 1 for each in edges if len(each) > 2)
    plain: tuple[float, ...] = (0.0, 1.0)
    more = [plain] * (rounded_up(len(edges) + 1, largest_step=_STEP) - len(edges))
    if bins:  # at least two more, since a number with one bin is not encoded by bins
        missing = rounded_up(bins + 2, largest_step=_STEP) - bins
        more[-1] = tuple(np.arange(1.0, missing + 2).tolist())
    return more


def _padding_category(cardinalities: Sequence[int]) -> list[int]:
    """A category that is always the unseen one, which is all zeros one-hot."""
    codes = sum(n - 1 for n in cardinalities if n <= TableNet.one_hot_limit)
    return [rounded_up(codes + 1, largest_step=_STEP) - codes + 1] if codes else []


def _widened(columns: Array, width: int) -> Array:
    return np.pad(columns, [(0, 0), (0, width - columns.shape[1])])
