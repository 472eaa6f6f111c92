"""Cells as numbers, flags and labels, a whole column at a time.

Every reader takes the column that `normalized` returns. It gives NaN where a cell is missing, and
a mask of the cells that hold something other than what was asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.tables.arrow import floats, integers, mask, nulled, numbers, strings
from retrograd.data.tables.plain_numbers import plain_numbers

__all__ = [
    "MISSING_MARKERS",
    "Reading",
    "is_number",
    "is_span",
    "is_text",
    "is_time",
    "labels",
    "normalized",
    "read_flags",
    "read_numbers",
    "spelled_as",
]

MISSING_MARKERS = (
    *("", "NA", "N/A", "n/a", "na", "#N/A", "NULL", "Null", "null"),
    *("NaN", "nan", "NAN", "None", "<NA>", "NaT", "?", "-"),
    *("#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"),  # of spreadsheets
    # Databases write these where there is no date.
    *("0000-00-00", "0000-00-00 00:00:00", "0000-00-00T00:00:00", "0000/00/00"),
    *("00/00/0000", "00.00.0000", "00-00-0000"),
)
_TRUE = ("true", "yes", "y", "t", "1")
_FALSE = ("false", "no", "n", "f", "0")


class Reading(NamedTuple):
    """A column read as numbers: (n,) values, NaN where missing, and (n,) cells that did not fit."""

    values: np.ndarray[Any, np.dtype[np.float64]]
    wrong: np.ndarray[Any, np.dtype[np.bool_]]


def normalized(
    column: pa.ChunkedArray, markers: tuple[str, ...] = (), words: tuple[str, ...] = ()
) -> pa.Array:
    """One array of trimmed large strings, booleans, float64 / int64 or timestamps in seconds.

    Texts that mark a missing value (`MISSING_MARKERS` and `markers`, but not `words`), NaN and null
    become null. Durations and times of day become seconds. Other types (lists, structs, bytes)
    stay as they are.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.large_string())
    if is_text(kind):
        text = _one(pc.utf8_trim_whitespace(column.cast(pa.large_string())))
        known = [each for each in (*MISSING_MARKERS, *markers) if each not in words]
        is_marker = pc.is_in(text, value_set=strings(known))
        return nulled(text, is_marker) if pc.any(is_marker).as_py() else text
    if pa.types.is_integer(kind):
        return _one(column)
    if is_number(kind):
        values = _one(column.cast(pa.float64(), safe=False))
        return nulled(values, pc.is_nan(values))
    if is_span(kind):
        return _seconds(_one(column))
    if is_time(kind):
        if pa.types.is_timestamp(kind) and kind.tz:
            column = pc.local_timestamp(column)  # by its own clock, as its text would be read
        return _one(column.cast(pa.timestamp("us"), safe=False).cast(pa.timestamp("s"), safe=False))
    return _one(column)


def is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def is_span(kind: pa.DataType) -> bool:
    """Whether values are lengths of time or times of day."""
    return bool(pa.types.is_duration(kind) or pa.types.is_time(kind))


def read_numbers(cells: pa.Array, decimal: str = ".") -> Reading:
    """Cells as numbers; infinities stay. `plain_numbers` says how texts may be written."""
    if is_number(cells.type) or pa.types.is_boolean(cells.type):
        return Reading(floats(cells), np.zeros(len(cells), np.bool_))
    if not is_text(cells.type):
        return _nothing_fits(cells)
    if decimal == ".":
        try:
            return Reading(floats(cells.cast(pa.float64())), np.zeros(len(cells), np.bool_))
        except pa.ArrowInvalid:
            pass
    plain = plain_numbers(cells, decimal)
    wrong = mask(cells.is_valid()) & mask(plain.is_null())
    return Reading(floats(plain.cast(pa.float64())), wrong)


def read_flags(cells: pa.Array) -> Reading:
    """Cells as 0 and 1: true/false, yes/no, y/n, t/f, 1/0, in any letter case."""
    if pa.types.is_boolean(cells.type) or is_number(cells.type):
        values = floats(cells)
        wrong = ~np.isin(values, (0.0, 1.0)) & ~np.isnan(values)
        return Reading(np.where(wrong, np.nan, values), wrong)
    if not is_text(cells.type):
        return _nothing_fits(cells)
    places = integers(pc.index_in(pc.utf8_lower(labels(cells)), strings([*_TRUE, *_FALSE])))
    values = np.where(places < 0, np.nan, places < len(_TRUE))
    return Reading(values, mask(cells.is_valid()) & (places < 0))


def labels(cells: pa.Array) -> pa.Array:
    """Cells as large strings, one spelling per value: 3, 3.0 and "3.0" are all "3"."""
    text = cells.cast(pa.large_string())
    if is_time(cells.type):  # a day is written without its midnight
        return pc.replace_substring(text, pattern=" 00:00:00", replacement="")
    return pc.replace_substring_regex(text, pattern=r"^([+-]?\d+)\.0+$", replacement=r"\1")


def spelled_as(known: Sequence[str], texts: pa.Array) -> pa.Array:
    """`labels`, with true and false spelled as in `known`: one file's True is another's true."""
    for word in ("true", "false"):
        spellings = [each for each in known if each.lower() == word]
        if len(spellings) == 1:
            texts = pc.replace_substring_regex(texts, f"^(?i:{word})$", spellings[0])
    return texts


def _seconds(spans: pa.Array) -> pa.Array:
    is_short = pa.types.is_time32(spans.type)
    ticks = floats(spans.cast(pa.int32() if is_short else pa.int64()))
    seconds = numbers(ticks / {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[spans.type.unit])
    return nulled(seconds, spans.is_null())


def _nothing_fits(cells: pa.Array) -> Reading:
    return Reading(np.full(len(cells), np.nan), mask(cells.is_valid()))


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
