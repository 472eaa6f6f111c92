"""What a column holds, gathered once: its cells, and its distinct values with their counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.tables.arrow import integers
from retrograd.data.tables.cells import is_span, normalized
from retrograd.data.tables.places import RowError
from retrograd.wording import shown

__all__ = ["Facts", "gather", "refuse_vast", "refuse_wrong"]

# Deviations and errors are squared and summed; the square of a larger number overflows float64.
_VAST = 1e150


@dataclass(frozen=True)
class Facts:
    """A column's `normalized` cells, and its distinct present values with their `counts`.

    `words` are texts that mark a missing value in other columns, and a value in this one.
    `are_spans` says that the numbers are seconds, of durations or times of day.
    """

    name: str
    cells: pa.Array
    distinct: pa.Array
    counts: np.ndarray[Any, np.dtype[np.int64]]
    words: tuple[str, ...] = ()
    are_spans: bool = False

    @property
    def present(self) -> int:
        return len(self.cells) - int(self.cells.null_count)

    @property
    def missing_share(self) -> float:
        return self.cells.null_count / len(self.cells) if len(self.cells) else 0.0

    @property
    def is_all_different(self) -> bool:
        return len(self.distinct) == self.present


def gather(name: str, column: pa.ChunkedArray, words: tuple[str, ...] = ()) -> Facts:
    """The facts of a column, in which the `words` are values, not missing ones."""
    cells, are_spans = normalized(column, words=words), is_span(column.type)
    try:
        counted = pc.value_counts(cells.drop_null())
    except pa.ArrowNotImplementedError:
        # Lists, structs and the like, which no kind of column supports.
        return Facts(name, cells, cells.slice(0, 0), np.empty(0, np.int64), words)
    distinct, counts = counted.field("values"), integers(counted.field("counts"))
    return Facts(name, cells, distinct, counts, words, are_spans)


def refuse_wrong(
    name: str, cells: pa.Array, wrong: np.ndarray[Any, Any], expected: str, way_out: str
) -> None:
    """RowError for the first cell that the mask `wrong` (n,) marks."""
    if wrong.any():
        row = int(np.argmax(wrong))
        found = f": found {shown(cells[row].as_py())}, expected {expected}. {way_out}"
        raise RowError(f"Column {shown(name)}, ", row, found)


def refuse_vast(name: str, cells: pa.Array, values: np.ndarray[Any, Any]) -> None:
    """RowError for the first of `values` (n,) that is too large to learn."""
    refuse_wrong(
        name,
        cells,
        np.abs(values) > _VAST,
        f"a number of magnitude at most {_VAST:g}",
        "Correct the cell, or give the column in a larger unit or as logarithms.",
    )
