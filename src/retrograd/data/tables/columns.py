"""The kind of a column: judged from its values, or as the user asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.scripts import IDEOGRAPHS, UNSPACED_LETTERS
from retrograd.data.tables.arrow import floats, row_numbers, strings
from retrograd.data.tables.cells import (
    Reading,
    is_number,
    is_text,
    is_time,
    labels,
    read_flags,
    read_numbers,
)
from retrograd.data.tables.dates import find_layouts, likely_layouts, read_dates
from retrograd.data.tables.durations import CLOCK, read_seconds
from retrograd.data.tables.facts import Facts, refuse_wrong
from retrograd.data.tables.plain_numbers import units
from retrograd.errors import DataError
from retrograd.wording import count, listed, shown

__all__ = [
    "KINDS",
    "Column",
    "judge",
    "number_format",
    "read_as",
    "read_column",
    "read_labels",
    "with_a_feature",
]

KINDS = ("number", "category", "date", "flag", "identifier", "constant", "text")

# Whole words of a column's name. One of the first set makes a key of numbers that differ in nearly
# every row; so does a name of nothing but words of the second; one of the third only if they rise.
_KEY_WORDS = {"id", "ids", "uuid", "guid", "rowid", "userid", "customerid", "orderid", "pid"}
_ROW_WORDS = {"index", "idx", "row", "rownames", "rownum", "rownumber", "nr", "unnamed"}
_COUNTER_WORDS = {*_ROW_WORDS, "no", "key", "record", "serial"}
_CODE_WORDS = {"zip", "zipcode", "postcode", "postal", "plz", "fips", "code", "subclass"}
_DATE_WORDS = {"date", "day", "ymd", "dt"}
# How dates that one file stores as dates are written as texts in another.
_ISO = "year-month-day"

Values = np.ndarray[Any, np.dtype[np.float64]]

_MARKERS_MOST = 5
_MARKERS_SHARE = 0.1
_MARKERS_NUMBERS = 20
# An address has about four words that are not numbers, a headline six.
_PROSE_WORDS = 5
# Of what stands for one word: runs of letters, two ideographs, four letters without spaces.
_WORD_SIGNS = {
    rf"[^\PL{IDEOGRAPHS}{UNSPACED_LETTERS}][\pL\pM]+": 1.0,
    f"[{IDEOGRAPHS}]": 0.5,
    f"[{UNSPACED_LETTERS}]": 0.25,
}
_NEARLY_ALL = 0.8
_MANY_ROWS = 50
# Fewer rows may be counted by chance.
_COUNTED_ROWS = 20
_COUNTS = "a whole number that counts the rows"


@dataclass(frozen=True)
class Column:
    """How one column is read.

    `kind`, and the `reason` for it in plain words; `missing`, the share of rows without a value;
    `decimal`, the decimal mark of numbers written as text; `layout`, the format of dates written as
    text, or of times that are read as numbers; `markers`, texts that mean a missing value in this
    column.
    """

    name: str
    kind: str
    reason: str
    missing: float
    decimal: str = "."
    layout: str = ""
    markers: tuple[str, ...] = ()

    @property
    def is_used(self) -> bool:
        """Whether a model can learn from a column of this kind."""
        return self.kind in ("number", "category", "date", "flag", "text")

    @property
    def is_remarkable(self) -> bool:
        """Whether the reason says more than a person would assume; what it adds follows a ";"."""
        return "; " in self.reason


def judge(facts: Facts) -> Column:
    """The column, its kind judged from its values."""
    different = len(facts.distinct)
    if facts.present == 0:
        return _column(facts, "constant", "no value in any row")
    if different == 1 and facts.cells.null_count == 0:
        return _column(facts, "constant", f"always {shown(facts.distinct[0].as_py())}")
    if pa.types.is_boolean(facts.cells.type):
        return _column(facts, "flag", "true or false")
    if is_time(facts.cells.type):
        return _column(facts, "date", count(different, "different date"), layout=_ISO)
    if facts.are_spans:
        return _clock(facts, count(different, "different time"))
    if is_number(facts.cells.type):
        return _judge_numbers(facts, floats(facts.distinct))
    if is_text(facts.cells.type):
        return _judge_text(facts)
    return _column(facts, "identifier", f"values of type {facts.cells.type}; not supported")


def read_as(facts: Facts, kind: str) -> Column:
    """The column as the requested `kind`; DataError with the first cell that cannot be read so."""
    reason = "as asked for"
    if kind == "number":
        decimal, numbers = number_format(facts.distinct)
        are_times = numbers.wrong.any() and not read_seconds(facts.distinct).wrong.any()
        layout = CLOCK if facts.are_spans or are_times else ""
        column = _column(facts, kind, reason, decimal=decimal, layout=layout)
    elif kind == "date":
        layouts = [] if is_time(facts.cells.type) else find_layouts(facts.distinct)
        column = _column(facts, kind, reason, layout=(layouts or [_ISO])[0])
    else:
        column = _column(facts, kind, reason)
    if kind in ("category", "text"):
        read_labels(column, facts.cells)
    elif column.is_used:
        read_column(column, facts.cells)
    return column


def read_column(column: Column, cells: pa.Array) -> Values:
    """The cells of a number, date or flag column as float64; DataError for one that is not."""
    if column.kind == "number" and column.layout:
        reading, expected = read_seconds(cells), f"a time written {column.layout}"
    elif column.kind == "number":
        reading, expected = read_numbers(cells, column.decimal), "a number"
    elif column.kind == "date":
        reading = read_dates(cells, column.layout)
        expected = f"a date written {column.layout}"
    else:
        reading, expected = read_flags(cells), "true/false, yes/no or 1/0"
    way_out = "Correct the cell, or leave it empty if the value is unknown."
    refuse_wrong(column.name, cells, reading.wrong, expected, way_out)
    return reading.values


def read_labels(column: Column, cells: pa.Array) -> pa.Array:
    """The cells of a category column as texts, null where missing."""
    try:
        return labels(cells)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise DataError(
            f"Column {shown(column.name)} holds values of type {cells.type}, which cannot be "
            "categories. Save them as text or numbers."
        ) from error


def number_format(distinct: pa.Array) -> tuple[str, Reading]:
    """The decimal mark with which most texts are numbers, and the numbers read with it."""
    reading = read_numbers(distinct)
    if reading.wrong.any():
        with_comma = read_numbers(distinct, decimal=",")
        if with_comma.wrong.sum() < reading.wrong.sum():
            return ",", with_comma
    return ".", reading


def _judge_text(facts: Facts) -> Column:
    different = len(facts.distinct)
    decimal, numbers = number_format(facts.distinct)
    if not numbers.wrong.any():
        column = _judge_numbers(facts, numbers.values, decimal)
        return replace(column, reason=f"{column.reason}{_mixture(facts.distinct)}")
    flags = read_flags(facts.distinct)
    if not flags.wrong.any() and {0.0, 1.0} == set(flags.values):
        return _column(facts, "flag", listed(map(shown, sorted(facts.distinct.to_pylist()))))
    if layouts := find_layouts(facts.distinct):
        reason = f"{count(different, 'different date')}, written {layouts[0]}"
        if len(layouts) > 1:
            reason += f"; the dates fit {layouts[1]} too"
        return _column(facts, "date", reason, layout=layouts[0])
    seconds = read_seconds(facts.distinct)
    if not seconds.wrong.any():
        return _clock(facts, count(different, "different time"))
    if markers := _rare(facts, numbers):
        reason = f"numbers{_as_missing(facts, markers)}{_mixture(facts.distinct)}"
        return _column(facts, "number", reason, decimal=decimal, markers=markers)
    if markers := _rare(facts, seconds):
        return _clock(facts, "times", markers)
    for layout in likely_layouts(facts.distinct):
        if markers := _rare(facts, read_dates(facts.distinct, layout)):
            reason = f"dates, written {layout}{_as_missing(facts, markers)}"
            return _column(facts, "date", reason, layout=layout, markers=markers)
    words = _mean_words(facts.distinct)
    if words >= _PROSE_WORDS and different > facts.present / 2:
        return _column(facts, "text", f"free text, about {words:.0f} words each")
    return _identifier(facts, "text") or _column(
        facts, "category", count(different, "different text")
    )


def _judge_numbers(facts: Facts, values: Values, decimal: str = ".") -> Column:
    different = len(facts.distinct)
    words = set(_words(facts.name))
    if np.array_equal(np.unique(values), (0.0, 1.0)):
        return _column(facts, "flag", "0 or 1")
    if not np.isfinite(values).all() or not (values == np.round(values)).all():
        return _column(facts, "number", count(different, "different number"), decimal=decimal)
    if _has_leading_zeros(facts):
        return _identifier(facts, "code") or _column(
            facts, "category", f"{count(different, 'different code')} with leading zeros"
        )
    key = _identifier(facts, "whole number")
    if key is not None and (words & _KEY_WORDS or (words and words <= _ROW_WORDS)):
        return replace(key, reason=f"{key.reason}, named a key")
    if facts.is_all_different and _count_rows(facts, values, bool(words & _COUNTER_WORDS)):
        return _column(facts, "identifier", _COUNTS)
    if words & _DATE_WORDS and not read_dates(facts.distinct, "yearmonthday").wrong.any():
        return _column(
            facts,
            "date",
            f"{count(different, 'different date')}, written yearmonthday",
            layout="yearmonthday",
        )
    if words & _CODE_WORDS and not facts.is_all_different:
        return _column(
            facts, "category", f"{count(different, 'different whole number')}, named a code"
        )
    return _column(facts, "number", count(different, "different whole number"), decimal=decimal)


def _identifier(facts: Facts, what: str) -> Column | None:
    """An identifier column where (nearly) every row has a text of its own."""
    different = len(facts.distinct)
    if different > 1 and facts.is_all_different:
        return _column(facts, "identifier", f"a different {what} in every row")
    if different > _NEARLY_ALL * facts.present and facts.present >= _MANY_ROWS:
        return _column(facts, "identifier", f"a different {what} in nearly every row")
    return None


def _count_rows(facts: Facts, values: Values, are_named_so: bool) -> bool:
    """Whether different whole numbers rise from row to row, and if no name says so, evenly."""
    apart = np.diff(values)
    if are_named_so:
        return len(values) > 1 and bool((apart > 0).all())
    is_whole = facts.cells.null_count == 0 and len(values) >= _COUNTED_ROWS
    return is_whole and values[0] in (0, 1) and bool((apart == 1).all())


def with_a_feature(columns: Sequence[Column]) -> list[Column]:
    """The columns; where none can be learned from, those that count the rows are numbers."""
    if any(column.is_used for column in columns):
        return list(columns)
    reason = f"{_COUNTS}; kept, for no other column can be learned from"
    return [
        replace(column, kind="number", reason=reason) if column.reason == _COUNTS else column
        for column in columns
    ]


def _rare(facts: Facts, reading: Reading) -> tuple[str, ...]:
    """The few texts that were not read, if they are so rare as to mark a missing value."""
    places = np.flatnonzero(reading.wrong)
    are_few = 0 < len(places) <= _MARKERS_MOST
    # With few numbers, as in 1, 2, 3, "4 or more", texts and numbers are both categories.
    are_many_numbers = len(facts.distinct) - len(places) > _MARKERS_NUMBERS
    are_rare = facts.counts[places].sum() <= _MARKERS_SHARE * facts.present
    if not (are_few and are_rare and are_many_numbers):
        return ()
    return tuple(sorted(facts.distinct.take(row_numbers(places)).to_pylist()))


def _has_leading_zeros(facts: Facts) -> bool:
    if not is_text(facts.distinct.type):
        return False
    return bool(pc.any(pc.match_substring_regex(facts.distinct, pattern=r"^0\d+$")).as_py())


def _mean_words(texts: pa.Array) -> float:
    """Words of letters; numbers and single letters do not make prose."""
    counted = (
        share * pc.mean(pc.count_substring_regex(texts, pattern=pattern)).as_py()
        for pattern, share in _WORD_SIGNS.items()
    )
    return float(sum(counted))


def _words(name: str) -> list[str]:
    """The words of a column's name: "customerID" and "customer_id" are customer, id."""
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())


