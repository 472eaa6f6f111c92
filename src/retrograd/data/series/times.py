"""A column of times as ticks of a clock: months, days of a working week, instants, or numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from retrograd.data.series.clock import LAST_WEEKDAY, Clock, days_in_month, last_weekday
from retrograd.data.tables.arrow import floats, integers, mask
from retrograd.data.tables.cells import (
    is_span,
    is_text,
    is_time,
    labels,
    normalized,
    read_numbers,
)
from retrograd.data.tables.dates import LAYOUTS, find_layouts, offsets, read_dates
from retrograd.data.tables.durations import read_seconds
from retrograd.data.tables.facts import refuse_wrong
from retrograd.data.tables.places import RowError
from retrograd.wording import count, shown

__all__ = ["Ticks", "read_times"]

Array = np.ndarray[Any, Any]

_DAY, _HOUR = 86400, 3600
_MONTHLY = ("year-month", "year-quarter", "quarter year")
# A day of the week that never comes in this many days of a series is not one of its days.
_TWO_WEEKS = 14


class Ticks(NamedTuple):
    """A clock without its start and step, and (n,) float64, what it shows in each row."""

    clock: Clock
    ticks: Array


def read_times(name: str, column: pa.ChunkedArray, notes: list[str]) -> Ticks:
    """The ticks of a column of dates or numbers, in the order of the rows.

    Dates in different months that are not equally far apart count months; days of which some day of
    the week never comes count the others. Times with offsets from UTC that change count instants
    where that makes the steps more even, and so do times of a clock that is put forward and back.
    `notes` reports that, and a format that is one of several. Raises RowError for a cell that is
    missing or not a time.
    """
    cells = normalized(column)
    if cells.null_count:
        row = int(np.argmax(mask(cells.is_null())))
        raise RowError(
            f"Column {shown(name)}, ", row, ": the time is missing. Fill it in or remove the row."
        )
    if is_span(column.type):
        return Ticks(Clock("second"), floats(cells))
    layouts = _layouts(cells)
    if not layouts:
        return _not_dates(name, cells)
    if len(layouts) > 1:
        notes.append(f"The times in {shown(name)} are read as {layouts[0]}.")
    own = read_dates(cells, layouts[0]).values
    ahead = _ahead(column, cells, own, layouts[0])
    if ahead is not None and len(np.unique(ahead)) > 1:
        if _roughness(own - ahead) < _roughness(own):
            notes.append(
                f"The times in {shown(name)} have offsets from UTC that change; they are counted, "
                "and labeled, in UTC."
            )
            return Ticks(Clock("second", zone="+00:00"), own - ahead)
    elif ahead is None and (mended := _clock_changes(own)) is not None:
        changes = count(int((np.diff(mended - own) != 0).sum()), "time")
        notes.append(
            f"The clock of {shown(name)} is put forward or back by an hour {changes}; times are "
            "counted, and labeled, as if it were not."
        )
        own = mended
    if layouts[0] in _MONTHLY:
        clock = Clock("month", quarters="quarter" in layouts[0])
        return Ticks(clock, _since_1970(own.astype(np.int64).astype("datetime64[s]")))
    return _of_days(own)


def _layouts(cells: pa.Array) -> list[str]:
    """The formats of the cells, if they are dates; whole numbers such as 20240131 may be."""
    if is_time(cells.type):
        return ["year-month-day"]  # any of them will do
    if pa.types.is_integer(cells.type):
        return [each for each in find_layouts(labels(cells)) if each == "yearmonthday"]
    return find_layouts(cells) if is_text(cells.type) else []


def _not_dates(name: str, cells: pa.Array) -> Ticks:
    seconds = read_seconds(cells)
    if is_text(cells.type) and not seconds.wrong.any():
        numbers = read_numbers(cells)
        if numbers.wrong.any():
            return Ticks(Clock("second"), seconds.values)
    values, wrong = read_numbers(cells)
    _refuse_mixture(name, cells, wrong | ~np.isfinite(values))
    return Ticks(Clock("number"), values)


def _refuse_mixture(name: str, cells: pa.Array, no_number: Array) -> None:
    """RowError for the first cell that differs from most: dates of one format, or numbers."""
    if not no_number.any():
        return
    expected, wrong = "a number", no_number
    for layout in LAYOUTS if is_text(cells.type) else ():
        no_date = read_dates(cells, layout).wrong
        if no_date.sum() < wrong.sum():
            expected, wrong = f"a date written as {layout}", no_date
    if wrong.sum() == len(wrong):
        expected = "a date (such as 2024-01-31) or a number"
    refuse_wrong(name, cells, wrong, expected, "Write all times in one format.")


# Clocks that change -------------------------------------------------------------------------------


def _ahead(column: pa.ChunkedArray, cells: pa.Array, own: Array, layout: str) -> Array | None:
    """(n,) seconds by which the clock of each time is ahead of UTC; None if that is not known."""
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.tz:
        instants = column.cast(pa.timestamp("us", "UTC"), safe=False).combine_chunks()
        return own - np.floor_divide(integers(instants.cast(pa.int64())), 1_000_000)
    return offsets(cells, layout)


def _roughness(seconds: Array) -> tuple[int, int]:
    """How often times repeat, and how often they are not one usual step apart."""
    apart = np.diff(np.sort(seconds))
    return int((apart == 0).sum()), int((apart != _usual(apart)).sum())


def _usual(apart: Array) -> float:
    sizes, counts = np.unique(apart[apart > 0], return_counts=True)
    return float(sizes[counts.argmax()]) if len(sizes) else 1.0


def _clock_changes(own: Array) -> Array | None:
    """The times without an hour that is skipped in spring and comes twice in autumn; else None.

    Only for rows in order, of steps of an hour or less, in which some hour comes twice.
    """
    apart = np.diff(own)
    step = _usual(apart)
    back, forth = apart == step - _HOUR, apart == step + _HOUR
    if step > _HOUR or not back.any() or not (back | forth | (apart == step)).all():
        return None
    return own + _HOUR * np.concatenate([[0], np.cumsum(back) - np.cumsum(forth)])


# Days and months ----------------------------------------------------------------------------------


def _of_days(seconds: Array) -> Ticks:
    """Months or the days of a working week, where those are more even than days are."""
    ordered = np.sort(seconds)
    if len(np.unique(np.diff(ordered))) > 1:
        stamps = seconds.astype(np.int64).astype("datetime64[s]")
        days, months = stamps.astype("datetime64[D]"), stamps.astype("datetime64[M]")
        if len(np.unique(months)) == len(months) > 1:
            return Ticks(Clock("month", day=_day_of(days, months)), _since_1970(months))
        week = _week_of(days) if (seconds % _DAY == 0).all() else ""
        if 1 < week.count("1") < 7:
            ticks = np.busday_count("1970-01-01", days, week).astype(np.float64)
            if _usual(np.diff(np.sort(ticks))) == 1:
                return Ticks(Clock("day", week=week), ticks)
    return Ticks(Clock("second"), seconds)


def _since_1970(times: Array) -> Array:
    return times.astype("datetime64[M]").astype(np.int64).astype(np.float64)


def _day_of(days: Array, months: Array) -> int | None:
    """The day by which months are labeled; None if they have none in common."""
    numbers = (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    lengths = days_in_month(months)
    latest = 31 if (numbers == lengths).all() else int(numbers.max())
    if (numbers == np.minimum(latest, lengths)).all():
        return latest
    return LAST_WEEKDAY if (days == last_weekday(months)).all() else None


def _week_of(days: Array) -> str:
    """A 1 for each day of the week that comes, Monday first; all of them if rows are few."""
    if np.ptp(days).astype(np.int64) < _TWO_WEEKS:
        return "1111111"
    # 1970-01-01 was a Thursday.
    present = np.unique((days.astype(np.int64) + 3) % 7)
    return "".join("01"[day in present] for day in range(7))
