"""Delimited text: its separator, its header, and the line that does not fit.

pyarrow reads the cells. What it does not detect is determined here from the start of the file. Only
a file that it refuses is read line by line, to name the line.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np

from retrograd.data.tables.files.contents import Contents
from retrograd.errors import DataError, UsageError
from retrograd.wording import count, shown

__all__ = ["SEPARATORS", "Dialect", "lines_of", "ragged_line", "sniff", "unclosed_quote"]

Rows = np.ndarray[Any, np.dtype[np.int64]]

_SAMPLE_LINES = 100
_LONGEST_FIELD = (1 << 31) - 1  # the most that Python's reader takes everywhere
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_SPELLED = {name: sign for sign, name in SEPARATORS.items()} | {"\\t": "\t", "space": " "}


@dataclass(frozen=True)
class Dialect:
    """The dialect of a file of delimited text, and whether anything stands below its header."""

    separator: str
    header: tuple[str, ...]
    has_rows: bool


def sniff(source: Contents, separator: str | None) -> Dialect:
    """The separator, if it is not given, and the header of delimited text in UTF-8.

    Raises DataError for an empty file, UsageError for a separator that is not one character.
    """
    lines: list[str] = []
    with _opened(source) as file:
        for line in file:
            if line.strip() or lines:
                lines.append(line)
            if len(lines) > _SAMPLE_LINES:
                break
    if not lines:
        raise DataError(f"{source.name} is empty; expected a header line with rows below it.")
    with _fields_of_any_length():
        if separator is None:
            separator = _separator(lines, prefer="\t" if source.suffix == ".tsv" else ",")
        else:
            separator = _as_sign(separator)
        records = _records(lines, separator)
    has_rows = len(records) > 1 or len(lines) > _SAMPLE_LINES
    if len(records) == 1 and has_rows and "\n" in records[0][-1]:
        raise DataError(
            f"{source.name}: a quote in the header is not closed in its first {_SAMPLE_LINES} "
            "lines. Close it, or double a quote inside a name."
        )
    return Dialect(separator, tuple(records[0]), has_rows)


def _as_sign(separator: str) -> str:
    """A separator as a person gave it: the character, or its name."""
    sign = _SPELLED.get(separator.lower(), separator)
    if len(sign) != 1 or not sign.isascii() or sign in '"\r\n':
        raise UsageError(
            f"The separator is given as {shown(separator)}; expected one character, or one of "
            f"{', '.join(name for name in _SPELLED if name.isalpha())}."
        )
    return sign


def ragged_line(source: Contents, dialect: Dialect) -> DataError | None:
    """The error for the first record with a different number of fields than the header, or None."""
    expected = len(dialect.header)
    name = SEPARATORS.get(dialect.separator)
    separated = f"{name}s" if name else shown(dialect.separator)
    records = _numbered(source, dialect)
    for start, fields in records:
        if len(fields) != expected:
            is_last = next(records, None) is None
            if is_last and (error := unclosed_quote(source, fields[-1])):
                return error
            return DataError(
                f"{source.name}, line {start}: found {count(len(fields), 'field')}, expected "
                f"{expected} as in the header (fields are separated by {separated}). Correct that "
                "line, or put quotes around a field that contains the separator."
            )
    return None


def lines_of(source: Contents, dialect: Dialect, size: int, rows: Rows) -> Rows:
    """The lines in which some of the `size` rows begin; the header's line is 1."""
    if source.read().rstrip(b"\r\n").count(b"\n") == size:
        return rows + 2  # every row is a line
    records = (line for line, _ in _numbered(source, dialect))
    lines = np.fromiter(records, np.int64)[1:]
    return lines[rows] if len(lines) == size else rows + 2


def unclosed_quote(source: Contents, last_field: str) -> DataError | None:
    """The error for a quote that runs to the end of the file, given the last field read."""
    if "\n" not in last_field:
        return None
    with source.open() as file:
        file.seek(max(0, file.seek(0, io.SEEK_END) - 64))
        is_closed = file.read().rstrip(b"\r\n\0").endswith(b'"')
    if is_closed:
        return None
    return DataError(
        f"{source.name}: the quote before {shown(last_field)} is never closed, so it swallows "
        "the rest of the file. Close it, or double a quote inside a field."
    )


def _opened(source: Contents) -> TextIO:
    return io.TextIOWrapper(source.open(), "utf-8-sig", newline="")


def _numbered(source: Contents, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """The line in which each record begins, and its fields."""
    with (
        _opened(source) as file,
        _fields_of_any_length(),
        suppress(csv.Error),
    ):
        reader, start = csv.reader(file, delimiter=dialect.separator), 1
        for fields in reader:
            if fields:
                yield start, fields
            start = reader.line_num + 1


def _separator(lines: list[str], prefer: str) -> str:
    """The separator that gives every line equally many fields; if several do, the most fields."""

    def fitness(separator: str) -> tuple[bool, int, bool]:
        widths = [len(fields) for fields in _records(lines, separator)] or [0]
        return widths[0] > 1 and len(set(widths)) == 1, widths[0], separator == prefer

    return max(SEPARATORS, key=fitness)


def _records(lines: list[str], separator: str) -> list[list[str]]:
    """The records of the first lines of a file."""
    records = [fields for fields in csv.reader(lines, delimiter=separator) if fields]
    # A quoted field may run past the sample: its record is left out.
    cut_off = len(lines) > _SAMPLE_LINES and len(records) > 1
    return records[:-1] if cut_off else records


@contextmanager
def _fields_of_any_length() -> Iterator[None]:
    """Lift Python's limit on the length of a field, which other code may want."""
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)
