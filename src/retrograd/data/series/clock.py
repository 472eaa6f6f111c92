"""The steps of a series in time, and what each of them is called."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

__all__ = ["LAST_WEEKDAY", "Clock", "days_in_month", "last_weekday"]

Array = np.ndarray[Any, Any]

LAST_WEEKDAY = 0
"""The `day` of months that are labeled by their last day from Monday to Friday."""

_UNITS = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86400,
    "week": 7 * 86400,
}
_MONDAY_TO_FRIDAY = "1111100"


@dataclass(frozen=True)
class Clock:
    """Equal time steps: tick `first` and every `step` after it.

    `unit` is what ticks count, since 1970: "month"; "second"; "day", of those that `week` has; or
    "number" for a column of numbers or rows without a time.

    Months are labeled by themselves, or by their `day`, or their last day where they have fewer,
    or as `quarters`. `week` has a 1 for each day that counts, Monday first. `zone` follows the time
    of day.
    """

    unit: str
    first: float = 0.0
    step: float = 1.0
    day: int | None = None
    quarters: bool = False
    week: str = _MONDAY_TO_FRIDAY
    zone: str = ""

    def starting(self, place: int) -> Self:
        """The same clock, beginning with the tick at index `place`."""
        return replace(self, first=self.first + place * self.step)

    def label(self, place: float) -> str:
        """The time at index `place` as text: ISO 8601, a quarter such as 2024Q1, or a number."""
        tick = self.first + self.step * place
        if self.unit == "number":
            return str(int(tick)) if tick == int(tick) else repr(tick)
        if self.unit == "month":
            return self._month(np.datetime64(int(tick), "M"))
        if self.unit == "day":
            return str(np.busday_offset("1970-01-01", int(tick), "forward", self.week))
        written = str(np.datetime64(int(tick), "s")).replace("T", " ")
        if not self.zone and tick % 86400 == 0 and self.step % 86400 == 0:
            return written[:10]
        is_whole = tick % 60 == 0 and self.step % 60 == 0
        return (written[:16] if is_whole else written) + self.zone

    def _month(self, month: np.datetime64) -> str:
        if self.quarters:
            number = int(month.astype(np.int64)) % 12 // 3 + 1
            return f"{month.astype('datetime64[Y]')}Q{number}"
        if self.day is None:
            return str(month)
        if self.day == LAST_WEEKDAY:
            return str(last_weekday(month))
        return str(month.astype("datetime64[D]") + min(self.day, int(days_in_month(month))) - 1)

    def in_words(self) -> str:
        """The time between steps: "1 month", "15 minutes", "1 business day"."""
        size, name = self.step, self.unit
        if name == "number":
            return f"steps of {size:g}"
        if name == "day" and self.week == _MONDAY_TO_FRIDAY:
            name = "business day"
        for unit, seconds in _UNITS.items():
            if self.unit == "second" and self.step % seconds == 0:
                size, name = self.step / seconds, unit
        return f"1 {name}" if size == 1 else f"{size:g} {name}s"


def days_in_month(months: Any) -> Any:
    """How many days each of `months`, datetime64[M], has."""
    first = np.asarray(months).astype("datetime64[D]")
    following = (np.asarray(months) + np.timedelta64(1, "M")).astype("datetime64[D]")
    return (following - first).astype(np.int64)


def last_weekday(months: Any) -> Any:
    """The last day from Monday to Friday of each of `months`, datetime64[M]."""
    following = (np.asarray(months) + np.timedelta64(1, "M")).astype("datetime64[D]")
    return np.busday_offset(following, -1, "forward")
