"""One table of metrics: what each measures, in which direction, and which one decides."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from retrograd.training.metrics import CLASSIFICATION, METRICS, REGRESSION, decisive, measured
from retrograd.training.scores import score_classes, score_numbers

TRUTH = np.array([1.0, 2.0, 4.0, 7.0])
ANSWERS = np.array([1.5, 2.0, 3.0, 8.0])
CODES = np.array([0, 1, 2, 1])
SHARES = np.array(
    [[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.5, 0.3, 0.2]], dtype=np.float32
)


def test_numbers_are_measured_by_their_formulas() -> None:
    error = ANSWERS - TRUTH
    assert measured(REGRESSION, TRUTH, ANSWERS) == pytest.approx(
        {
            "r2": 1 - (error**2).sum() / ((TRUTH - TRUTH.mean()) ** 2).sum(),
            "rmse": math.sqrt((error**2).mean()),
            "mae": np.abs(error).mean(),
        }
    )


def test_a_single_row_has_no_variance_to_explain() -> None:
    assert measured(REGRESSION, TRUTH[:1], ANSWERS[:1]) == {"rmse": 0.5, "mae": 0.5}
    assert set(measured(REGRESSION, TRUTH[:2], ANSWERS[:2])) == {"r2", "rmse", "mae"}


def test_classes_are_measured_by_their_formulas() -> None:
    found = measured(CLASSIFICATION, CODES, SHARES)
    assert found["accuracy"] == 0.75
    assert found["log_loss"] == pytest.approx(-np.log([0.7, 0.5, 0.7, 0.3]).mean(), rel=1e-6)
    assert found["roc_auc"] == pytest.approx(
        sklearn_metrics.roc_auc_score(CODES, SHARES.astype(float), multi_class="ovo")
    )


def test_a_weight_of_two_counts_like_the_row_twice() -> None:
    weights = np.array([1, 2, 0, 3])
    again = np.repeat(np.arange(4), weights)
    for metrics, truth, answers in (
        (REGRESSION, TRUTH, ANSWERS),
        (CLASSIFICATION, (CODES > 0).astype(int), SHARES[:, :2]),
    ):
        for metric in metrics:
            weighted = metric.function(truth, answers, weights)
            assert weighted == pytest.approx(metric.function(truth[again], answers[again]))
    assert METRICS["roc_auc"].function(CODES, SHARES, weights) is None  # over pairs of classes


def test_of_two_classes_the_second_s_probability_ranks() -> None:
    codes = np.array([0, 1, 0, 1])
    second = np.array([0.2, 0.3, 0.4, 0.9])
    shares = np.stack([1 - second, second], 1)
    # Three of the four pairs are in the right order.
    assert measured(CLASSIFICATION, codes, shares)["roc_auc"] == 0.75


def test_ranking_needs_every_class() -> None:
    found = measured(CLASSIFICATION, np.array([0, 1, 1, 0]), SHARES)
    assert set(found) == {"accuracy", "log_loss"}


def test_probabilities_are_made_to_sum_to_1() -> None:
    twice = measured(CLASSIFICATION, CODES, 2 * SHARES)
    assert twice == pytest.approx(measured(CLASSIFICATION, CODES, SHARES))


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.key)
def test_a_metric_goes_the_way_of_scikit_learn_s_scorer(metric: object) -> None:
    names = {
        "r2": "r2",
        "rmse": "neg_root_mean_squared_error",
        "mae": "neg_mean_absolute_error",
        "accuracy": "accuracy",
        "log_loss": "neg_log_loss",
        "roc_auc": "roc_auc",
    }
    scorer = sklearn_metrics.get_scorer(names[metric.key])
    assert metric.greater_is_better == (scorer._sign > 0)
    assert metric.gain(3.0) == scorer._sign * 3.0


def test_a_perfect_answer_beats_a_wrong_one_by_every_metric() -> None:
    perfect = np.eye(3)[CODES] * 0.97 + 0.01
    for table, truth, good, bad in (
        (REGRESSION, TRUTH, TRUTH, ANSWERS),
        (CLASSIFICATION, CODES, perfect, SHARES[::-1]),
    ):
        better, worse = measured(table, truth, good), measured(table, truth, bad)
        for key, metric in METRICS.items():
            if key in better:
                assert metric.is_better(better[key], worse[key])
                assert not metric.is_better(worse[key], better[key])
                assert not metric.is_better(better[key], better[key])


def test_only_errors_of_numbers_have_the_target_s_unit() -> None:
    assert {each.key for each in METRICS.values() if each.unit == "target"} == {"rmse", "mae"}
    assert METRICS["log_loss"].unit == "nats"


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        (("mae", "rmse", "r2"), "r2"),
        (("rmse", "mae"), "rmse"),
        (("mae",), "mae"),
        (("roc_auc", "accuracy", "log_loss"), "log_loss"),
        (("accuracy", "roc_auc"), "accuracy"),
    ],
)
def test_the_metric_that_decides_is_the_first_of_the_order(
    keys: tuple[str, ...], wanted: str
) -> None:
    assert decisive(keys).key == wanted


def test_what_decides_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"none of \['roc_auc'\] compares"):
        decisive(["roc_auc"])


def test_scores_stand_beside_the_training_mean() -> None:
    scores = score_numbers(ANSWERS, TRUTH, 3.0)
    assert scores.rows == 4
    assert scores.baseline["mae"] == 2.0
    assert scores.metrics["mae"] == 0.625


def test_scores_stand_beside_the_training_shares() -> None:
    scores = score_classes(SHARES, CODES, np.array([0.25, 0.5, 0.25]))
    assert scores.rows == 4
    assert scores.baseline["accuracy"] == 0.5
    assert scores.baseline["roc_auc"] == 0.5
    assert scores.baseline["log_loss"] == pytest.approx(-np.log([0.25, 0.5, 0.25, 0.5]).mean())
    assert scores.to_json() == {
        "rows": 4,
        "metrics": scores.metrics,
        "baseline": scores.baseline,
        "baseline_does": "knowing only how frequent each class is",
        "trained_on": 0,
        "stopped_by": 0,
    }
