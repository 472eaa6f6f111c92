"""A table as it was read: its rows, and the kind of each column."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import narwhals as nw
import numpy as np

from retrograd.data import Schema, infer_schema, labeled_rows, take_rows, target_values
from retrograd.data.tables.places import Places
from retrograd.data.tables.read import ReadTable, read_rows
from retrograd.data.texts.folder import PATH, TEXT, parts_of, read_text_folder
from retrograd.errors import about
from retrograd.kinds.base.kind import DataSpec, Parts, path_of
from retrograd.kinds.table.options import TableOptions
from retrograd.wording import count

__all__ = ["TableData", "read_tables", "rows_of"]

Array = np.ndarray[Any, Any]

# What a folder's columns are, however short its texts.
_OF_A_FOLDER = {PATH: "identifier", TEXT: "text"}


@dataclass(frozen=True)
class TableData:
    """Rows, the schema of their columns, and where the rows stand in what was read."""

    frame: nw.DataFrame[Any]
    schema: Schema
    places: Places

    @classmethod
    def whole(cls, read: ReadTable, schema: Schema) -> Self:
        """All rows of a table."""
        return cls(read.frame, schema, read.places)

    @classmethod
    def labeled(cls, read: ReadTable, schema: Schema) -> Self:
        """The rows of a table that have a target value."""
        frame, rows = labeled_rows(read.frame, schema)
        return cls(frame, schema, read.places[rows])

    @property
    def kind(self) -> str:
        """ "text" for a table with columns of free text, else "table"."""
        return "text" if self.schema.texts else "table"

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def codes(self) -> Array | None:
        """(rows,) class codes of a classification."""
        if self.schema.task != "classification":
            return None
        with self.places.named():
            return target_values(self.frame, self.schema)

    def take(self, rows: Array) -> Self:
        return type(self)(take_rows(self.frame, rows), self.schema, self.places[rows])


def rows_of(data: Any, notes: list[str], separator: str | None) -> ReadTable:
    """The rows of a table in memory, of a table's file, or of a folder of texts."""
    path = path_of(data)
    if path is None or not path.is_dir():
        return read_rows(data, notes, separator)
    frame = read_text_folder(path, notes)
    return ReadTable(frame, Places.from_one(len(frame)))


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
        read = rows_of(given["train"], notes, options.sep)
        with read.places.named():
            schema = infer_schema(read.frame, options.target, kinds, options.task)
        train = TableData.labeled(read, schema)

    def other(part: str) -> TableData | float | None:
        data = given[part]
        if data is None or isinstance(data, float):
            return data
        with about(path_of(data) or ""):
            read = rows_of(data, notes, options.sep)
            found = TableData.labeled(read, schema)
        if dropped := len(read.frame) - len(found):
            where = f"{path_of(data) or 'The data to ' + part}"
            notes.append(f"{where}: {count(dropped, 'row')} without a target value: left out.")
        return found

    test, validation = other("test"), other("valid")
    return Parts(train, validation, test, (*notes, *schema.notes), spec.name)