def _as_missing(facts: Facts, markers: tuple[str, ...]) -> str:
    rows = int(pc.sum(_are(facts.cells, markers)).as_py())
    return f"; {listed(map(shown, markers))} read as missing ({count(rows, 'row')})"


def _are(cells: pa.Array, markers: tuple[str, ...]) -> pa.Array:
    return pc.is_in(cells, value_set=strings(markers))


def _mixture(texts: pa.Array) -> str:
    """What to remark on numbers of different units; "" for those of one."""
    found = units(texts)
    signs = found - {""}
    if len(signs) > 1 or found == {"%", ""}:
        told = f"with {listed(sorted(signs))}" + (" and without" if "" in found else "")
        return f"; {told}, read as plain numbers all the same"
    return ""


def _clock(facts: Facts, what: str, markers: tuple[str, ...] = ()) -> Column:
    reason = f"{what}, in seconds" + (_as_missing(facts, markers) if markers else "")
    return _column(facts, "number", reason, layout=CLOCK, markers=markers)


def _column(
    facts: Facts,
    kind: str,
    reason: str,
    *,
    decimal: str = ".",
    layout: str = "",
    markers: tuple[str, ...] = (),
) -> Column:
    missing = facts.missing_share
    if markers:
        missing += pc.sum(_are(facts.cells, markers)).as_py() / len(facts.cells)
    return Column(facts.name, kind, reason, missing, decimal, layout, markers)
