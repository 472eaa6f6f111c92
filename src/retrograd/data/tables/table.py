"""Tables as narwhals frames over pyarrow, and as CSV, TSV and Parquet files that are written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.files import atomic_write
from retrograd.data.tables.arrow import row_numbers, strings
from retrograd.data.tables.files.dialect import SEPARATORS
from retrograd.errors import DataError, UsageError
from retrograd.wording import shown

__all__ = ["as_table", "refuse_suffix", "take_rows", "write_csv", "write_table"]

_SUFFIXES = (".csv", ".tsv", ".parquet")


def write_table(frame: Any, path: str | os.PathLike[str]) -> None:
    """Write a frame (narwhals, or any that narwhals reads) to a `.csv`, `.tsv` or `.parquet` file.

    The file is written whole or not at all. Missing values become empty fields; a field is quoted
    only if it must be. Raises UsageError for another suffix or if the system refuses.
    """
    path = Path(path)
    refuse_suffix(path)
    suffix, table = path.suffix.lower(), as_table(frame)
    with atomic_write(path) as part:
        if suffix == ".parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, part)
        else:
            with part.open("wb") as file:
                _write_text(table, file, "\t" if suffix == ".tsv" else ",")


def refuse_suffix(path: Path) -> None:
    """Raise UsageError for a file name that `write_table` does not write to."""
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"Cannot write a table to {path}: expected {', '.join(_SUFFIXES)}.")


def write_csv(frame: Any, file: IO[bytes]) -> None:
    """Write a frame to an open file as `write_table` writes a `.csv` file."""
    _write_text(as_table(frame), file, ",")


def take_rows(frame: Any, index: np.ndarray[Any, Any]) -> nw.DataFrame[pa.Table]:
    """The rows of `frame` at `index` (m,), counted from 0, in that order."""
    return nw.from_native(as_table(frame).take(row_numbers(index)), eager_only=True)


def as_table(frame: Any) -> pa.Table:
    """The Arrow table of a frame (narwhals, or any that narwhals reads), without index columns."""
    frame = nw.from_native(frame, eager_only=True)
    names = [str(name) for name in frame.columns]
    try:
        return frame.to_arrow().select(names)
    except pa.ArrowException as error:
        raise DataError(
            f"A column mixes values of different types: {str(error).splitlines()[0]} "
            "Give each column values of one type."
        ) from error


def _write_text(table: pa.Table, file: Any, separator: str) -> None:
    # Any separator in the header is quoted, so that a reader that guesses finds this one.
    header = _quoted(strings(table.column_names), "".join(SEPARATORS))
    _write_lines([header.slice(place, 1) for place in range(len(header))], file, separator)
    for batch in table.to_batches(max_chunksize=1 << 16):
        texts = [_as_text(*named) for named in zip(batch.schema.names, batch.columns, strict=True)]
        _write_lines([_quoted(text, separator) for text in texts], file, separator)


def _as_text(name: str, column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        return column.cast(pa.large_string())
    except pa.ArrowNotImplementedError as error:
        raise DataError(
            f"Column {shown(name)} holds values of type {column.type}, which delimited text cannot "
            "hold. Write the table as .parquet."
        ) from error


def _quoted(texts: pa.Array, separators: str) -> pa.Array:
    """Quotes around the texts that contain a separator, a quote or a line end."""
    special = pc.match_substring_regex(texts, f'["\\r\\n{separators}]')
    if not pc.any(special).as_py():
        return texts
    quote = strings(['"'])[0]
    doubled = pc.replace_substring(texts, '"', '""')
    return pc.if_else(special, pc.binary_join_element_wise(quote, doubled, quote, _empty()), texts)


def _write_lines(fields: list[pa.Array], file: Any, separator: str) -> None:
    lines = pc.binary_join_element_wise(
        *fields, strings([separator])[0], null_handling="replace", null_replacement=""
    )
    if len(fields) == 1:
        # Every reader would skip an empty line.
        lines = pc.if_else(pc.equal(lines, _empty()), strings(['""'])[0], lines)
    ended = pc.binary_join_element_wise(lines, strings(["\n"])[0], _empty())
    _, offsets, text = ended.buffers()
    ends = np.frombuffer(offsets, np.int64)[ended.offset : ended.offset + len(ended) + 1]
    file.write(text[int(ends[0]) : int(ends[-1])])


def _empty() -> pa.Scalar:
    return strings([""])[0]
