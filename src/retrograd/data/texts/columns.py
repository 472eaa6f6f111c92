"""The cells of a table's text columns, and the rows without any text."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.data.allowance import allowed
from retrograd.data.tables.cells import normalized
from retrograd.data.tables.columns import read_labels
from retrograd.data.tables.places import Places
from retrograd.data.tables.schema import Schema
from retrograd.data.tables.table import as_table
from retrograd.errors import DataError
from retrograd.wording import count, listed, shown

__all__ = ["is_empty", "read_texts", "refuse_many_empty"]

Array = np.ndarray[Any, Any]


def read_texts(
    frame: Any, schema: Schema, notes: list[str] | None = None, places: Places | None = None
) -> list[list[str]]:
    """The texts of each text column; "" for an empty cell, which `notes` reports by its place."""
    table = as_table(frame)
    found = []
    for column in schema.texts:
        cells = read_labels(column, normalized(table[column.name], column.markers))
        texts = [text or "" for text in cells.to_pylist()]
        empty = np.array([row for row, text in enumerate(texts) if not text], np.int64)
        if notes is not None and len(empty):
            where = (places or Places.from_one(len(texts)))[empty].listed()
            notes.append(
                f"Column {shown(column.name)}: {count(len(empty), 'row')} without a text "
                f"({where}); predicted from the other columns."
            )
        found.append(texts)
    return found


def is_empty(texts: list[list[str]]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(rows,): whether a row has no text in any of its columns."""
    return np.array([not any(cells) for cells in zip(*texts, strict=True)], np.bool_)


def refuse_many_empty(empty: Array, places: Places, schema: Schema) -> str:
    """A note on the rows without a text, which training leaves out; "" if there are none.

    `empty` (rows,) marks them; `places` says where the rows stand. Raises DataError if they are
    more than `allowed`.
    """
    rows = places[empty]
    if not len(rows):
        return ""
    names = listed(shown(column.name) for column in schema.texts)
    where = f"{count(len(rows), 'row')} of {len(empty):,} without a text in {names}"
    first = rows.listed()
    if len(rows) > allowed(len(empty)):
        raise DataError(
            f"Found {where} ({first}); expected at most {count(allowed(len(empty)), 'row')}, since "
            "nothing can be learned from these. Fill the texts in, or remove the rows."
        )
    return f"{where[0].upper()}{where[1:]} are left out ({first})."
