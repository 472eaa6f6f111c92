"""The times of a series: their format and their step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from retrograd.data.tables.cells import is_text, is_time, labels, read_numbers
from retrograd.data.tables.dates import LAYOUTS, find_layouts, read_dates
from retrograd.data.tables.facts import refuse_wrong
from retrograd.errors import DataError
from retrograd.wording import shown

__all__ = ["Clock", "read_times"]

Array = np.ndarray[Any, Any]

_UNITS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 7 * 86400,
}


@dataclass(frozen=True)
class Clock:
    """Equal time steps: tick `first` and every `step` after it.

    `unit` is what ticks count: "month" (since 1970), "second" (since 1970), or "number" for a
    column of numbers or rows without a time.
    """

    unit: str
    first: float
    step: float

    def label(self, place: float) -> str:
        """The time at index `place` as text: ISO 8601, or a number."""
        tick = self.first + self.step * place
        if self.unit == "number":
            return str(int(tick)) if tick == int(tick) else repr(tick)
        if self.unit == "month":
            return str(np.datetime64(int(tick), "M"))
        written = str(np.datetime64(int(tick), "s")).replace("T", " ")
        if tick % 86400 == 0 and self.step % 86400 == 0:
            return written[:10]
        return written[:16] if tick % 60 == 0 and self.step % 60 == 0 else written

    def in_words(self) -> str:
        """The time between steps: "1 month", "15 minutes"."""
        size, name = self.step, self.unit
        if name == "number":
            return f"steps of {size:g}"
        for unit, seconds in _UNITS.items():
            if self.unit == "second" and self.step % seconds == 0:
                size, name = self.step / seconds, unit
        return f"1 {name}" if size == 1 else f"{size:g} {name}s"


def read_times(name: str, cells: pa.Array, notes: list[str]) -> tuple[str, Array]:
    """The unit of a column of times, and (n,) its ticks, float64.

    Dates that all fall on the same day of the month, and are not equally far apart, count months.
    Raises DataError for a cell that is missing or not a time.
    """
    if cells.null_count:
        row = cells.is_null().to_pylist().index(True) + 1
        raise DataError(
            f"Column {shown(name)}, row {row}: the time is missing. Fill it in or remove the row."
        )
    layouts = _layouts(cells)
    if not layouts:
        values, wrong = read_numbers(cells)
        _refuse_mixture(name, cells, wrong | ~np.isfinite(values))
        return "number", values
    if len(layouts) > 1:
        notes.append(f"The times in {shown(name)} are read as {layouts[0]}.")
    seconds = read_dates(cells, layouts[0]).values
    stamps = seconds.astype(np.int64).astype("datetime64[s]")
    months = stamps.astype("datetime64[M]")
    within = (stamps - months.astype("datetime64[s]")).astype(np.int64)
    if len(np.unique(within)) == 1 and len(np.unique(np.diff(np.sort(seconds)))) > 1:
        return "month", months.astype(np.int64).astype(float)
    return "second", seconds


def _layouts(cells: pa.Array) -> list[str]:
    """The formats of the cells, if they are dates; whole numbers such as 20240131 may be."""
    if is_time(cells.type):
        return ["year-month-day"]  # any of them will do
    if pa.types.is_integer(cells.type):
        return [each for each in find_layouts(labels(cells)) if each == "yearmonthday"]
    return find_layouts(cells) if is_text(cells.type) else []


def _refuse_mixture(name: str, cells: pa.Array, no_number: Array) -> None:
    """DataError for the first cell that differs from most: dates of one format, or numbers."""
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
