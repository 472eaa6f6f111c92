"""Numbers: their scale, several of them, and the intervals around them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import r2_score

import retrograd as rg

from .conftest import Data, small_regressor


def test_it_predicts_in_the_targets_units(numbers: Data) -> None:
    x, y = numbers
    model = small_regressor(max_iter=None).fit(x[:150], 1e6 * y[:150])
    assert r2_score(1e6 * y[150:], model.predict(x[150:])) > 0.8


def test_several_outputs_are_learned_together_each_on_its_own_scale(numbers: Data) -> None:
    x, y = numbers
    both = np.stack([y, 1e-3 * x[:, 2]], axis=1)
    model = small_regressor(max_iter=None).fit(x, both)
    predicted = model.predict(x)
    assert predicted.shape == (200, 2)
    assert (r2_score(both, predicted, multioutput="raw_values") > 0.8).all()
    with pytest.raises(ValueError, match="y has 1 outputs, but NeuralRegressor was fitted with 2"):
        model.partial_fit(x, y)


@pytest.mark.parametrize("level", [0.5, 0.9])
def test_intervals_hold_the_share_that_was_asked_for(level: float) -> None:
    """Within three standard deviations, of 1,000 new rows and of 200 calibration rows."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(1500, 3))
    y = x[:, 0] + rng.normal(size=1500)
    model = small_regressor().fit(x[:300], y[:300], X_val=x[300:500], y_val=y[300:500])
    low, high = model.predict_interval(x[500:], confidence_level=level).T
    covered = np.mean((low <= y[500:]) & (y[500:] <= high))
    assert abs(covered - level) < 3 * np.sqrt(level * (1 - level) * (1 / 200 + 1 / 1000))
    assert model.predict_interval(x[:4]).shape == (4, 2)


def test_the_width_is_the_quantile_of_split_conformal_prediction(numbers: Data) -> None:
    """Lei et al. 2018, algorithm 2: the ⌈(n + 1)(1 − α)⌉-th smallest absolute error."""
    x, y = numbers
    model = small_regressor().fit(x[:150], y[:150], X_val=x[150:], y_val=y[150:])
    errors = np.sort(np.abs(y[150:] - model.predict(x[150:])))
    low, high = model.predict_interval(x[:1], confidence_level=0.8)[0]
    assert (high - low) / 2 == pytest.approx(errors[int(np.ceil(51 * 0.8)) - 1])


def test_an_intervals_width_takes_a_weight_of_two_for_two_rows(numbers: Data) -> None:
    x, y = numbers
    weight = np.random.default_rng(0).integers(0, 4, 50)
    weighted, repeated = (
        small_regressor().fit(x[:150], y[:150], None, x_val, y_val, weight_val)
        for x_val, y_val, weight_val in (
            (x[150:], y[150:], weight),
            (x[150:].repeat(weight, 0), y[150:].repeat(weight), None),
        )
    )
    np.testing.assert_allclose(
        weighted.predict_interval(x[:5], confidence_level=0.7),
        repeated.predict_interval(x[:5], confidence_level=0.7),
        rtol=1e-5,
    )


def test_a_fit_without_validation_rows_forgets_the_last_ones_intervals(numbers: Data) -> None:
    x, y = numbers
    model = small_regressor(warm_start=True).fit(x, y)
    model.predict_interval(x)
    with pytest.raises(ValueError, match="had 0 validation rows"):
        model.set_params(early_stopping=False).fit(x, y).predict_interval(x)


def test_an_interval_takes_enough_validation_rows(numbers: Data) -> None:
    x, y = numbers
    model = small_regressor().fit(x[:20], y[:20])
    with pytest.raises(ValueError, match=r"had 0 validation rows.* at least 9: fit with early"):
        model.predict_interval(x)
    with pytest.raises(ValueError, match="confidence_level is 2"):
        model.predict_interval(x, confidence_level=2)
    model = rg.NeuralRegressor((16,), members=2, max_iter=1).fit(x, y)  # 30 rows held out
    with pytest.raises(ValueError, match=r"had 30 validation rows.* at least 99"):
        model.predict_interval(x, confidence_level=0.99)
