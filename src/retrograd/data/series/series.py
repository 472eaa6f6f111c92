"""A column of numbers in time order, at equal steps, with its gaps filled in and recorded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from retrograd.data.series.clock import Clock
from retrograd.data.series.times import read_times
from retrograd.data.tables.cells import read_numbers
from retrograd.data.tables.columns import number_format
from retrograd.data.tables.facts import gather, refuse_vast, refuse_wrong
from retrograd.data.tables.table import as_table
from retrograd.errors import DataError
from retrograd.wording import count, did_you_mean, listed, shown

__all__ = ["Series", "read_series"]

Array = np.ndarray[Any, Any]

_MOST_FILLED = 0.2


@dataclass(frozen=True)
class Series:
    """`values` (n,) float64 at the times of `clock`; `known` (n,) is False for those filled in."""

    values: Array
    known: Array
    clock: Clock

    def __len__(self) -> int:
        return len(self.values)

    def part(self, start: int, stop: int) -> Series:
        """The values from index `start` up to, not including, `stop`."""
        return Series(self.values[start:stop], self.known[start:stop], self.clock.starting(start))


def read_series(frame: Any, target: str, time: str | None, notes: list[str]) -> Series:
    """The numbers in the column `target`, in the order of the column `time` or of the rows.

    Unsorted rows are sorted. Missing values and missing times take the value before them, or are
    left out at the ends of the series. `notes` reports each. Raises DataError for a column that is
    missing or holds something else, for times that occur twice or are not multiples of one step
    apart, and if more than a fifth of the values is missing.
    """
    table = as_table(frame)
    for name in (target, *([] if time is None else [time])):
        if name not in table.column_names:
            raise DataError(
                f"There is no column {shown(name)}.{did_you_mean(name, table.column_names)} The "
                f"columns are {listed(map(shown, table.column_names))}."
            )
    values = _numbers(target, table[target])
    if time is None:
        clock, ticks = Clock("number"), np.arange(1.0, len(values) + 1)
    else:
        clock, ticks = read_times(time, table[time], notes)
        order = np.argsort(ticks, kind="stable")
        if not np.array_equal(order, np.arange(len(ticks))):
            notes.append(f"The rows are not ordered by {shown(time)}; they are sorted by it.")
        ticks, values = ticks[order], values[order]
    present = np.flatnonzero(np.isfinite(values))
    if len(present) < 3:
        raise DataError(
            f"Column {shown(target)} holds {count(len(present), 'number')}; a series needs at "
            "least 3."
        )
    first, last = present[0], present[-1] + 1
    if last - first < len(values):
        left_out = count(len(values) - int(last - first), "row")
        notes.append(f"{left_out} without a value at the ends of {shown(target)}: left out.")
    ticks, values = ticks[first:last], values[first:last]
    clock, places = _steps(time or "row", clock, ticks)
    return _filled(target, clock, places, values, notes)


def _numbers(name: str, column: Any) -> Array:
    facts = gather(name, column)
    decimal, _ = number_format(facts.distinct)
    values, wrong = read_numbers(facts.cells, decimal)
    refuse_wrong(
        name,
        facts.cells,
        wrong | np.isinf(values),
        "a finite number",
        "Correct the cell, or empty it to have it filled in.",
    )
    refuse_vast(name, facts.cells, values)
    return values


def _steps(name: str, clock: Clock, ticks: Array) -> tuple[Clock, Array]:
    """The clock of sorted ticks, with its start and step, and the index of each tick on it."""
    apart = np.diff(ticks)
    sizes, counts = np.unique(apart[apart > 0], return_counts=True)
    step = float(sizes[counts.argmax()]) if len(sizes) else 1.0
    clock = replace(clock, first=float(ticks[0]), step=step)
    if (apart == 0).any():
        place = (ticks[np.argmax(apart == 0)] - clock.first) / clock.step
        raise DataError(
            f"The time {clock.label(place)} occurs in column {shown(name)} more than once. A "
            "series has one value for each time: sum or average its rows, or take one of several "
            "series."
        )
    steps = (ticks - ticks[0]) / clock.step
    places = np.round(steps).astype(np.int64)
    uneven = np.abs(steps - places) > 1e-3
    if uneven.any() or (np.diff(places) == 0).any():
        row = max(int(np.argmax(uneven)), 1)
        before, after = (clock.label(float(steps[i])) for i in (row - 1, row))
        raise DataError(
            f"The times in column {shown(name)} are mostly {clock.in_words()} apart, but {before} "
            f"is followed by {after}. Give the series equal steps (such as one row a day), or "
            "leave out --time to take the rows as equally far apart."
        )
    return clock, places


def _filled(target: str, clock: Clock, places: Array, values: Array, notes: list[str]) -> Series:
    size = int(places[-1]) + 1
    present = np.isfinite(values)
    missing = size - int(present.sum())
    if missing > _MOST_FILLED * size:
        raise DataError(
            f"{missing:,} of {size:,} values of {shown(target)} are missing, counting "
            f"{size - len(values):,} times without a row ({clock.in_words()} apart); expected at "
            f"most {_MOST_FILLED:.0%}. Fill them in, or leave out --time to take the rows as "
            "equally far apart."
        )
    known = np.zeros(size, np.bool_)
    known[places[present]] = True
    filled = np.empty(size)
    filled[known] = values[present]
    # Not interpolated: that would leak the value that is to be forecast.
    filled = filled[np.maximum.accumulate(np.where(known, np.arange(size), 0))]
    if missing:
        where = clock.label(int(np.argmin(known)))
        notes.append(
            f"{count(missing, 'missing value')} of {shown(target)} ({size - len(values):,} of them "
            f"times without a row), the first at {where}, are filled with the value before. "
            "Forecasts of these values are neither trained on nor scored."
        )
    return Series(filled, known, clock)
