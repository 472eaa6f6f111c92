"""Reads and writes CSV, TSV and Parquet files as narwhals frames over pyarrow."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import IO, Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from retrograd.data.files import atomic_write, existing_file, plain_reason
from retrograd.data.tables.arrow import row_numbers, strings
from retrograd.data.tables.csv_text import (
    SEPARATORS,
    Dialect,
    ragged_line,
    sniff,
    unclosed_quote,
    without_rows,
)
from retrograd.errors import DataError, UsageError
from retrograd.wording import listed, shown

__all__ = ["as_table", "read_table", "refuse_suffix", "take_rows", "write_csv", "write_table"]

_SUFFIXES = (".csv", ".tsv", ".parquet")
# A row must fit into one block; a wide table has long rows.
_BLOCK_BYTES = 1 << 24
_PLAIN_ENCODINGS = ("utf-8", "utf-8-sig")


def read_table(
    path: str | os.PathLike[str], notes: list[str] | None = None
) -> nw.DataFrame[pa.Table]:
    """A table file as an eager narwhals frame over pyarrow.

    `.csv` and `.tsv`: comma, semicolon or tab, whichever the file uses; quoted fields; UTF-8,
    UTF-16 with a byte-order mark, or else Windows-1252 / Latin-1. Every cell keeps its text from
    the file, so that codes such as `00501` and the way numbers are written survive;
    `infer_schema` decides what the texts mean. `.parquet`: the file's own types. Spaces around
    column names are dropped. `notes` reports an encoding other than UTF-8.

    Raises DataError for a missing, empty or unreadable file, a header without rows, rows of
    different lengths, and columns that are unnamed or share a name.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    try:
        existing_file(path)
        if suffix not in _SUFFIXES:
            raise DataError(
                f"{path}: cannot read a table from {suffix or 'a file without a suffix'}; "
                f"expected {', '.join(_SUFFIXES)}. Save the table as CSV or Parquet."
            )
        table = _read_parquet(path) if suffix == ".parquet" else _read_text(path, notes)
    except OSError as error:
        raise DataError(f"Cannot read {path}: {plain_reason(error)}.") from error
    except UnicodeError as error:
        raise DataError(
            f"{path} is not valid text: {_first_line(error)} Save the table as CSV in UTF-8."
        ) from error
    if table.num_rows == 0:
        raise without_rows(path)
    return nw.from_native(table, eager_only=True)


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


def _read_text(path: Path, notes: list[str] | None) -> pa.Table:
    dialect = sniff(path)
    names = _checked_names(path, dialect.header)
    if dialect.encoding not in _PLAIN_ENCODINGS and notes is not None:
        notes.append(f"{path} is not UTF-8; it was read as {dialect.encoding}.")
    table = _parse(path, dialect)
    if table.num_rows and (error := unclosed_quote(path, table[-1][-1].as_py())):
        raise error
    return table.rename_columns(names)


def _parse(path: Path, dialect: Dialect) -> pa.Table:
    encoding = "utf-8" if dialect.encoding in _PLAIN_ENCODINGS else dialect.encoding
    try:
        return pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(encoding=encoding, block_size=_BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(delimiter=dialect.separator, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(dialect.header, pa.string())
            ),
        )
    except pa.ArrowInvalid as error:
        raise (
            ragged_line(path, dialect)
            or DataError(f"{path} cannot be read as delimited text: {_first_line(error)}")
        ) from error


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow.parquet as pq

    try:
        # Not pq.read_table, which imports pyarrow.dataset (0.3 s).
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError) as error:
        raise DataError(
            f"{path} cannot be read as Parquet: {_first_line(error)} "
            "Write it again, or save the table as CSV."
        ) from error
    return table.rename_columns(_checked_names(path, table.column_names))


def _checked_names(path: Path, header: tuple[str, ...] | list[str]) -> list[str]:
    names = [name.strip() for name in header]
    unnamed = [str(place) for place, name in enumerate(names, 1) if not name]
    if unnamed:
        raise DataError(
            f"{path}: {'columns' if len(unnamed) > 1 else 'column'} {listed(unnamed)} of "
            f"{len(names)} has no name. Name every column in the header "
            "(a nameless first column is often a saved row index: leave it out when saving)."
        )
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated or _are_numbers(names):
        what = (
            f"the column name {listed(map(shown, repeated))} occurs more than once"
            if repeated
            else f"every column name is a number ({listed(names, most=3)})"
        )
        raise DataError(
            f"{path}: {what}. Give every column its own name; if the first line is already "
            "data, put a header line above it."
        )
    return names


def _are_numbers(names: list[str]) -> bool:
    """Whether the header line holds data; years alone may be names."""
    try:
        return not all(float(name).is_integer() for name in names)
    except ValueError:
        return False


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") + "."


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
