"""Small data, and networks that fit it in a moment."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest

import retrograd as rg

Data = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]

small_regressor = partial(
    rg.NeuralRegressor, (16,), members=2, max_iter=30, learning_rate_init=0.03, random_state=0
)
small_classifier = partial(
    rg.NeuralClassifier, (16,), members=2, max_iter=30, learning_rate_init=0.03, random_state=0
)


@pytest.fixture(scope="session")
def numbers() -> Data:
    """200 rows of 3 numbers, and 2 x0 − x1² with little noise."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    return x, 10 + 2 * x[:, 0] - x[:, 1] ** 2 + 0.1 * rng.normal(size=200)


@pytest.fixture(scope="session")
def classes() -> Data:
    """200 rows of 3 numbers in three classes, apart by x0 + x1."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 3))
    return x, np.array(["low", "mid", "top"])[np.digitize(x[:, 0] + x[:, 1], [-0.7, 0.7])]
