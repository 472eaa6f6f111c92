"""Classes and labels: their names, weights, probabilities and scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.datasets import make_multilabel_classification

import retrograd as rg

from .conftest import Data, small_classifier


def test_classes_keep_their_names_and_order(classes: Data) -> None:
    x, y = classes
    model = small_classifier(max_iter=None).fit(x, y)
    assert model.classes_.tolist() == ["low", "mid", "top"]
    assert model.score(x, y) > 0.9
    p = model.predict_proba(x)
    np.testing.assert_allclose(p.sum(1), 1)
    assert (model.classes_[p.argmax(1)] == model.predict(x)).all()
    np.testing.assert_allclose(model.predict_log_proba(x), np.log(p))
    assert (model.decision_function(x).argmax(1) == p.argmax(1)).all()


def test_two_classes_have_one_score_the_log_odds(classes: Data) -> None:
    x, y = classes
    model = small_classifier().fit(x, y == "top")
    p = model.predict_proba(x)
    score = model.decision_function(x)
    np.testing.assert_allclose(score, np.log(p[:, 1] / p[:, 0]), rtol=1e-6)
    assert ((score > 0) == model.predict(x)).all()
    assert model.predict(x).dtype == bool


def test_labels_are_learned_together() -> None:
    x, y = make_multilabel_classification(120, 6, n_classes=4, random_state=0)
    model = small_classifier(max_iter=None).fit(x, y)
    assert model.predict(x).shape == y.shape == model.decision_function(x).shape
    assert np.mean(model.predict(x) == y) > 0.75
    assert model.out_activation_ == "logistic"
    with pytest.raises(ValueError, match=r"metric is 'accuracy'.* no metric but the loss"):
        small_classifier(metric="accuracy").fit(x, y)


def test_a_class_weight_counts_like_the_rows_weights(classes: Data) -> None:
    x, y = classes
    weights = {"low": 3.0, "mid": 1.0, "top": 2.0}
    by_class = small_classifier(class_weight=weights).fit(x, y)
    by_row = small_classifier().fit(x, y, sample_weight=np.vectorize(weights.get)(y))
    np.testing.assert_array_equal(by_class.predict_proba(x), by_row.predict_proba(x))


def test_balanced_classes_find_the_rare_one() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = (x[:, 0] + 0.8 * rng.normal(size=400) > 2).astype(int)
    recall = {
        weight: small_classifier(class_weight=weight).fit(x, y).predict(x)[y == 1].mean()
        for weight in (None, "balanced")
    }
    assert recall["balanced"] > recall[None] + 0.2


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["a"] * 6, "at least 2 classes; y holds only one class: 'a'"),
        ([0.5, 1.5, 2.5, 0.1, 0.2, 0.3], "continuous"),
        ([[0, 2], [1, 1], [2, 0]] * 2, "multiclass-multioutput"),
        ([0, 1, 0], "inconsistent numbers of samples"),
    ],
)
def test_targets_that_are_no_classes_are_refused(y: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rg.NeuralClassifier().fit(np.arange(12.0).reshape(6, 2), y)


def test_a_class_that_training_did_not_see_is_named(classes: Data) -> None:
    x, y = classes
    odd = np.where(y == "top", "new", y)
    with pytest.raises(ValueError, match=r"not among those learned.*: new"):
        small_classifier().fit(x, y, X_val=x, y_val=odd)


def test_balanced_weights_are_not_for_a_part_of_the_rows(classes: Data) -> None:
    with pytest.raises(ValueError, match="cannot be known from a part of the rows"):
        small_classifier(class_weight="balanced").partial_fit(*classes)


@pytest.mark.parametrize(
    "column", [pd.Series, pd.Categorical, pl.Series, pa.array, list], ids=lambda each: each.__name__
)
def test_targets_come_in_any_column(classes: Data, column: Callable[[Any], Any]) -> None:
    x, y = classes
    model = small_classifier().fit(x, column(y.tolist()))
    np.testing.assert_array_equal(model.predict(x), small_classifier().fit(x, y).predict(x))
