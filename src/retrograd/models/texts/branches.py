"""Texts beside each other, and beside numbers and categories: one network with a branch each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrograd import nn, ops
from retrograd.models.tables.table import TableNet
from retrograd.models.texts.bag import TextBag
from retrograd.tensor import Tensor

__all__ = ["BagBesideTable", "BranchesBesideTable", "TextBranches"]


class TextBranches(nn.Module):
    """Token ids of each text, (rows, length) -> (rows, outputs).

    Each text is read by a branch of its own, to `width` numbers; a linear layer joins them.
    """

    def __init__(self, branches: Sequence[nn.Module], width: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.head = nn.Linear(width * len(branches), outputs)

    def forward(self, *ids: Any) -> Tensor:
        return self.head(_read(self.branches, ids))


class BranchesBesideTable(nn.Module):
    """(rows, numbers), (rows, categories), token ids of each text -> (rows, members, outputs).

    The vectors that the texts' branches make are numbers to `table` as the table's own are: the
    last ones, each with a single bin.
    """

    def __init__(self, branches: Sequence[nn.Module], table: TableNet) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.table = table

    def forward(self, numbers: Any, categories: Any, *ids: Any) -> Tensor:
        return self.table(ops.concatenate([numbers, _read(self.branches, ids)], 1), categories)


class BagBesideTable(nn.Module):
    """(rows, numbers), (rows, categories), n-gram ids of each text -> (rows, members, outputs).

    What the texts' n-grams vote for is added to what the table's columns say.
    """

    def __init__(self, bag: TextBag, table: TableNet) -> None:
        super().__init__()
        self.bag = bag
        self.table = table

    def forward(self, numbers: Any, categories: Any, *ids: Any) -> Tensor:
        return self.table(numbers, categories) + self.bag(*ids).mean(1, keepdim=True)


def _read(branches: nn.ModuleList, ids: Sequence[Any]) -> Tensor:
    vectors = [branch(each) for branch, each in zip(branches, ids, strict=True)]
    return nn.functional.silu(ops.concatenate(vectors, 1))
