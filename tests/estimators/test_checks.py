"""scikit-learn's contract: all of its own checks, without exception."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

import retrograd as rg


@parametrize_with_checks([rg.NeuralRegressor(), rg.NeuralClassifier()])  # type: ignore[untyped-decorator]
def test_scikit_learns_checks_pass(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
