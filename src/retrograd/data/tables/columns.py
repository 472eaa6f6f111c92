"""The kind of a column: judged from its values, or as the user asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
from retrograd.data.tables.dates import find_layouts, read_dates
from retrograd.data.tables.facts import Facts, refuse_wrong
from retrograd.errors import DataError
from retrograd.wording import count, listed, shown

__all__ = ["KINDS", "Column", "judge", "number_format", "read_as", "read_column", "read_labels"]

KINDS = ("number", "category", "date", "flag", "identifier", "constant", "text")

# Whole words of a column's name; the second set names a key only if the values also count up.
_KEY_WORDS = {"id", "ids", "uuid", "guid", "rowid", "pid"}
_COUNTER_WORDS = {"no", "nr", "index", "idx", "key", "row", "rownames", "record", "serial"}
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


@dataclass(frozen=True)
class Column:
    """How one column is read.

    `kind`, and the `reason` for it in plain words; `missing`, the share of rows without a value;
    `decimal`, the decimal mark of numbers written as text; `layout`, the format of dates written as
    text; `markers`, texts that mean a missing value in this column.
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
    if is_number(facts.cells.type):
        return _judge_numbers(facts, floats(facts.distinct))
    if is_text(facts.cells.type):
        return _judge_text(facts)
    return _column(facts, "identifier", f"values of type {facts.cells.type}, not supported")


def read_as(facts: Facts, kind: str) -> Column:
    """The column as the requested `kind`; DataError with the first cell that cannot be read so."""
    reason = "as asked for"
    if kind == "number":
        decimal, _ = number_format(facts.distinct)
        column = _column(facts, kind, reason, decimal=decimal)
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
    if column.kind == "number":
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
        return _judge_numbers(facts, numbers.values, decimal)
    flags = read_flags(facts.distinct)
    if not flags.wrong.any() and {0.0, 1.0} == set(flags.values):
        return _column(facts, "flag", listed(map(shown, sorted(facts.distinct.to_pylist()))))
    if layouts := find_layouts(facts.distinct):
        reason = f"{count(different, 'different date')}, written {layouts[0]}"
        if len(layouts) > 1:
            reason += f" (or {layouts[1]}; the dates fit both)"
        return _column(facts, "date", reason, layout=layouts[0])
    if markers := _markers_among_numbers(facts, numbers):
        reason = f"numbers; {listed(map(shown, markers))} read as missing"
        return _column(facts, "number", reason, decimal=decimal, markers=markers)
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
    if facts.is_all_different and different > 1:
        if words & _KEY_WORDS:
            return _column(
                facts, "identifier", "a different whole number in every row, named a key"
            )
        if words & _COUNTER_WORDS and (np.diff(values) > 0).all():
            return _column(facts, "identifier", "a whole number that counts the rows")
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


def _markers_among_numbers(facts: Facts, numbers: Reading) -> tuple[str, ...]:
    """The few texts that mark a missing value in a column of numbers, if there are any."""
    places = np.flatnonzero(numbers.wrong)
    are_few = len(places) <= _MARKERS_MOST
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
        texts = pc.is_in(facts.cells, value_set=strings(markers))
        missing += pc.sum(texts).as_py() / len(facts.cells)
    return Column(facts.name, kind, reason, missing, decimal, layout, markers)
