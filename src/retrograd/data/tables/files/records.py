"""JSON: a row an object, one a line or in a list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pa_json

from retrograd.data.tables.files.cells import column_of
from retrograd.data.tables.files.contents import Contents
from retrograd.data.tables.files.names import checked_names
from retrograd.data.tables.places import Places
from retrograd.errors import DataError
from retrograd.wording import first_line, shown

__all__ = ["read_records"]

# A row must fit into one block.
_BLOCK_BYTES = 1 << 24
_WAY_OUT = 'Write an object a row, such as {"size": 3, "price": 7}.'


def read_records(source: Contents, notes: list[str]) -> tuple[pa.Table, Places]:
    """JSON lines, or a list of objects; a key that a row lacks is a missing value.

    A column whose values are of different types becomes texts. Raises DataError for anything else.
    """
    contents = source.read().removeprefix("\ufeff".encode())
    if not contents.strip():
        raise DataError(f"{source.name} is empty; expected rows as JSON objects.")
    if contents.lstrip().startswith(b"["):
        table = _table(_in_list(source, contents))
        places = Places.from_one(len(table), source.name)
    else:
        table = _lines(source, contents)
        places = _places(source, contents, len(table))
    return table.rename_columns(checked_names(source.name, table.column_names)), places


def _places(source: Contents, contents: bytes, size: int) -> Places:
    lines = np.flatnonzero([bool(line.strip()) for line in contents.splitlines()])
    if len(lines) != size:  # an object may take several lines
        return Places.from_one(size, source.name)
    return Places(lines, "line", source=source.name)


def _lines(source: Contents, contents: bytes) -> pa.Table:
    try:
        return pa_json.read_json(
            pa.BufferReader(contents),
            read_options=pa_json.ReadOptions(block_size=_BLOCK_BYTES),
            parse_options=pa_json.ParseOptions(newlines_in_values=True),
        )
    except pa.ArrowInvalid:
        # Slowly, which finds the line at fault, and takes columns of several types.
        return _table(_in_lines(source, contents))


def _in_lines(source: Contents, contents: bytes) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(contents.splitlines(), 1):
        if line.strip():
            yield _row(source, f"line {number}", line)


def _in_list(source: Contents, contents: bytes) -> Iterator[dict[str, Any]]:
    rows = _value(source, "", contents)
    for number, row in enumerate(rows, 1):
        yield _checked(source, f"row {number}", row)


def _row(source: Contents, place: str, text: bytes) -> dict[str, Any]:
    return _checked(source, place, _value(source, place, text))


def _value(source: Contents, place: str, text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _refused(source, place, first_line(error)) from error


def _checked(source: Contents, place: str, row: Any) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise _refused(source, place, f"Found {shown(row)}, expected an object.")
    return row


def _refused(source: Contents, place: str, reason: str) -> DataError:
    where = f"{source.name}, {place}" if place else source.name
    return DataError(f"{where}: this is no JSON of rows. {reason} {_WAY_OUT}")


def _table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    rows = list(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table([column_of([row.get(name) for row in rows]) for name in names], names)
