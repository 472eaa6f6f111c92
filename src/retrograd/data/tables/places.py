"""Where the rows of a table stand in what was read, as a person counts there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from retrograd.errors import DataError, about

__all__ = ["Places", "RowError"]

Rows = np.ndarray[Any, np.dtype[np.int64]]


class RowError(DataError):
    """A cell that cannot be used, in the row at index `row` of a table.

    The message counts rows from 1; `told` says what a file counts in its place.
    """

    def __init__(self, before: str, row: int, after: str) -> None:
        super().__init__(f"{before}row {row + 1}{after}")
        self.parts = (before, after)
        self.row = row

    def at(self, row: int) -> RowError:
        """The same error, found in a table of which this row is another."""
        before, after = self.parts
        return RowError(before, row, after)

    def told(self, place: str) -> DataError:
        """The same error with the place named as in "line 12"."""
        return DataError(place.join(self.parts))


@dataclass(frozen=True)
class Places:
    """Where n rows stand: `rows` (n,) are their indices in what was read, from 0.

    `counted` turns such indices into the numbers that a person finds there: the lines of a text
    file, its header being line 1, or the rows of a sheet; None: from 1. `word` is what is counted,
    `source` the name of what was read; "" for a table in memory.
    """

    rows: Rows
    word: str = "row"
    counted: Callable[[Rows], Rows] | None = None
    source: str = ""

    @classmethod
    def from_one(cls, rows: int, source: str = "") -> Self:
        """The rows of a table without lines, from 1."""
        return cls(np.arange(rows), source=source)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Any) -> Self:
        """The places of some of the rows."""
        return replace(self, rows=self.rows[rows])

    @property
    def numbers(self) -> Rows:
        """(n,) the lines or rows; a large text file is read for them."""
        return self.rows + 1 if self.counted is None else self.counted(self.rows)

    def of(self, row: int) -> str:
        """ "line 12", for the row at index `row`."""
        return self[[row]].listed()

    def listed(self, most: int = 5) -> str:
        """ "line 12, 17 and 3 more"."""
        numbers = [str(number) for number in self[:most].numbers]
        rest = len(self) - len(numbers)
        return f"{self.word} {', '.join(numbers)}{f' and {rest:,} more' if rest else ''}"

    @contextmanager
    def named(self) -> Iterator[None]:
        """A RowError in the block names what was read, and the row as a person counts there."""
        try:
            yield
        except RowError as error:
            told = error.told(self.of(error.row))
            if not self.source:
                raise told from error
            with about(self.source):
                raise told from error
