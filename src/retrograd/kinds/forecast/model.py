"""A series of numbers to a network that continues it: the recipe and the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd import nn
from retrograd.data import SchemaRow, read_table
from retrograd.data.series.series import Series, read_series
from retrograd.data.split import share
from retrograd.errors import DataError, UsageError, about
from retrograd.kinds.base.bridge import Origin, Run
from retrograd.kinds.forecast.architectures import ARCHITECTURES
from retrograd.kinds.forecast.windows import (
    NextValues,
    SeriesWindows,
    find_season,
    naive_forecast,
    window_starts,
)
from retrograd.random import manual_seed
from retrograd.training.metrics import REGRESSION, measured
from retrograd.training.options import Options
from retrograd.training.predictor import ROWS_PER_CALL, Predictor
from retrograd.training.recipe import one_cycle_trainer
from retrograd.training.scores import Scores
from retrograd.wording import count

__all__ = ["ForecastData", "ForecastModel", "ForecastOptions", "prepare_forecast"]

Array = np.ndarray[Any, Any]

_STEPS = 1500
_MOST_CONTEXT = 512


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


@dataclass(frozen=True)
class ForecastData:
    """A series, of which the values from place `begin` on are to be forecast."""

    series: Series
    begin: int


@dataclass
class ForecastModel:
    """A network for one series, with all that it takes to use it.

    `mean` and `std` are those of the training part, in the target's units. A season of 1 is none.
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
    notes: Sequence[str] = ()
    predictor: Predictor = field(init=False)

    def __post_init__(self) -> None:
        self.predictor = Predictor(self.network)

    @classmethod
    def build(cls, config: ForecastOptions, mean: float, std: float) -> Self:
        """An untrained network for a configuration in which everything is resolved."""
        assert config.context is not None
        assert config.horizon is not None
        assert config.season is not None
        network = ARCHITECTURES.find(config.model).build(
            config.context, config.horizon, width=config.width, dropout=config.dropout
        )
        sizes = (config.context, config.horizon, config.season)
        return cls(config.target, config.time, network, *sizes, mean, std)

    def read(self, path: Path, notes: list[str], labelled: bool) -> ForecastData:
        with about(path):
            series = read_series(read_table(path, notes), self.target_name, self.time, notes)
            least = self.context + (self.horizon if labelled else 0)
            if len(series) < least:
                raise DataError(
                    f"{count(len(series), 'value')} of {self.target_name!r}; the network looks "
                    f"back over {self.context} and forecasts {self.horizon}, which takes at least "
                    f"{least}."
                )
        return ForecastData(series, self.context)

    def windows(self, data: ForecastData) -> SeriesWindows:
        """Every forecast of the whole horizon that lies in the data and is known."""
        series = data.series
        starts = window_starts(series.known, data.begin, len(series), self.context, self.horizon)
        if not len(starts):
            raise DataError(
                f"No {count(self.horizon, 'value')} in a row of {self.target_name!r} are known "
                f"after the first {data.begin}, so that no forecast can be measured."
            )
        values = ((series.values - self.mean) / self.std).astype(np.float32)
        return SeriesWindows(values, starts, self.context, self.horizon)

    def predict(self, data: Any, notes: list[str] | None = None) -> Array:
        """(windows · horizon,) numbers: each window's forecasts in their order."""
        parts = self.windows(data).parts(ROWS_PER_CALL)
        return self._in_units([self.predictor(inputs) for inputs, _ in parts])

    def targets(self, data: Any) -> Array:
        """(windows · horizon,) numbers that the answers are to meet."""
        parts = self.windows(data).parts(ROWS_PER_CALL)
        return self._in_units([target for _, target in parts])

    def naive(self, data: ForecastData, season: int) -> Array:
        """(windows · horizon,) naive forecasts: of one season before, or with 1 the last value."""
        parts = self.windows(data).parts(ROWS_PER_CALL)
        return self._in_units(
            [naive_forecast(context, self.horizon, season) for (context,), _ in parts]
        )

    def score(self, data: Any) -> Scores:
        """R², RMSE and MAE beside those of the naive forecast that did better in training."""
        truth = self.targets(data)
        model, naive = (
            measured(REGRESSION, truth, each)
            for each in (self.predict(data), self.naive(data, self.season))
        )
        repeated = f"{self.season} values" if self.season > 1 else "value"
        return Scores(len(truth), model, naive, f"repeating the last {repeated}")

    def _in_units(self, standardized: list[Array]) -> Array:
        """(values,) in the target's units, of what the network takes and gives."""
        return np.concatenate(standardized).ravel().astype(float) * self.std + self.mean

    def predictions(self, data: Any, notes: list[str]) -> nw.DataFrame[Any]:
        """The series with the coming `horizon` values below it, in the column `prediction`."""
        series: Series = data.series
        size, horizon = len(series), self.horizon
        last = ((series.values[-self.context :] - self.mean) / self.std).astype(np.float32)
        coming = self._in_units([self.predictor((last[None],))])
        none = [None] * horizon
        columns = {
            self.time or "row": [series.clock.label(i) for i in range(size + horizon)],
            self.target_name: [
                value if known else None
                for value, known in zip(series.values.tolist(), series.known, strict=True)
            ]
            + none,
            "prediction": [None] * size + coming.tolist(),
        }
        return nw.from_native(pa.table(columns), eager_only=True)

    def columns(self) -> list[SchemaRow]:
        season = f", repeating after {self.season}" if self.season > 1 else ""
        reason = f"the last {self.context} values{season}"
        return [SchemaRow(self.target_name, "series", reason, 0.0)]

    def shown(self, data: Any, rows: Array) -> dict[str, list[str]]:
        starts, clock = self.windows(data).starts, data.series.clock
        window, ahead = np.divmod(rows, self.horizon)
        places = starts[window] + self.context + ahead
        return {
            self.time or "row": [clock.label(int(place)) for place in places],
            "steps ahead": [str(each + 1) for each in ahead],
        }

    def to_json(self) -> dict[str, Any]:
        return {"mean": self.mean, "std": self.std}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], config: ForecastOptions) -> Self:
        return cls.build(config, saved["mean"], saved["std"])


