"""Delimited text: its encoding, its separator, its header, and the line that does not fit.

pyarrow reads the cells. What it does not detect is determined here from the start of the file. Only
a file that it refuses is read line by line, to name the line.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from retrograd.errors import DataError
from retrograd.wording import count, shown

__all__ = ["SEPARATORS", "Dialect", "ragged_line", "sniff", "unclosed_quote", "without_rows"]

_BLOCK = 1 << 20
_SAMPLE_LINES = 100
_LONGEST_FIELD = (1 << 31) - 1  # the most that Python's reader takes everywhere
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    # Before UTF-16, whose little-endian mark is the first half of this one.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OTHER_FORMATS = {
    b"PK\x03\x04": "a workbook or zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "gzip-compressed",
    b"PAR1": "a Parquet file (its name should end in .parquet)",
    b"%PDF": "a PDF document",
}


@dataclass(frozen=True)
class Dialect:
    """The dialect of a file of delimited text."""

    encoding: str
    separator: str
    header: tuple[str, ...]


def sniff(path: Path) -> Dialect:
    """The encoding, separator and header of a file of delimited text.

    Raises DataError for an empty file and for one that is not text.
    """
    encoding = _encoding(path)
    lines: list[str] = []
    with path.open(encoding=encoding, newline="") as file:
        for line in file:
            if line.strip() or lines:
                lines.append(line)
            if len(lines) > _SAMPLE_LINES:
                break
    if not lines:
        raise DataError(f"{path} is empty; expected a header line with rows below it.")
    with _fields_of_any_length():
        separator = _separator(lines, prefer="\t" if path.suffix.lower() == ".tsv" else ",")
        records = _records(lines, separator)
    if len(records) == 1 and len(lines) <= _SAMPLE_LINES:
        raise without_rows(path)
    if len(records) == 1 and "\n" in records[0][-1]:
        raise DataError(
            f"{path}: a quote in the header is not closed in its first {_SAMPLE_LINES} lines. "
            "Close it, or double a quote inside a name."
        )
    return Dialect(encoding, separator, tuple(records[0]))


def without_rows(path: Path) -> DataError:
    """The error for a table that has only a header."""
    return DataError(f"{path} has a header but no rows; expected at least two rows.")


def ragged_line(path: Path, dialect: Dialect) -> DataError | None:
    """The error for the first record with a different number of fields than the header, or None."""
    expected = len(dialect.header)
    with path.open(encoding=dialect.encoding, newline="") as file:
        reader = csv.reader(file, delimiter=dialect.separator)
        start = 1
        with _fields_of_any_length(), suppress(csv.Error):
            for fields in reader:
                if fields and len(fields) != expected:
                    is_last = next(reader, None) is None
                    if is_last and (error := unclosed_quote(path, fields[-1])):
                        return error
                    return DataError(
                        f"{path}, line {start}: found {count(len(fields), 'field')}, expected "
                        f"{expected} as in the header (fields are separated by "
                        f"{SEPARATORS[dialect.separator]}s). Correct that line, or put quotes "
                        "around a field that contains the separator."
                    )
                start = reader.line_num + 1
    return None


def unclosed_quote(path: Path, last_field: str) -> DataError | None:
    """The error for a quote that runs to the end of the file, given the last field read."""
    if "\n" not in last_field:
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64))
        is_closed = file.read().rstrip(b"\r\n\0").endswith(b'"')
    if is_closed:
        return None
    return DataError(
        f"{path}: the quote before {shown(last_field)} is never closed, so it swallows "
        "the rest of the file. Close it, or double a quote inside a field."
    )


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(_BLOCK)
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    for magic, what in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise DataError(
                f"{path} is {what}, not delimited text. Save the table as CSV or Parquet."
            )
    if b"\0" in start:
        raise DataError(
            f"{path} is not readable text: it has zero bytes and no byte-order mark. "
            "Save the table as CSV in UTF-8."
        )
    # Latin-1 maps every byte to a character; Windows-1252 leaves five undefined.
    return next(name for name in ("utf-8", "cp1252", "latin-1") if _decodes(path, name))


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


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
