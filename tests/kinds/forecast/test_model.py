"""A forecast looks at the past only, is measured beside the naive one, and goes on from the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import mean_absolute_error, r2_score

import retrograd as rg
from retrograd.errors import DataError, UsageError
from retrograd.kinds.base.kind import DataSpec, Prepared
from retrograd.kinds.forecast.data import ForecastData
from retrograd.kinds.forecast.model import ForecastModel
from retrograd.kinds.forecast.options import ForecastOptions
from retrograd.kinds.forecast.windows import (
    SeriesWindows,
    find_season,
    naive_forecast,
    window_starts,
)
from retrograd.kinds.registry import prepare
from retrograd.models.series.forecaster import Forecaster


def waves(count: int = 240) -> np.ndarray[Any, Any]:
    """A season of twelve that grows, a trend, and a little noise."""
    t = np.arange(count)
    noise = np.random.default_rng(1).normal(0, 0.1, count)
    return 10 + 0.1 * t + (1 + t / 100) * np.sin(2 * np.pi * t / 12) + noise


def months(count: int) -> list[str]:
    return [str(np.datetime64("2000-01") + np.timedelta64(i, "M")) for i in range(count)]


def prepared(folder: Path, values: Any, test: float | None = None, **options: Any) -> Prepared:
    path = folder / "series.csv"
    rows = [f"{month},{value}" for month, value in zip(months(len(values)), values, strict=True)]
    path.write_text("\n".join(["month,sales", *rows]) + "\n")
    chosen = {"target": "sales", "time": "month", "epochs": 2, "width": 8, **options}
    return prepare("forecast", DataSpec(str(path), test=test), ForecastOptions(**chosen))


# The windows ---------------------------------------------------------------------------------


def test_windows_forecast_only_the_asked_part_and_only_what_was_known() -> None:
    known = np.ones(30, np.bool_)
    known[20] = False
    starts = window_starts(known, begin=12, end=28, context=5, horizon=3)
    asked = [set(range(start + 5, start + 8)) for start in starts]
    expected = [set(range(i, i + 3)) for i in range(12, 26) if 20 not in range(i, i + 3)]
    assert asked == expected


def test_the_first_windows_begin_with_the_series() -> None:
    starts = window_starts(np.ones(10, np.bool_), begin=0, end=10, context=4, horizon=2)
    assert starts.tolist() == [0, 1, 2, 3, 4]


def test_batches_and_parts_hold_the_same_windows() -> None:
    values = np.arange(40, dtype=np.float32)
    windows = SeriesWindows(values, np.arange(3, 30), context=6, horizon=2)
    gather = rg.compile(lambda starts: windows.batch(None, starts))
    seen = []
    for call in windows.calls(5, np.random.default_rng(0)):
        for starts in call.arrays[0]:
            (inputs,), target = gather(starts)
            seen += inputs.numpy()[:, 0].tolist()
            whole = np.concatenate([inputs.numpy(), target.numpy()], 1)
            assert (whole == inputs.numpy()[:, :1] + np.arange(8)).all()
    assert len(seen) == len(set(seen)) == 25  # of 27: the two left over do not fill a batch
    parts = [np.concatenate([inputs, target], 1) for (inputs,), target in windows.parts(7)]
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(3, 30)[:, None] + np.arange(8.0))


def test_naive_forecasts_repeat_the_last_season() -> None:
    contexts = np.array([[1, 2, 3, 4], [5, 6, 7, 8]])
    assert naive_forecast(contexts, 5, 1).tolist() == [[4] * 5, [8] * 5]
    assert naive_forecast(contexts, 5, 3).tolist() == [[2, 3, 4, 2, 3], [6, 7, 8, 6, 7]]


def test_the_season_is_where_changes_repeat() -> None:
    rng = np.random.default_rng(0)
    assert find_season(waves()) == 12
    t = np.arange(400)
    assert find_season(np.sin(2 * np.pi * t / 7) + 0.05 * t + rng.normal(0, 0.1, 400)) == 7
    assert find_season(rng.normal(0, 1, 400).cumsum()) == 1
    assert find_season(np.ones(50)) == 1
    assert find_season(np.arange(50.0)) == 1


# The network ---------------------------------------------------------------------------------


def test_an_untrained_network_answers_the_last_value(rng: np.random.Generator) -> None:
    x = rng.normal(0, 1, (4, 10)).astype(np.float32)
    np.testing.assert_array_equal(Forecaster(10, 3).eval()(x).numpy(), x[:, -1:].repeat(3, 1))


def test_the_network_is_its_formula_in_torch(rng: np.random.Generator) -> None:
    network = Forecaster(10, 3, width=8).eval()
    for parameter in network.parameters():
        parameter.data = rng.normal(0, 0.3, parameter.shape).astype(np.float32)
    w = {name: torch.tensor(np.array(value)) for name, value in network.state_dict().items()}
    x = torch.tensor(rng.normal(0, 2, (4, 10)).astype(np.float32))
    z = (x - x[:, -1:]) / (x.var(1, correction=0, keepdim=True) + 0.01).sqrt()
    hidden = torch.nn.functional.silu(z @ w["hidden.weight"].T + w["hidden.bias"])
    step = z @ w["linear.weight"].T + hidden @ w["out.weight"].T + w["out.bias"]
    expected = x[:, -1:] + step * (x.var(1, correction=0, keepdim=True) + 0.01).sqrt()
    np.testing.assert_allclose(network(x.numpy()).numpy(), expected.numpy(), rtol=1e-4, atol=1e-5)


def test_a_shifted_and_stretched_window_has_a_shifted_and_stretched_forecast(
    rng: np.random.Generator,
) -> None:
    network = Forecaster(10, 3).eval()
    network.least_deviation = 0.0
    for parameter in network.parameters():
        parameter.data = rng.normal(0, 0.3, parameter.shape).astype(np.float32)
    x = rng.normal(0, 1, (4, 10)).astype(np.float32)
    np.testing.assert_allclose(network(x * 3 + 50).numpy(), network(x).numpy() * 3 + 50, rtol=1e-4)


# The run -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    run = prepared(tmp_path_factory.mktemp("waves"), waves(), 0.15, epochs=60)
    run.fit()
    return run


def test_a_season_and_a_trend_are_learned_better_than_naively(learned: Prepared) -> None:
    assert learned.options.horizon == learned.options.season == 12
    scores = learned.model.score(learned.split.test)
    assert scores.metrics["r2"] > 0.9
    assert scores.metrics["mae"] < 0.7 * scores.baseline["mae"]


def test_the_figures_are_those_of_the_forecasts(learned: Prepared) -> None:
    model, test = learned.model, learned.split.test
    context, horizon = model.context, model.horizon
    values = waves()
    truth, naive = [], []
    for first in range(240 - 36, 240 - horizon + 1):
        truth += values[first : first + horizon].tolist()
        naive += values[first - 12 : first].tolist()
    assert context >= 12
    assert horizon == 12
    np.testing.assert_allclose(model.targets(test), truth, rtol=1e-5)
    np.testing.assert_allclose(model.naive(test, 12), naive, rtol=1e-5)
    scores = model.score(test)
    assert scores.rows == len(truth)
    answers = model.predict(test)
    assert scores.metrics["mae"] == pytest.approx(mean_absolute_error(truth, answers), rel=1e-4)
    assert scores.metrics["r2"] == pytest.approx(r2_score(truth, answers), rel=1e-4)
    assert scores.baseline["mae"] == pytest.approx(mean_absolute_error(truth, naive), rel=1e-4)


def test_what_is_held_out_teaches_nothing(tmp_path: Path) -> None:
    """Neither weights nor scaling nor season depend on the values from the held-out part on."""
    runs = []
    for factor in (1.0, -5.0):
        values = waves(120)
        values[-18:] *= factor
        # One epoch: with more, which of them is kept is decided by the part held out.
        run = prepared(tmp_path, values, epochs=1)
        run.fit()
        assert (run.model.mean, run.model.std) == (waves(120)[:-18].mean(), waves(120)[:-18].std())
        runs.append(run)
    one, other = (run.model.network.state_dict() for run in runs)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])
    assert runs[0].model.score(runs[0].split.validation) != runs[1].model.score(
        runs[1].split.validation
    )


def test_a_test_share_is_the_very_end(tmp_path: Path) -> None:
    run = prepared(tmp_path, waves(), 0.2, valid=0.1)
    assert run.split.test.begin == 240 - 48
    assert len(run.split.validation.series) == 240 - 48
    assert run.split.validation.begin == 240 - 48 - 24


def test_predict_appends_the_coming_values(learned: Prepared) -> None:
    model, test = learned.model, learned.split.test
    table = model.predictions(test, []).to_native()
    assert table.column_names == ["month", "sales", "prediction"]
    assert table["month"].to_pylist() == months(252)
    np.testing.assert_allclose(table["sales"].to_pylist()[:240], waves(), rtol=1e-6)
    assert table["sales"].to_pylist()[240:] == [None] * 12
    assert table["prediction"].to_pylist()[:240] == [None] * 240
    coming = np.array(table["prediction"].to_pylist()[240:])
    standardized = ((waves()[-model.context :] - model.mean) / model.std).astype(np.float32)
    expected = model.network.eval()(standardized[None]).numpy()[0] * model.std + model.mean
    np.testing.assert_allclose(coming, expected, rtol=1e-5)
    t = np.arange(240, 252)
    clean = 10 + 0.1 * t + (1 + t / 100) * np.sin(2 * np.pi * t / 12)
    assert np.abs(coming - clean).mean() < 0.5


def test_a_series_called_prediction_stays_beside_what_comes(learned: Prepared) -> None:
    model, notes = replace(learned.model, target_name="prediction"), []
    table = model.predictions(learned.split.test, notes).to_native()
    assert table.column_names == ["month", "prediction", "prediction_2"]
    np.testing.assert_allclose(table["prediction"].to_pylist()[:240], waves(), rtol=1e-6)
    assert len(notes) == 1


def test_filled_in_values_stay_empty_in_the_prediction(learned: Prepared, tmp_path: Path) -> None:
    rows = [f"{month},{value}" for month, value in zip(months(60), waves(60), strict=True)]
    rows[40] = f"{months(60)[40]},"
    path = tmp_path / "later.csv"
    path.write_text("\n".join(["month,sales", *rows]))
    data = learned.model.read(path, [], labeled=False)
    sales = learned.model.predictions(data, []).to_native()["sales"].to_pylist()
    assert [i for i, value in enumerate(sales[:60]) if value is None] == [40]


def test_rows_of_the_report_are_named_by_time_and_distance(learned: Prepared) -> None:
    shown = learned.model.shown(learned.split.test, np.array([0, 11, 12]))
    first = months(240)[240 - 36 :]
    assert shown == {"month": [first[0], first[11], first[1]], "steps ahead": ["1", "12", "1"]}


def test_options_set_what_is_looked_at(tmp_path: Path) -> None:
    run = prepared(tmp_path, waves(), horizon=3, context=20, season=4)
    assert (run.model.context, run.model.horizon, run.model.season) == (20, 3, 4)
    assert run.model.predict(run.split.validation).shape == ((36 - 3 + 1) * 3,)


def test_without_times_the_rows_are_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("\n".join(["sales", *map(str, waves())]))
    run = prepare("forecast", DataSpec(str(path)), ForecastOptions(target="sales", epochs=1))
    table = run.model.predictions(run.split.validation, []).to_native()
    assert table["row"].to_pylist()[-1] == str(240 + 12)


def test_a_saved_model_is_the_same_model(learned: Prepared) -> None:
    config = ForecastOptions.from_json(learned.options.to_options().to_json())
    assert config == learned.options.to_options()
    again = ForecastModel.from_json(learned.model.to_json(), config)
    again.network.load_state_dict(learned.model.network.state_dict())
    assert again.score(learned.split.test) == learned.model.score(learned.split.test)


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (waves(30), {"horizon": 12}, r"26 values to train on and 4 held out are too few"),
        (waves(60), {"context": 60}, r"51 values to train on.*looking back over 60"),
        ([*[5.0] * 100, *waves(18)], {}, r"always 5 in its training part"),
    ],
)
def test_a_series_that_is_too_short_or_still_is_refused(
    values: Any, options: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=rf"series\.csv: .*{message}"):
        prepared(tmp_path, values, **options)


def test_parts_that_are_no_shares_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the end of its own series"):
        prepared(tmp_path, waves(), "later.csv")


def test_a_season_longer_than_the_context_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="season is 30; expected at most the context, 24"):
        prepared(tmp_path, waves(), context=24, season=30)


def test_data_too_short_to_use_is_refused_with_the_least(learned: Prepared, tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("\n".join(["month,sales", *(f"{month},1" for month in months(10))]))
    least = learned.model.context
    with pytest.raises(DataError, match=rf"short\.csv: 10 values.*at least {least}\."):
        learned.model.read(path, [], labeled=False)
    with pytest.raises(DataError, match=rf"at least {least + 12}\."):
        learned.model.read(path, [], labeled=True)


def test_a_stretch_without_a_known_horizon_cannot_be_measured(learned: Prepared) -> None:
    series = learned.split.test.series
    known = np.arange(len(series)) < 220
    blind = type(series)(series.values, known, series.clock)
    with pytest.raises(DataError, match="No 12 values in a row of 'sales' are known"):
        learned.model.score(ForecastData(blind, 212))
