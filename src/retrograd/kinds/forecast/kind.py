"""From a series of numbers to a network that is ready to be trained to continue it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from retrograd.errors import DataError, UsageError
from retrograd.kinds.base.kind import DataSpec, Kind, Parts, Prepared, Split, introduction
from retrograd.kinds.forecast.architectures import ARCHITECTURES
from retrograd.kinds.forecast.data import ForecastData, known_windows, read_forecast
from retrograd.kinds.forecast.model import ForecastModel
from retrograd.kinds.forecast.options import ForecastOptions, ResolvedForecast
from retrograd.kinds.forecast.windows import (
    NextValues,
    SeriesWindows,
    find_season,
    naive_forecast,
)
from retrograd.training.recipe import one_cycle_trainer

__all__ = ["FORECAST"]

Array = np.ndarray[Any, Any]

_STEPS = 1500
_MOST_CONTEXT = 512


class ForecastKind(Kind[ForecastData, ForecastOptions]):
    """The next values of a series, from those before them."""

    name = "forecast"
    options = ForecastOptions
    model = ForecastModel
    architectures = ARCHITECTURES
    task = "forecast"

    def holds(self, data: Any) -> bool:
        return False

    def read(self, spec: DataSpec, options: ForecastOptions) -> Parts[ForecastData]:
        validation, test = spec.validation, spec.test
        for share in (validation, test):
            if share is not None and not isinstance(share, float):
                raise UsageError(
                    "A forecast is measured on the end of its own series: --valid and --test take "
                    "a share."
                )
        notes: list[str] = []
        data = read_forecast(spec.data, options.target, options.time, notes, options.sep)
        return Parts(data, validation, test, tuple(notes), spec.name)

    def split(self, parts: Parts[ForecastData], options: ForecastOptions) -> Split[ForecastData]:
        """Test is the end of the series; validation comes just before it."""
        series = parts.train.series
        test, validation = (
            share if isinstance(share, float) else 0.0 for share in (parts.test, parts.validation)
        )
        end = len(series) - round(len(series) * test)
        begin = end - round(len(series) * (validation or options.validation_share()))
        return Split(
            ForecastData(series.part(0, begin)),
            ForecastData(series.part(0, end), begin),
            ForecastData(series, end) if test else None,
            parts.notes,
            parts.name,
        )

    def make(self, split: Split[ForecastData], options: ForecastOptions) -> Prepared[ForecastData]:
        series = split.train.series
        sizes = _sizes(split, options)
        mean, std = float(series.values.mean()), float(series.values.std())
        if std == 0:
            raise DataError(
                f"The series {options.target!r} is always {mean:g} in its training part: there is "
                "nothing to learn."
            )

        def windows(data: ForecastData) -> SeriesWindows:
            return known_windows(data, options.target, sizes.context, sizes.horizon, mean, std)

        train = windows(split.train)
        resolved = _resolved(options, sizes, len(train))
        model = ForecastModel.build(resolved, mean, std)
        if split.test is not None:
            windows(split.test)  # raises if the end is too short
        trainer = one_cycle_trainer(
            model.network,
            NextValues(),
            resolved.to_options(),
            train.steps(resolved.batch_size),
        )
        return Prepared(
            model,
            trainer,
            resolved,
            train,
            windows(split.validation),
            split,
            list(split.notes),
            introduction(
                "a forecaster",
                model.network,
                f"{sizes.context} {series.clock.in_words()} apart to the next {sizes.horizon}",
                sizes.why,
            ),
        )


class _Sizes(NamedTuple):
    context: int
    horizon: int
    season: int
    why: str


def _sizes(split: Split[ForecastData], options: ForecastOptions) -> _Sizes:
    """Context, horizon and season, chosen from the training part if left open, and why."""
    values = split.train.series.values
    begin, rest = len(values), len(split.judging.series) - len(values)
    season = options.season or find_season(values)
    horizon = options.horizon or min(min(season, 48) if season > 1 else 12, max(rest, 1))
    context = options.context or min(
        max(2 * season, 3 * horizon, 16), _MOST_CONTEXT, max((begin - horizon) // 2, 2)
    )
    if context + horizon >= begin or horizon > rest:
        raise DataError(
            f"{begin:,} values to train on and {rest:,} held out are too few for forecasts of "
            f"{horizon} after looking back over {context}. Give a longer series, or --set "
            "horizon=... context=..."
        )
    if options.season is not None and season > context:
        raise UsageError(f"season is {season}; expected at most the context, {context}.")
    why = ""
    season = min(season, context)
    if season > 1:
        repeated = _naive_error(values, context, horizon, season)
        is_better = repeated < _naive_error(values, context, horizon, 1)
        why = f"it repeats after {season}" if is_better else ""
        season = season if is_better or options.season is not None else 1
    return _Sizes(context, horizon, season, why)


def _naive_error(values: Array, context: int, horizon: int, season: int) -> float:
    windows = np.lib.stride_tricks.sliding_window_view(values, context + horizon)
    off = naive_forecast(windows[:, :context], horizon, season) - windows[:, context:]
    return float(np.abs(off).mean())


def _resolved(options: ForecastOptions, sizes: _Sizes, windows: int) -> ResolvedForecast:
    """The options left open, chosen by the number of training windows."""
    batch_size = min(options.batch_size or 32 * max(1, min(8, windows // 2000)), windows)
    epochs = options.epochs or min(200, max(10, _STEPS // max(windows // batch_size, 1)))
    return ResolvedForecast(
        asked=options,
        model=ARCHITECTURES.find("forecaster" if options.model == "auto" else options.model).name,
        batch_size=batch_size,
        epochs=epochs,
        patience=options.patience or max(epochs // 4, 5),
        context=sizes.context,
        horizon=sizes.horizon,
        season=sizes.season,
    )


FORECAST = ForecastKind()
