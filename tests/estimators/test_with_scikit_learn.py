"""scikit-learn's own tools take the estimators like any of theirs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .conftest import Data, small_classifier, small_regressor


def test_a_pipeline_turns_text_into_numbers_for_a_network() -> None:
    rng = np.random.default_rng(0)
    good = rng.random(120) < 0.5
    frame = pd.DataFrame(
        {"words": np.where(good, "a good film", "a bad film"), "length": rng.normal(size=120)}
    )
    columns = ColumnTransformer([("words", TfidfVectorizer(), "words")], remainder="passthrough")
    model = make_pipeline(columns, small_classifier()).fit(frame, good)
    assert model.score(frame, good) == 1.0


def test_a_transformer_that_gives_frames_keeps_the_categories() -> None:
    rng = np.random.default_rng(0)
    kind = rng.choice(["short", "long"], 120)
    frame = pd.DataFrame({"length": rng.normal(size=120), "kind": pd.Categorical(kind)})
    columns = ColumnTransformer([("scaled", StandardScaler(), ["length"])], remainder="passthrough")
    columns.set_output(transform="pandas")
    model = make_pipeline(columns, small_classifier()).fit(frame, kind == "long")
    assert model.score(frame, kind == "long") == 1.0
    assert [*model[-1].feature_names_in_] == ["scaled__length", "remainder__kind"]


def test_a_search_finds_the_better_parameters(numbers: Data) -> None:
    grid = {"learning_rate_init": [1e-9, 0.03], "alpha": [0.0, 0.01]}
    search = GridSearchCV(small_regressor(), grid, cv=3).fit(*numbers)
    assert search.best_params_["learning_rate_init"] == 0.03
    assert search.best_score_ > 0.6


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblibs_workers_score_as_one_process_does(numbers: Data, backend: str) -> None:
    import joblib

    alone = cross_val_score(small_regressor(), *numbers, cv=2)
    with joblib.parallel_backend(backend, n_jobs=2):
        together = cross_val_score(small_regressor(), *numbers, cv=2)
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_metadata_is_routed(numbers: Data) -> None:
    x, y = numbers
    weight = np.where(x[:, 2] > 0, 1.0, 0.0)
    with config_context(enable_metadata_routing=True):
        model = small_regressor().set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=False)
        folds = cross_validate(
            model, x, y, params={"sample_weight": weight}, cv=2, return_estimator=True
        )
    rows = np.flatnonzero(weight[:100])  # of the second fold's training rows
    half = small_regressor().fit(x[rows], y[rows])
    np.testing.assert_array_equal(folds["estimator"][1].predict(x), half.predict(x))


def test_a_clone_has_the_parameters_and_nothing_learned(numbers: Data) -> None:
    model = small_regressor(alpha=0.5).fit(*numbers)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "n_features_in_")


def test_the_target_may_be_transformed(numbers: Data) -> None:
    x, y = numbers
    model = TransformedTargetRegressor(small_regressor(), func=np.exp, inverse_func=np.log)
    assert model.fit(x, np.log(y + 10)).predict(x).shape == (200,)
