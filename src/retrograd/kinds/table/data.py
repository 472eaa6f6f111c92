"""A table as it was read: its rows, and the kind of each column."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import narwhals as nw
import numpy as np

from retrograd.data import Schema, infer_schema, labeled_rows, read_table, take_rows, target_values
from retrograd.data.tables.memory import table_in_memory
from retrograd.data.texts.folder import PATH, TEXT, parts_of, read_text_folder
from retrograd.errors import about
from retrograd.kinds.base.kind import DataSpec, Parts, path_of
from retrograd.kinds.table.options import TableOptions

__all__ = ["TableData", "frame_of", "read_tables"]

Array = np.ndarray[Any, Any]

# What a folder's columns are, however short its texts.
_OF_A_FOLDER = {PATH: "identifier", TEXT: "text"}


@dataclass(frozen=True)
class TableData:
    """Rows, the schema of their columns, and where they stand in what was read, from 1."""

    frame: nw.DataFrame[Any]
    schema: Schema
    places: Array  # (rows,) whole numbers

    @classmethod
    def whole(cls, frame: nw.DataFrame[Any], schema: Schema) -> Self:
        """All rows of a table."""
        return cls(frame, schema, np.arange(1, len(frame) + 1))

    @classmethod
    def labeled(cls, frame: nw.DataFrame[Any], schema: Schema) -> Self:
        """The rows of a table that have a target value."""
        labeled, places = labeled_rows(frame, schema)
        return cls(labeled, schema, places + 1)

    @property
    def kind(self) -> str:
        """ "text" for a table with columns of free text, else "table"."""
        return "text" if self.schema.texts else "table"

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def codes(self) -> Array | None:
        """(rows,) class codes of a classification."""
        is_class = self.schema.task == "classification"
        return target_values(self.frame, self.schema) if is_class else None

    def take(self, rows: Array) -> Self:
        return type(self)(take_rows(self.frame, rows), self.schema, self.places[rows])


def frame_of(data: Any, notes: list[str]) -> nw.DataFrame[Any]:
    """The rows of a table in memory, of a table's file, or of a folder of texts."""
    path = path_of(data)
    if path is None:
        return table_in_memory(data)
    return read_text_folder(path, notes) if path.is_dir() else read_table(path, notes)


def read_tables(spec: DataSpec, options: TableOptions) -> Parts[TableData]:
    """The labeled rows of the tables that `spec` names.

    All rows of `spec.data` decide the kinds of the columns. A folder's parts `valid` and `test` are
    used if `spec` names none.
    """
    notes: list[str] = []
    given = {"train": spec.data, "valid": spec.validation, "test": spec.test}
    path, kinds = path_of(spec.data), options.kinds
    if path is not None and path.is_dir():
        parts: dict[str, Path] = parts_of(path)
        given = {part: parts.get(part) if given[part] is None else given[part] for part in given}
        given["train"] = parts["train"]
        kinds = _OF_A_FOLDER | kinds
    with about(spec.name):
        frame = frame_of(given["train"], notes)
        schema = infer_schema(frame, options.target, kinds, options.task)
        train = TableData.labeled(frame, schema)

    def other(part: str) -> TableData | float | None:
        data = given[part]
        if data is None or isinstance(data, float):
            return data
        with about(path_of(data) or ""):
            return TableData.labeled(frame_of(data, notes), schema)

    test, validation = other("test"), other("valid")
    return Parts(train, validation, test, (*notes, *schema.notes), spec.name)
