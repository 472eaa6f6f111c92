"""JSON: a row an object, one a line or in a list."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.json as pa_json

from retrograd.data.tables.files.contents import Contents
from retrograd.data.tables.files.names import checked_names
from retrograd.data.tables.places import Places
from retrograd.errors import DataError
from retrograd.wording import first_line

__all__ = ["read_records"]

# A row must fit into one block.
_BLOCK_BYTES = 1 << 24
_WAY_OUT = 'Write an object a row, such as {"size": 3, "price": 7}, each value of a column alike.'


def read_records(source: Contents, notes: list[str]) -> tuple[pa.Table, Places]:
    """JSON lines, or a list of objects; a key that a row lacks is a missing value.

    Raises DataError for anything else, and for a column whose values are of different types.
    """
    contents = source.read().removeprefix("\ufeff".encode())
    if not contents.strip():
        raise DataError(f"{source.name} is empty; expected rows as JSON objects.")
    if contents.lstrip().startswith(b"["):
        contents = "\n".join(map(json.dumps, _listed(source, contents))).encode()
        if not contents:
            raise DataError(f"{source.name} is an empty list; expected rows as JSON objects.")
    try:
        table = pa_json.read_json(
            pa.BufferReader(contents),
            read_options=pa_json.ReadOptions(block_size=_BLOCK_BYTES),
            parse_options=pa_json.ParseOptions(newlines_in_values=True),
        )
    except pa.ArrowInvalid as error:
        raise _refused(source, first_line(error)) from error
    names = checked_names(source.name, table.column_names)
    return table.rename_columns(names), Places.from_one(table.num_rows, source.name)


def _listed(source: Contents, contents: bytes) -> list[dict[str, Any]]:
    try:
        rows = json.loads(contents)
    except ValueError as error:
        raise _refused(source, f"{first_line(error)}") from error
    for place, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise _refused(source, f"Row {place} is not an object.")
    return list(rows)


def _refused(source: Contents, reason: str) -> DataError:
    return DataError(f"{source.name} cannot be read as JSON: {reason} {_WAY_OUT}")
