"""Texts as dates: the layout that a column uses, and every cell as seconds since 1970.

The calendar is computed here because `strptime` reads 2021-02-30 as the second of March and month
names in the machine's language.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.tables.arrow import floats, integers, mask, strings
from retrograd.data.tables.cells import Reading, is_number, is_text, is_time

__all__ = ["LAYOUTS", "find_layouts", "likely_layouts", "offsets", "read_dates"]

_YEAR, _SHORT_YEAR = r"(?P<year>\d{4})", r"(?P<year>\d{4}|\d{2})"
_MONTH, _DAY = r"(?P<month>\d{1,2})", r"(?P<day>\d{1,2})"
_NAME = r"(?P<name>(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))[a-zA-Z]*\.?"
_TIME = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"\s*(?P<half>(?i:[ap])(?i:\.?m\.?))?\s*(?P<offset>Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?"
)
# In order of preference, for a column that fits several.
_PATTERNS = {
    "year-month-day": rf"{_YEAR}[-/.]{_MONTH}[-/.]{_DAY}{_TIME}",
    "year-month": rf"{_YEAR}[-/.]{_MONTH}",
    "year-quarter": rf"{_YEAR}[-/ ]?Q(?P<quarter>[1-4])",
    "quarter year": rf"Q(?P<quarter>[1-4])[-/ ]?{_YEAR}",
    "month/day/year": rf"{_MONTH}[-/]{_DAY}[-/]{_SHORT_YEAR}{_TIME}",
    "day/month/year": rf"{_DAY}[-/.]{_MONTH}[-/.]{_SHORT_YEAR}{_TIME}",
    "day month-name year": rf"{_DAY}[- ]?{_NAME}[-, ]*{_SHORT_YEAR}{_TIME}",
    "month-name day year": rf"{_NAME}[- ]?{_DAY}(?:st|nd|rd|th)?[-, ]+{_YEAR}{_TIME}",
    "yearmonthday": r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
}
LAYOUTS = tuple(_PATTERNS)

Values = np.ndarray[Any, np.dtype[np.int64]]
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def find_layouts(cells: pa.Array) -> list[str]:
    """The layouts that every present cell fits, the preferred one first."""
    few = cells.drop_null().slice(0, 50)
    if not pc.all(pc.match_substring_regex(few, pattern=r"\d")).as_py():
        return []
    fitting = [layout for layout in LAYOUTS if not read_dates(few, layout).wrong.any()]
    return [layout for layout in fitting if not read_dates(cells, layout).wrong.any()]


def likely_layouts(cells: pa.Array) -> list[str]:
    """The layouts that most of the first cells fit."""
    few = cells.slice(0, 50)
    return [layout for layout in LAYOUTS if read_dates(few, layout).wrong.mean() < 0.2]


def offsets(cells: pa.Array, layout: str) -> Values | None:
    """(n,) seconds by which the clock of each cell is ahead of UTC; None if one does not say."""
    if not is_text(cells.type) or "(?P<offset>" not in _PATTERNS[layout]:
        return None
    found = pc.extract_regex(cells, pattern=f"^{_PATTERNS[layout]}$").field("offset")
    written = pc.replace_substring_regex(found, r"^(?:Z|UTC)$", "+0000")
    parts = pc.extract_regex(written, r"^(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?$")
    if parts.null_count:
        return None
    ahead = 3600 * _part(parts, "hours", absent=0) + 60 * _part(parts, "minutes", absent=0)
    return np.where(mask(pc.starts_with(parts.field("sign"), pattern="-")), -ahead, ahead)


def read_dates(cells: pa.Array, layout: str) -> Reading:
    """Cells as seconds since 1970 by their own clock: an offset such as +02:00 is left out.

    Two-digit years are 1969 to 2068, as in POSIX.
    """
    if is_time(cells.type):
        return Reading(floats(cells.cast(pa.int64())), np.zeros(len(cells), np.bool_))
    if is_number(cells.type):
        cells = cells.cast(pa.large_string())
    if not is_text(cells.type):
        return Reading(np.full(len(cells), np.nan), mask(cells.is_valid()))
    found = pc.extract_regex(cells, pattern=f"^{_PATTERNS[layout]}$")
    seconds, is_real = _seconds(found)
    fits = mask(found.is_valid()) & is_real
    return Reading(np.where(fits, seconds, np.nan), mask(cells.is_valid()) & ~fits)


def _seconds(found: pa.StructArray) -> tuple[Values, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Seconds since 1970 of the matched parts, and whether the day and time exist."""
    year = _part(found, "year", absent=0)
    year = np.where(year >= 100, year, year + np.where(year >= 69, 1900, 2000))
    month = _month_named(found) if "name" in _names(found) else _part(found, "month", absent=1)
    if "quarter" in _names(found):
        month = 3 * _part(found, "quarter", absent=1) - 2
    day = _part(found, "day", absent=1)
    hour = _part(found, "hour", absent=0)
    minute = _part(found, "minute", absent=0)
    second = _part(found, "second", absent=0)
    if "half" in _names(found):
        half = pc.utf8_lower(found.field("half"))
        is_am, is_pm = (mask(pc.starts_with(half, pattern=letter)) for letter in "ap")
        hour = np.where((is_am | is_pm) & (hour == 12), 0, hour) + 12 * is_pm

    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    following = (months + np.timedelta64(1, "M")).astype("datetime64[D]").astype(np.int64)
    is_real = (month >= 1) & (month <= 12) & (day >= 1) & (day <= following - first)
    is_real &= (hour < 24) & (minute < 60) & (second < 61)
    return (first + day - 1) * 86400 + hour * 3600 + minute * 60 + second, is_real


def _names(found: pa.StructArray) -> set[str]:
    return {field.name for field in found.type}


def _part(found: pa.StructArray, name: str, absent: int) -> Values:
    if name not in _names(found):
        return np.full(len(found), absent)
    zero = strings(["0"])[0]
    # A missing optional part is "", which becomes "0".
    return integers(pc.binary_join_element_wise(zero, found.field(name), strings([""])[0]))


def _month_named(found: pa.StructArray) -> Values:
    return integers(pc.index_in(pc.utf8_lower(found.field("name")), strings(_MONTH_NAMES))) + 1
