"""The options for a series that is to be continued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from retrograd.kinds.base.resolved import Resolved
from retrograd.training.options import Options

__all__ = ["ForecastOptions", "ResolvedForecast"]


@dataclass(frozen=True, kw_only=True)
class ForecastOptions(Options):
    """The options for a series: those of every run, and what is looked at and forecast.

    `time` is the column that says when (without it the rows are taken as equally far apart),
    `horizon` how many steps are forecast, `context` over how many the network looks back, `season`
    after how many the series repeats itself. The last share `valid` of the time is held out.
    """

    target: str
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
    """With the sizes that the series decides; a season of 1 is none."""

    horizon: int
    context: int
    season: int
