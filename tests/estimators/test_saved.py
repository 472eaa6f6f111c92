"""Fitted estimators kept: pickled, and in a file from which no code can run."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

import retrograd as rg
from retrograd.errors import DataError

from .conftest import Data, small_classifier, small_regressor
from .test_columns import mixed


def test_a_saved_regressor_is_the_same_in_every_way(tmp_path: Path) -> None:
    columns, y = mixed()
    frame = pd.DataFrame(columns)
    model = small_regressor(categorical_features=["new"]).fit(frame, y)
    model.save(tmp_path / "model.safetensors")
    again = rg.NeuralRegressor.load(tmp_path / "model.safetensors")
    assert again.get_params() == model.get_params()
    np.testing.assert_array_equal(again.predict(frame), model.predict(frame))
    np.testing.assert_array_equal(again.predict_interval(frame), model.predict_interval(frame))
    assert again.feature_names_in_.tolist() == model.feature_names_in_.tolist()
    assert again.history_ == model.history_


@pytest.mark.parametrize("kind", [str, int, bool])
def test_a_saved_classifier_keeps_its_classes_and_goes_on(
    classes: Data, tmp_path: Path, kind: type
) -> None:
    x, y = classes
    labels = y if kind is str else (y == "top").astype(kind)
    weight = dict.fromkeys(np.unique(labels).tolist(), 1.5)
    model = small_classifier(class_weight=weight).partial_fit(x, labels)
    model.save(tmp_path / "model")
    again = rg.NeuralClassifier.load(tmp_path / "model")
    assert again.class_weight == weight
    assert again.classes_.dtype == model.classes_.dtype
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    for each in (model, again):
        each.partial_fit(x, labels)
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))


def test_findings_are_kept(numbers: Data, tmp_path: Path) -> None:
    x, y = numbers
    model = small_regressor(record=True, learning_rate_init=5.0, max_iter=8, solver="sgd").fit(x, y)
    model.save(tmp_path / "model")
    assert rg.NeuralRegressor.load(tmp_path / "model").findings_ == model.findings_ != []


def test_a_pickle_holds_the_weights_once_and_no_programs(numbers: Data) -> None:
    x, y = numbers
    model = small_regressor().fit(x, y)
    model.predict(x)
    packed = pickle.dumps(model)
    weights = sum(each.nbytes for each in model._network.weights.values())
    assert len(packed) < weights + 20_000
    np.testing.assert_array_equal(pickle.loads(packed).predict(x), model.predict(x))


def test_a_file_of_another_kind_is_refused(numbers: Data, tmp_path: Path) -> None:
    path = tmp_path / "model"
    small_regressor(max_iter=1).fit(*numbers).save(path)
    with pytest.raises(DataError, match=r"'NeuralRegressor'; expected .* 'NeuralClassifier'"):
        rg.NeuralClassifier.load(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match="is not a file that an estimator saved"):
        rg.NeuralRegressor.load(path)
    save_file({"a": np.zeros(1)}, path, {"retrograd": json.dumps({"format": "other"})})
    with pytest.raises(DataError, match="holds 'other'"):
        rg.NeuralRegressor.load(path)
