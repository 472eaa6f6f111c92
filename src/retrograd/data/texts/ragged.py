"""Rows of ids of different lengths, held without padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

__all__ = ["PADDING", "Ids", "Ragged"]

Ids = np.ndarray[Any, np.dtype[np.int32]]

PADDING = 0
"""The padding id; n-grams and tokens are numbered from 1."""


@dataclass(frozen=True)
class Ragged:
    """`ids` (total,), one row after another; row i ends before `ends[i + 1]`, (rows + 1,)."""

    ids: Ids
    ends: np.ndarray[Any, np.dtype[np.int64]]

    @classmethod
    def of(cls, rows: Iterable[Sequence[int] | Ids]) -> Self:
        arrays = [np.asarray(row, np.int32) for row in rows]
        ends = np.cumsum([0, *map(len, arrays)])
        return cls(np.concatenate([np.empty(0, np.int32), *arrays]), ends)

    def __len__(self) -> int:
        return len(self.ends) - 1

    @property
    def lengths(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """(rows,)"""
        return np.diff(self.ends)

    def padded(self, rows: np.ndarray[Any, Any], length: int) -> Ids:
        """(len(rows), length): some rows, cut or padded with `PADDING` at the end."""
        kept = np.minimum(self.lengths[rows], length)
        ids = np.full((len(rows), length), PADDING, np.int32)
        # How far each id is from the start of its row, and where that row starts.
        steps = np.arange(kept.sum()) - np.repeat(np.cumsum(kept) - kept, kept)
        ids[np.arange(length) < kept[:, None]] = self.ids[np.repeat(self.ends[rows], kept) + steps]
        return ids
