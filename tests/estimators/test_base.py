"""A fit: by what it stops, from where it starts, what it tells, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import retrograd as rg
from retrograd.training import Verdict

from .conftest import Data, small_classifier, small_regressor


def test_a_weight_of_two_is_the_row_twice_to_the_last_bit(numbers: Data) -> None:
    x, y = numbers
    weight = np.random.default_rng(0).integers(0, 4, 200)
    weighted = small_regressor().fit(x, y, sample_weight=weight)
    order = np.random.default_rng(1).permutation(weight.sum())
    repeated = small_regressor().fit(x.repeat(weight, 0)[order], y.repeat(weight)[order])
    np.testing.assert_array_equal(weighted.predict(x), repeated.predict(x))


def test_with_shuffle_off_the_order_matters(numbers: Data) -> None:
    x, y = numbers
    one = small_regressor(shuffle=False).fit(x, y)
    other = small_regressor(shuffle=False).fit(x[::-1], y[::-1])
    assert (one.predict(x) != other.predict(x)).any()


def test_the_same_seed_makes_the_same_fit_and_another_another(numbers: Data) -> None:
    x, y = numbers
    first, again, other = (
        small_regressor(dropout=0.1).set_params(random_state=seed).fit(x, y).predict(x)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_fit_leaves_the_streams_of_random_numbers_alone(numbers: Data) -> None:
    rg.manual_seed(3)
    expected = [rg.random.uniform((2,)).numpy(), rg.random.host_rng().random(2)]
    rg.manual_seed(3)
    small_regressor(dropout=0.5).fit(*numbers).predict(numbers[0])
    np.testing.assert_array_equal(rg.random.uniform((2,)).numpy(), expected[0])
    np.testing.assert_array_equal(rg.random.host_rng().random(2), expected[1])


def test_rows_are_held_out_from_a_hundred_on_or_as_asked(numbers: Data) -> None:
    x, y = numbers
    for rows, early_stopping, validated in [
        (99, "auto", False),
        (100, "auto", True),
        (100, False, False),
        (99, True, True),
    ]:
        model = small_regressor(early_stopping=early_stopping, max_iter=1).fit(x[:rows], y[:rows])
        assert np.isfinite(model.history_.epochs[0].validation_loss) == validated


def test_rows_to_stop_by_may_be_given_with_weights(numbers: Data) -> None:
    """Rows of weight 0 do not count: with the bad ones weighted away, they change nothing."""
    x, y = numbers
    good = small_regressor().fit(x[:100], y[:100], X_val=x[100:150], y_val=y[100:150])
    bad = np.concatenate([y[100:150], 1e3 * y[150:]])
    weight = np.repeat([1.0, 0.0], 50)
    mixed = small_regressor().fit(
        x[:100], y[:100], X_val=x[100:], y_val=bad, sample_weight_val=weight
    )
    losses = [[e.validation_loss for e in m.history_.epochs] for m in (good, mixed)]
    np.testing.assert_allclose(*losses, rtol=1e-5)


@pytest.mark.parametrize(("metric", "sign"), [("r2", -1), ("mae", 1)])
def test_a_metric_may_decide_when_to_stop(numbers: Data, metric: str, sign: int) -> None:
    from sklearn.metrics import mean_absolute_error, r2_score

    x, y = numbers
    model = small_regressor(metric=metric).fit(x[:150], y[:150], X_val=x[150:], y_val=y[150:])
    function = {"r2": r2_score, "mae": mean_absolute_error}[metric]
    scale = 1 if metric == "r2" else y[:150].std()
    best = min(e.validation_loss for e in model.history_.epochs)
    expected = sign * function(y[150:], model.predict(x[150:])) / scale
    assert best == pytest.approx(expected, rel=1e-3)


def test_training_ends_when_the_loss_falls_no_more(numbers: Data) -> None:
    x, y = numbers
    model = small_regressor(max_iter=300, tol=1e3, n_iter_no_change=4).fit(x[:50], y[:50])
    assert model.n_iter_ == 5  # the first, and four that did not better it by a thousand
    assert model.history_.verdict is Verdict.CONVERGED
    assert len(model.loss_curve_) == 5
    assert model.loss_ == model.loss_curve_[-1]


def test_a_warm_start_goes_on_from_the_weights(numbers: Data) -> None:
    x, y = numbers
    model = small_regressor(warm_start=True).fit(x, y)
    losses = [model.loss_curve_[0], model.fit(x, y).loss_curve_[0]]
    assert losses[1] < 0.5 * losses[0]
    assert model.set_params(warm_start=False).fit(x, y).loss_curve_[0] == pytest.approx(losses[0])


def test_partial_fits_go_on_where_the_last_ended(classes: Data) -> None:
    x, y = classes
    model = small_classifier(learning_rate_init=0.02)
    model.partial_fit(x[:100], y[:100], classes=["low", "mid", "top"])
    for _ in range(30):
        model.partial_fit(x, y)
    assert model.n_iter_ == 31
    assert model.score(x, y) > 0.85
    fitted = small_classifier().fit(x, y)
    before = fitted.score(x, y)
    assert fitted.partial_fit(x, y).score(x, y) > before - 0.1


def test_momentum_is_that_of_stochastic_gradient_descent(numbers: Data) -> None:
    x, y = numbers
    scores = [
        small_regressor(solver="sgd", learning_rate_init=0.01, momentum=m).fit(x, y).score(x, y)
        for m in (0.0, 0.9)
    ]
    assert scores[1] > scores[0] + 0.1


def test_alpha_shrinks_the_weights(numbers: Data) -> None:
    norms = []
    for alpha in (0.0, 5.0):
        weights = small_regressor(alpha=alpha).fit(*numbers)._network.weights
        norms.append(np.linalg.norm(weights["layers.0.weight"]))
    assert norms[1] < 0.9 * norms[0]


def test_a_record_says_what_is_wrong(numbers: Data) -> None:
    x, y = numbers
    wild = small_regressor(record=True, learning_rate_init=5.0, max_iter=8, solver="sgd")
    model = wild.fit(x, y)
    assert {each.code for each in model.findings_}
    assert not hasattr(model.set_params(record=False).fit(x, y), "findings_")


def test_each_epoch_is_printed_if_asked(numbers: Data, capsys: pytest.CaptureFixture[str]) -> None:
    small_regressor(max_iter=2, verbose=True).fit(*numbers)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("Epoch 1, loss = ")
    assert "validation loss = " in second


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"activation": "softplus"}, "'activation' parameter"),
        ({"learning_rate_init": 0}, "'learning_rate_init' parameter"),
        ({"metric": "f1"}, "'metric' parameter"),
        ({"metric": "accuracy"}, "NeuralRegressor can stop these targets by r2, rmse, mae"),
        ({"hidden_layer_sizes": ()}, "expected one or more widths"),
        ({"members": 0}, "'members' parameter"),
    ],
)
def test_parameters_out_of_range_are_refused(
    numbers: Data, params: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        rg.NeuralRegressor(**params).fit(*numbers)


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1.0] * 3, r"sample_weight has shape \(3,\); expected \(200,\)"),
        ([-1.0] * 200, "sample_weight is -1.0 in row 0"),
        ([0.0] * 200, "Sample weights are all zero"),
    ],
)
def test_weights_that_cannot_be_are_refused(
    numbers: Data, weight: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        rg.NeuralRegressor().fit(*numbers, sample_weight=weight)


def test_rows_to_stop_by_take_a_target(numbers: Data) -> None:
    with pytest.raises(ValueError, match="give X_val and y_val"):
        rg.NeuralRegressor().fit(*numbers, X_val=numbers[0])


def test_the_device_may_be_named(numbers: Data) -> None:
    x, y = numbers
    here = small_regressor(device="cpu").fit(x, y)
    np.testing.assert_array_equal(here.predict(x), small_regressor().fit(x, y).predict(x))
    with pytest.raises(ValueError, match="device is 'abacus', and XLA has none"):
        small_regressor(device="abacus").fit(x, y)


def test_what_is_not_fitted_does_not_predict(numbers: Data) -> None:
    with pytest.raises(NotFittedError):
        clone(small_regressor()).predict(numbers[0])
