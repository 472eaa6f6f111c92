"""Data as people have it: frames with categories, dates and holes, sparse and read-only arrays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from sklearn.metrics import r2_score

import retrograd as rg
from retrograd.estimators.columns import schema_of

from .conftest import Data, small_regressor

ROWS = 240


def mixed() -> tuple[dict[str, list[Any]], np.ndarray[Any, Any]]:
    """A number with holes, a category, a flag and a date, all of which the target depends on."""
    rng = np.random.default_rng(0)
    size = rng.normal(size=ROWS)
    color = rng.choice(["red", "green", "blue"], ROWS)
    new = rng.random(ROWS) < 0.5
    day = rng.integers(0, 1000, ROWS)
    y = size + 2.0 * (color == "red") + new + day / 500 + 0.05 * rng.normal(size=ROWS)
    holes = rng.random(ROWS) < 0.1
    columns: dict[str, list[Any]] = {
        "size": [None if hole else each for hole, each in zip(holes, size.tolist(), strict=True)],
        "color": color.tolist(),
        "new": new.tolist(),
        "sold": [datetime(2020, 1, 1) + timedelta(days=each) for each in day.tolist()],
    }
    return columns, y


@pytest.mark.parametrize(
    "library", [pd.DataFrame, pl.DataFrame, pa.table], ids=lambda f: f.__name__
)
def test_frames_go_straight_in(library: Callable[[Any], Any]) -> None:
    columns, y = mixed()
    frame = library(columns)
    model = small_regressor(max_iter=None).fit(frame, y)
    assert model.feature_names_in_.tolist() == ["size", "color", "new", "sold"]
    assert model.n_features_in_ == 4
    assert r2_score(y, model.predict(frame)) > 0.8


def test_a_category_may_be_missing_or_new_at_prediction() -> None:
    columns, y = mixed()
    frame = pd.DataFrame(columns).astype({"color": "category"})
    model = small_regressor().fit(frame, y)
    odd = frame.assign(color=pd.Categorical(["violet", None] * (ROWS // 2)))
    assert np.isfinite(model.predict(odd)).all()


def test_columns_keep_their_order_and_their_names() -> None:
    columns, y = mixed()
    frame = pd.DataFrame(columns)
    model = small_regressor(max_iter=1).fit(frame, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["color", "size", "new", "sold"]])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename(columns={"size": "height"}))


def test_a_frame_of_numbers_is_its_array(numbers: Data) -> None:
    x, y = numbers
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    np.testing.assert_array_equal(
        small_regressor().fit(frame, y).predict(frame), small_regressor().fit(x, y).predict(x)
    )


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "lil"])
def test_sparse_matrices_are_their_dense_ones(numbers: Data, form: str) -> None:
    x, y = numbers
    x = np.where(x < 0, 0, x)
    sparse = getattr(scipy.sparse, f"{form}_array")(x)
    dense = small_regressor().fit(x, y).predict(x)
    np.testing.assert_array_equal(small_regressor().fit(sparse, y).predict(sparse), dense)


def test_missing_numbers_are_learned_from(numbers: Data) -> None:
    """A hole says something: where x2 is missing, the target is 5 more."""
    x, y = numbers
    holes = np.random.default_rng(0).random(200) < 0.3
    x, y = x.copy(), y + 5 * holes
    x[holes, 2] = np.nan
    assert small_regressor(max_iter=None).fit(x, y).score(x, y) > 0.9


def test_infinities_are_refused_as_everywhere_in_scikit_learn(numbers: Data) -> None:
    x, y = numbers
    x = x.copy()
    x[3, 1] = np.inf
    with pytest.raises(ValueError, match="contains infinity"):
        small_regressor().fit(x, y)


def test_free_text_is_refused_with_a_way_out() -> None:
    words = [f"the {i}th house has a garden, a cellar and {i} quite large rooms" for i in range(60)]
    with pytest.raises(ValueError, match=r"hold free text: 'note'.*TfidfVectorizer"):
        small_regressor().fit(pd.DataFrame({"note": words}), np.arange(60.0))


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no column to learn from: a .constant"):
        small_regressor().fit(pd.DataFrame({"a": ["x"] * 20}), np.arange(20.0))


@pytest.mark.parametrize("categorical", [["code"], [1], [False, True]])
def test_numbers_may_be_named_as_categories(categorical: list[Any]) -> None:
    table = pa.table({"x": [0.5, 1.5, 2.5], "code": [3, 7, 3]})
    kinds = {column.name: column.kind for column in schema_of(table, categorical).columns}
    assert kinds == {"x": "number", "code": "category"}
    plain = schema_of(table, "from_dtype")
    assert [column.kind for column in plain.columns] == ["number", "number"]


def test_a_category_that_is_not_there_is_named(numbers: Data) -> None:
    with pytest.raises(ValueError, match="names 'zip', which X does not have"):
        rg.NeuralRegressor(categorical_features=["zip"]).fit(*numbers)
