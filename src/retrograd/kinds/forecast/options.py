"""The options for a series to forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from retrograd.kinds.base.resolved import Resolved
from retrograd.training.options import Options

__all__ = ["ForecastOptions", "ResolvedForecast"]


@dataclass(frozen=True, kw_only=True)
class ForecastOptions(Options):
    """The options for a series: those of every run, and the sizes of a forecast.

    `sep` is what separates the fields of a text file, detected if it is None.
    `time` is the column of times (without it the rows are equally far apart), `horizon` is the
    number of steps to forecast, `context` the number the network looks back over, `season` the
    number after which the series repeats itself. The last share `valid` of the time is for
    validation.
    """

    target: str
    sep: str | None = None
    time: str | None = None
    horizon: int | None = None
    context: int | None = None
    season: int | None = None
    width: int = 64
    dropout: float = 0.1
    learning_rate: float = 0.002
    average: float = 0.99

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        **Options.ranges,
        "horizon": (1, 10_000),
        "context": (2, 100_000),
        "season": (1, 100_000),
        "width": (1, 100_000),
    }


@dataclass(frozen=True, kw_only=True)
class ResolvedForecast(Resolved[ForecastOptions]):
    """With the sizes that the series decides; a season of 1 means none."""

    horizon: int
    context: int
    season: int
