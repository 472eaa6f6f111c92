"""A series as it was read, and where its forecasts begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from retrograd.data.series.series import Series, read_series
from retrograd.data.tables.read import read_rows
from retrograd.errors import DataError, about
from retrograd.kinds.base.kind import path_of
from retrograd.kinds.forecast.windows import SeriesWindows, window_starts
from retrograd.wording import count

__all__ = ["ForecastData", "known_windows", "read_forecast"]


@dataclass(frozen=True)
class ForecastData:
    """A series whose values from index `begin` on are to be forecast.

    The values before serve as context, and are all that the first forecasts see.
    """

    kind: ClassVar[str] = "forecast"
    series: Series
    begin: int = 0

    def __len__(self) -> int:
        """The number of values to forecast."""
        return len(self.series) - self.begin


def read_forecast(
    data: Any, target: str, time: str | None, notes: list[str], separator: str | None = None
) -> ForecastData:
    """The series in the column `target` of a table, in a file or in memory."""
    with about(path_of(data) or ""):
        read = read_rows(data, notes, separator)
        with read.places.named():
            return ForecastData(read_series(read.frame, target, time, notes))


def known_windows(
    data: ForecastData, target: str, context: int, horizon: int, mean: float, std: float
) -> SeriesWindows:
    """Every forecast of a whole `horizon` whose true values are known, standardized.

    Raises DataError if there is none.
    """
    series, begin = data.series, max(data.begin, context)
    starts = window_starts(series.known, begin, len(series), context, horizon)
    if not len(starts):
        raise DataError(
            f"No {count(horizon, 'value')} in a row of {target!r} are known after the first "
            f"{begin}, so no forecast can be scored."
        )
    values = ((series.values - mean) / std).astype(np.float32)
    return SeriesWindows(values, starts, context, horizon)
