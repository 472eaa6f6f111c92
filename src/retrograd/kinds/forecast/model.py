"""A network for one series, with everything needed to use it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd import nn
from retrograd.data import SchemaRow
from retrograd.errors import DataError, about
from retrograd.kinds.base.fingerprints import fingerprints
from retrograd.kinds.base.fitted import NetworkModel
from retrograd.kinds.base.kind import path_of
from retrograd.kinds.base.predictions import free_name
from retrograd.kinds.forecast.architectures import ARCHITECTURES
from retrograd.kinds.forecast.data import ForecastData, known_windows, read_forecast
from retrograd.kinds.forecast.options import ForecastOptions, ResolvedForecast
from retrograd.kinds.forecast.windows import SeriesWindows, naive_forecast
from retrograd.training.metrics import REGRESSION, measured
from retrograd.training.predictor import ROWS_PER_CALL
from retrograd.training.scores import Scores
from retrograd.wording import count

__all__ = ["ForecastModel"]

Array = np.ndarray[Any, Any]


@dataclass
class ForecastModel(NetworkModel):
    """A network for one series, with everything needed to use it.

    `mean` and `std` are those of the training part, in the target's units. A season of 1 means
    none.
    """

    kind: ClassVar[str] = "forecast"
    task: ClassVar[str] = "regression"
    classes: ClassVar[tuple[str, ...]] = ()
    target_name: str
    time: str | None
    network: nn.Module
    context: int
    horizon: int
    season: int
    mean: float
    std: float
    separator: str | None = None  # of fields; None: detected
    notes: Sequence[str] = ()

    @classmethod
    def build(cls, resolved: ResolvedForecast, mean: float, std: float) -> Self:
        """An untrained network."""
        options = resolved.asked
        network = ARCHITECTURES.find(resolved.model).build(
            resolved.context, resolved.horizon, width=options.width, dropout=options.dropout
        )
        sizes = (resolved.context, resolved.horizon, resolved.season)
        return cls(options.target, options.time, network, *sizes, mean, std, options.sep)

    def read(self, data: Any, notes: list[str], labeled: bool) -> ForecastData:
        found = read_forecast(data, self.target_name, self.time, notes, self.separator)
        least = self.context + (self.horizon if labeled else 0)
        if len(found.series) < least:
            with about(path_of(data) or ""):
                raise DataError(
                    f"{count(len(found.series), 'value')} of {self.target_name!r}; the network "
                    f"looks back over {self.context} and forecasts {self.horizon}, which takes at "
                    f"least {least}."
                )
        return ForecastData(found.series, self.context)

    def windows(self, data: ForecastData) -> SeriesWindows:
        """Every forecast of a whole horizon whose true values are known."""
        return known_windows(
            data, self.target_name, self.context, self.horizon, self.mean, self.std
        )

    def predict(self, data: ForecastData, notes: list[str] | None = None) -> Array:
        """(windows · horizon,) numbers: each window's forecasts in order."""
        parts = self.windows(data).parts(ROWS_PER_CALL)
        return self._in_units([self.predictor(inputs) for inputs, _ in parts])

    def targets(self, data: ForecastData) -> Array:
        """(windows · horizon,) true values."""
        parts = self.windows(data).parts(ROWS_PER_CALL)
        return self._in_units([target for _, target in parts])

    def naive(self, data: ForecastData, season: int) -> Array:
        """(windows · horizon,) naive forecasts: one season before; with 1, the last value."""
        parts = self.windows(data).parts(ROWS_PER_CALL)
        return self._in_units(
            [naive_forecast(context, self.horizon, season) for (context,), _ in parts]
        )

    def score(self, data: ForecastData) -> Scores:
        """R², RMSE and MAE beside those of the naive forecast that was better in training."""
        truth = self.targets(data)
        model, naive = (
            measured(REGRESSION, truth, each)
            for each in (self.predict(data), self.naive(data, self.season))
        )
        repeated = f"{self.season} values" if self.season > 1 else "value"
        return Scores(len(truth), model, naive, f"repeating the last {repeated}")

    def _in_units(self, standardized: list[Array]) -> Array:
        """Standardized values in the target's units, (values,)."""
        return np.concatenate(standardized).ravel().astype(float) * self.std + self.mean

    def predictions(self, data: ForecastData, notes: list[str]) -> nw.DataFrame[Any]:
        """The series followed by the next `horizon` values, in the column `prediction`."""
        series = data.series
        size, horizon = len(series), self.horizon
        last = ((series.values[-self.context :] - self.mean) / self.std).astype(np.float32)
        coming = self._in_units([self.predictor((last[None],))])
        none = [None] * horizon
        known = zip(series.values.tolist(), series.known, strict=True)
        columns = {
            self.time or "row": [series.clock.label(i) for i in range(size + horizon)],
            self.target_name: [value if is_known else None for value, is_known in known] + none,
        }
        columns[free_name("prediction", columns, notes)] = [None] * size + coming.tolist()
        return nw.from_native(pa.table(columns), eager_only=True)

    def columns(self) -> list[SchemaRow]:
        season = f", repeating after {self.season}" if self.season > 1 else ""
        reason = f"the last {self.context} values{season}"
        return [SchemaRow(self.target_name, "series", reason, 0.0)]

    def shown(self, data: ForecastData, rows: Array) -> dict[str, list[str]]:
        starts, clock = self.windows(data).starts, data.series.clock
        window, ahead = np.divmod(rows, self.horizon)
        places = starts[window] + self.context + ahead
        return {
            self.time or "row": [clock.label(int(place)) for place in places],
            "steps ahead": [str(each + 1) for each in ahead],
        }

    def fingerprints(self, data: ForecastData) -> Array:
        """(values,) of the values that are known, with their times."""
        series = data.series
        places = np.flatnonzero(series.known)
        places = places[places >= data.begin]
        times = [str(series.clock.label(int(place))) for place in places]
        return fingerprints(np.asarray(series.values[places], np.float64), times)

    def to_json(self) -> dict[str, Any]:
        return {"mean": self.mean, "std": self.std}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], options: ForecastOptions) -> Self:
        return cls.build(ResolvedForecast.of(options), saved["mean"], saved["std"])
