"""Simple models, beside scikit-learn's and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from retrograd.diagnosis.outcome.baselines import (
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
    spread = ((truth - truth.mean()) ** 2).sum()

    def unexplained(answer: np.ndarray) -> float:
        assert answer.shape == (50, 1)
        return float(((answer[:, 0] - truth) ** 2).sum() / spread)

    found = simple_scores(X, y[:, None], NEW, unexplained)
    known = Ridge(alpha=8.0).fit(standard(X), y).predict(standard(NEW))
    near = KNeighborsRegressor(7).fit(standard(X), y).predict(standard(NEW))
    assert found.constant == pytest.approx(((truth - y.mean()) ** 2).sum() / spread)
    assert found.linear == pytest.approx(((truth - known) ** 2).sum() / spread)
    assert found.neighbors == pytest.approx(((truth - near) ** 2).sum() / spread)
    assert found.best == found.linear


def coded(x: np.ndarray, above: tuple[float, ...] = (3,)) -> np.ndarray:
    return np.searchsorted(above, x[:, 0])


@pytest.mark.parametrize("above", [(3,), (0, 4)])
def test_classes_are_predicted_by_the_most_frequent_ridge_regression_and_a_vote(
    above: tuple[float, ...],
) -> None:
    y, truth, columns = coded(X, above), coded(NEW, above), len(above) + 1
    one_hot = np.eye(columns)[y]
    found = simple_scores(X, one_hot, NEW, lambda each: float(np.mean(each.argmax(1) != truth)))
    near = KNeighborsRegressor(7).fit(standard(X), one_hot).predict(standard(NEW))
    known = Ridge(alpha=8.0).fit(standard(X), one_hot).predict(standard(NEW))
    assert found.constant == np.mean(truth != np.bincount(y).argmax())
    assert found.neighbors == np.mean(near.argmax(1) != truth)
    assert found.linear == np.mean(known.argmax(1) != truth)
    if columns == 2:
        vote = KNeighborsClassifier(7).fit(standard(X), y).predict(standard(NEW))
        assert found.neighbors == np.mean(vote != truth)


def test_without_other_rows_each_half_is_answered_by_models_of_the_other() -> None:
    y = np.stack([X @ np.arange(5) + 1, X[:, 0] ** 2], 1)
    seen: list[np.ndarray] = []

    def kept(answer: np.ndarray) -> float:
        seen.append(answer.copy())
        return float(len(seen))

    found = simple_scores(X, y, None, kept)
    assert (found.constant, found.linear, found.neighbors) == (1, 2, 3)
    for half in (0, 1):
        learn, judge = slice(1 - half, None, 2), slice(half, None, 2)
        x, at = scaled(X[learn], X[judge])
        models = Ridge(alpha=4.0), KNeighborsRegressor(7)
        assert seen[0][judge] == pytest.approx(np.tile(y[learn].mean(0), (40, 1)))
        for answer, model in zip(seen[1:], models, strict=True):
            assert answer[judge] == pytest.approx(model.fit(x, y[learn]).predict(at))


def test_targets_that_are_not_finite_count_as_0() -> None:
    y = np.array([np.nan, np.inf, 3.0, 5.0])[:, None]
    x = np.arange(4.0)[:, None]
    assert simple_scores(x, y, x, lambda each: float(each.mean())).constant == 2


@pytest.mark.parametrize("others", [None, np.zeros((3, 0))])
def test_without_columns_there_is_only_the_constant_answer(others: np.ndarray | None) -> None:
    y = np.float64([[1.0], [2.0], [6.0], [7.0]])
    found = simple_scores(np.zeros((4, 0)), y, others, lambda answer: float(answer.mean()))
    assert found == SimpleScores(4.0, math.inf, math.inf)


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
