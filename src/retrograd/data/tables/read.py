"""From a path, standard input or a table in memory to rows, and where they stand."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from retrograd.data.files import plain_reason
from retrograd.data.tables.files.columnar import read_arrow, read_parquet
from retrograd.data.tables.files.contents import COMPRESSED, Contents, file_contents
from retrograd.data.tables.files.delimited import read_delimited
from retrograd.data.tables.files.records import read_records
from retrograd.data.tables.files.workbook import read_workbook
from retrograd.data.tables.memory import table_in_memory
from retrograd.data.tables.places import Places
from retrograd.errors import DataError

__all__ = ["ReadTable", "read_rows", "read_table"]

_DELIMITED = (".csv", ".tsv")
_READERS: dict[str, Callable[[Contents, list[str]], tuple[pa.Table, Places]]] = {
    ".parquet": read_parquet,
    **dict.fromkeys((".arrow", ".feather", ".ipc"), read_arrow),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), read_records),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), read_workbook),
}


@dataclass(frozen=True)
class ReadTable:
    """The rows of a table, and where they stand in what was read."""

    frame: nw.DataFrame[Any]
    places: Places


def read_table(
    path: str | os.PathLike[str], notes: list[str] | None = None, separator: str | None = None
) -> nw.DataFrame[pa.Table]:
    """A table file as an eager narwhals frame over pyarrow, which may have no rows.

    - `.csv`, `.tsv`: comma, semicolon, tab or pipe, whichever the file uses, or `separator`; quoted
      fields; UTF-8, UTF-16 with a byte-order mark, or else Windows-1252 / Latin-1. Every cell keeps
      its text from the file, so that codes such as `00501` and the way numbers are written survive;
      `infer_schema` decides what the texts mean.
    - `.parquet`, `.feather`, `.arrow`: the file's own types.
    - `.jsonl`, `.json`: an object a row.
    - `.xlsx`, `.xls`, `.ods`: the first sheet that holds anything.

    Any of them may be compressed by gzip, zstd, bzip2, xz or lz4. Spaces around column names are
    dropped. `notes` reports what a person should know about the reading.

    Raises DataError for a missing, empty or unreadable file, rows of different lengths, and columns
    that are unnamed or share a name; UsageError for a separator that cannot be one.
    """
    return read_rows(Path(path), notes, separator).frame


def read_rows(data: Any, notes: list[str] | None = None, separator: str | None = None) -> ReadTable:
    """The rows of a file, of a `Contents` such as standard input, or of a table in memory.

    See `read_table` and `table_in_memory`.
    """
    notes = [] if notes is None else notes
    if not isinstance(data, str | os.PathLike | Contents):
        frame = table_in_memory(data)
        return ReadTable(frame, Places.from_one(len(frame)))
    name = data.name if isinstance(data, Contents) else str(data)
    try:
        source = data if isinstance(data, Contents) else file_contents(Path(data))
        table, places = _read(source, notes, separator)
    except OSError as error:
        raise DataError(f"Cannot read {name}: {plain_reason(error)}.") from error
    return ReadTable(nw.from_native(table, eager_only=True), places)


def _read(source: Contents, notes: list[str], separator: str | None) -> tuple[pa.Table, Places]:
    if source.suffix in _DELIMITED:
        return read_delimited(source, notes, separator)
    if source.suffix in _READERS:
        return _READERS[source.suffix](source, notes)
    raise DataError(
        f"{source.name}: cannot read a table from {source.suffix or 'a file without a suffix'}; "
        f"expected {', '.join((*_DELIMITED, *_READERS))}, or one of these compressed "
        f"({', '.join(COMPRESSED)}). Save the table as CSV or Parquet."
    )
