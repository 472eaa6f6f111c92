"""Simple models, beside scikit-learn's and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from retrograd.diagnosis.checks.baselines import (
    SimpleScores,
    features,
    finite,
    misranked,
    nearest,
    ridge,
    scaled,
    simple_scores,
)

RNG = np.random.default_rng(0)
X, NEW = RNG.normal(2, 3, size=(80, 5)), RNG.normal(2, 3, size=(50, 5))


def standard(x: np.ndarray) -> np.ndarray:
    return (x - X.mean(0)) / X.std(0)


def test_numbers_are_predicted_by_the_mean_ridge_regression_and_neighbors() -> None:
    y, truth = X @ np.arange(5) + 1, NEW @ np.arange(5) + 1
    found = simple_scores(X, y, NEW, truth, "regression")
    spread = ((truth - truth.mean()) ** 2).sum()
    known = Ridge(alpha=8.0).fit(standard(X), y).predict(standard(NEW))
    near = KNeighborsRegressor(7).fit(standard(X), y).predict(standard(NEW))
    assert found.constant == pytest.approx(((truth - y.mean()) ** 2).sum() / spread)
    assert found.linear == pytest.approx(((truth - known) ** 2).sum() / spread)
    assert found.neighbors == pytest.approx(((truth - near) ** 2).sum() / spread)
    assert found.best == found.linear


def test_the_scale_of_numbers_does_not_matter() -> None:
    y, truth = X @ np.arange(5) + 1, NEW @ np.arange(5) + 1
    small = simple_scores(X, y * 1e-6, NEW, truth * 1e-6, "regression")
    assert small.best == pytest.approx(simple_scores(X, y, NEW, truth, "regression").best)
    same = simple_scores(X, y, NEW, np.ones(50), "regression")
    assert same.constant > 1e100  # of a target that does not vary


def test_classes_are_predicted_by_the_most_frequent_ridge_regression_and_a_vote() -> None:
    y, truth = (X[:, 0] > 3).astype(int), (NEW[:, 0] > 3).astype(int)
    found = simple_scores(X, y, NEW, truth, "classification")
    vote = KNeighborsClassifier(7).fit(standard(X), y).predict(standard(NEW))
    known = Ridge(alpha=8.0).fit(standard(X), y).predict(standard(NEW)) > 0.5
    assert found.constant == np.mean(truth != np.bincount(y).argmax())
    assert found.neighbors == np.mean(vote != truth)
    assert found.linear == np.mean(known != truth)


def test_ranked_classes_are_judged_by_the_area_under_the_curve() -> None:
    y, truth = (X[:, 0] > 3).astype(int), (NEW[:, 0] > 3).astype(int)
    found = simple_scores(X, y, NEW, truth, "classification", ranked=True)
    known = Ridge(alpha=8.0).fit(standard(X), y).predict(standard(NEW))
    assert found.constant == 0.5
    assert found.linear == pytest.approx(1 - roc_auc_score(truth, known))


def test_the_best_is_the_least_error() -> None:
    assert SimpleScores(0.3, 0.2, 0.1).best == 0.1
    assert SimpleScores(0.3, 0.2, 0.4).best == 0.2
    assert SimpleScores(0.1, 0.2, 0.4).best == 0.1


def test_misranked_pairs_are_averaged_over_the_classes() -> None:
    truth = RNG.integers(0, 3, 60)
    scores = RNG.dirichlet([1, 1, 1], 60)
    areas = [roc_auc_score(truth == c, scores[:, c]) for c in range(3)]
    assert misranked(scores, truth) == pytest.approx(1 - np.mean(areas))
    # Of a class without a column nothing is known.
    assert misranked(scores[:, :2], truth) == pytest.approx(1 - (areas[0] + areas[1] + 0.5) / 3)
    assert math.isnan(misranked(scores, truth * 0))


def test_ridge_regression_of_several_numbers() -> None:
    x = standard(X)
    y = np.stack([X[:, 0], X[:, 1] ** 2], 1)
    known = Ridge(alpha=8.0).fit(x, y)
    assert ridge(x, y, standard(NEW)) == pytest.approx(known.predict(standard(NEW)))
    assert ridge(x, y[:, 0], standard(NEW)).shape == (50,)


def test_the_nearest_rows() -> None:
    rows = np.array([[0.0], [1.0], [3.0], [7.0]])
    assert nearest(np.array([[2.9]]), rows, 2).tolist() == [[2, 1]]
    assert nearest(rows, rows, 1, itself=True).tolist() == [[1], [0], [1], [2]]
    assert nearest(rows, rows, 9, itself=True).shape == (4, 3)
    assert nearest(rows[:1], rows, 9).tolist() == [[0, 1, 2, 3]]


def test_columns_are_scaled_by_the_first_rows_alone() -> None:
    x = np.stack([np.arange(4.0), np.full(4, 5.0)], 1)
    one, other = scaled(x, 2 * x)
    assert one[:, 0] == pytest.approx((np.arange(4) - 1.5) / np.sqrt(1.25))
    assert other[:, 0] == pytest.approx((2 * np.arange(4) - 1.5) / np.sqrt(1.25))
    assert np.array_equal(one[:, 1], np.zeros(4))  # constant
    assert scaled(x, x[:, :1])[0].shape == (4, 1)
    assert scaled(X[:3], X)[1].shape == (80, 5)
    assert scaled((X - X.mean(0)) * 1e-9, X)[0] == pytest.approx(standard(X))


def test_a_column_that_varies_in_its_last_digits_is_constant() -> None:
    for spread, is_constant in ((0.9e-6, True), (1.1e-6, False)):
        x = np.stack([1 + spread * np.resize([1.0, -1.0], 10), RNG.normal(size=10) * 1e-9], 1)
        assert (np.abs(scaled(x, x)[0][:, 0]).max() == 0) == is_constant


def test_features_are_counts_of_tokens_and_numbers_without_their_shape() -> None:
    assert features(np.array([[0, 2, 2], [1, 1, 1]])).tolist() == [[1, 0, 2], [0, 3, 0]]
    assert features(np.array([[-1, 2], [0, 1]])).tolist() == [[-1, 2], [0, 1]]
    assert features(np.arange(8).reshape(2, 2, 2)).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert features(np.array([[4095, 4096, 4097]])).shape == (1, 4096)
    assert features(np.array([[4095, 4096, 4097]]))[0, [4095, 0, 1]].tolist() == [1, 1, 1]
    assert features(np.zeros((2, 0), np.int64)).shape == (2, 0)


def test_of_very_wide_rows_columns_are_spread_evenly() -> None:
    wide = np.arange(7000.0)[None]
    assert features(wide)[0].tolist() == list(range(0, 7000, 2))
    assert features(wide[:, :6143]).shape == (1, 6143)
    assert features(wide[:, :6144]).shape == (1, 3072)


def test_what_is_not_finite_is_0_and_squares_are_finite() -> None:
    found = finite(np.array([np.nan, np.inf, -np.inf, 1e300, -1e300, 2.0]))
    assert found.tolist() == [0, 0, 0, 1e100, -1e100, 2]