def prepare_forecast(origin: Origin, config: ForecastOptions) -> Run:
    """Read a series, hold out its end, and build what is to be trained on what lies before.

    With a share of test rows, that is the very end, and the part to stop by lies before it.
    Raises DataError and UsageError as the data room does; nothing has been trained or written.
    """
    notes: list[str] = []
    fraction = share(origin.test)
    if origin.valid is not None or (origin.test is not None and fraction is None):
        raise UsageError(
            "A forecast is measured on the end of its own series: --valid and --test take a share."
        )
    with about(origin.data):
        frame = read_table(origin.data, notes)
        series = read_series(frame, config.target, config.time, notes)
        end = len(series) - round(len(series) * (fraction or 0))
        begin = end - round(len(series) * config.held_share())
        config, reason = _resolved(config, series, begin)
        run = _run(series, begin, end, config, reason)
        if fraction is not None:
            run.test = ForecastData(series, end)
            run.model.windows(run.test)  # refuses an end that is too short
    run.notes[:0] = notes
    return run


def _run(series: Series, begin: int, end: int, config: ForecastOptions, reason: str) -> Run:
    """Trained before place `begin`, stopped by what lies between it and `end`."""
    mean, std = float(series.values[:begin].mean()), float(series.values[:begin].std())
    if std == 0:
        raise DataError(
            f"The series {config.target!r} is always {mean:g} in its training part: there is "
            "nothing to learn."
        )
    manual_seed(config.seed)
    model = ForecastModel.build(config, mean, std)
    train = model.windows(ForecastData(series.part(0, begin), model.context))
    held = ForecastData(series.part(0, end), begin)
    valid = model.windows(held)
    batch_size = min(config.batch_size or 32 * max(1, min(8, len(train) // 2000)), len(train))
    steps = train.steps(batch_size)
    epochs = config.epochs or min(200, max(10, _STEPS // steps))
    config = config.replaced(
        batch_size=batch_size, epochs=epochs, patience=config.patience or max(epochs // 4, 5)
    )
    trainer = one_cycle_trainer(model.network, NextValues(), config, steps)
    size = sum(parameter.numel() for parameter in model.network.parameters())
    introduction = (
        f"a forecaster ({size:,} weights; {model.context} {series.clock.in_words()} apart to the "
        f"next {model.horizon}{reason})"
    )
    return Run(model, trainer, config, train, valid, held, [], introduction)


def _resolved(config: ForecastOptions, series: Series, begin: int) -> tuple[ForecastOptions, str]:
    """`config` with horizon, context and season decided by the training part, and why."""
    values = series.values[:begin]
    season = config.season or find_season(values)
    horizon = config.horizon or (min(season, 48) if season > 1 else 12)
    horizon = min(horizon, max(len(series) - begin, 1)) if config.horizon is None else horizon
    context = config.context or min(
        max(2 * season, 3 * horizon, 16), _MOST_CONTEXT, max((begin - horizon) // 2, 2)
    )
    if context + horizon >= begin or horizon > len(series) - begin:
        raise DataError(
            f"{begin:,} values to train on and {len(series) - begin:,} held out are too few for "
            f"forecasts of {horizon} after looking back over {context}. Give a longer series, or "
            "--set horizon=... context=..."
        )
    if config.season is not None and season > context:
        raise UsageError(f"season is {season}; expected at most the context, {context}.")
    reason = ""
    season = min(season, context)
    if season > 1:
        repeated = _naive_error(values, context, horizon, season)
        is_better = repeated < _naive_error(values, context, horizon, 1)
        reason = f"; it repeats after {season}" if is_better else ""
        season = season if is_better or config.season is not None else 1
    return config.replaced(
        model="forecaster" if config.model == "auto" else config.model,
        horizon=horizon,
        context=context,
        season=season,
    ), reason


def _naive_error(values: Array, context: int, horizon: int, season: int) -> float:
    windows = np.lib.stride_tricks.sliding_window_view(values, context + horizon)
    off = naive_forecast(windows[:, :context], horizon, season) - windows[:, context:]
    return float(np.abs(off).mean())
