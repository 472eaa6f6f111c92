"""The table of metrics: the name, function, unit and direction of each.

Scores, the report, the command, trials of remedies and the recorder all read this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["CLASSIFICATION", "METRICS", "REGRESSION", "Metric", "decisive", "measured"]

Array = np.ndarray[Any, Any]
Weights = Array | None


@dataclass(frozen=True)
class Metric:
    """A metric.

    `function(truth, answers, weights=None)` computes it from `truth`, (rows,) numbers or class
    codes, and `answers`, (rows,) numbers or (rows, classes) probabilities; None if it is undefined
    for the rows. `weights`, (rows,), have a row count more or less often. `unit` is empty for a
    share or a number without a unit, "target" for the target's unit.
    """

    key: str
    name: str  # as a heading
    long_name: str  # as a line of a table
    meaning: str
    unit: str
    greater_is_better: bool
    function: Callable[..., float | None]

    def is_better(self, value: float, than: float) -> bool:
        """Whether `value` is better than `than`."""
        return value != than and (value > than) == self.greater_is_better

    def gain(self, value: float) -> float:
        """`value`, negated if lower is better: a higher result is always better."""
        return value if self.greater_is_better else -value


def _r2(truth: Array, answers: Array, weights: Weights = None) -> float | None:
    from sklearn.metrics import r2_score

    if len(truth) < 2:  # a single row has no variance to explain
        return None
    return float(r2_score(truth, answers, sample_weight=weights))


def _rmse(truth: Array, answers: Array, weights: Weights = None) -> float:
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(truth, answers, sample_weight=weights))


def _mae(truth: Array, answers: Array, weights: Weights = None) -> float:
    from sklearn.metrics import mean_absolute_error

    return float(mean_absolute_error(truth, answers, sample_weight=weights))


def _accuracy(truth: Array, answers: Array, weights: Weights = None) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(truth, answers.argmax(1), sample_weight=weights))


def _log_loss(truth: Array, answers: Array, weights: Weights = None) -> float:
    from sklearn.metrics import log_loss

    labels = range(answers.shape[1])
    return float(log_loss(truth, _summing_to_1(answers), labels=labels, sample_weight=weights))


def _roc_auc(truth: Array, answers: Array, weights: Weights = None) -> float | None:
    from sklearn.metrics import roc_auc_score

    classes = answers.shape[1]
    if len(np.unique(truth)) < classes or (classes > 2 and weights is not None):
        return None  # the mean over pairs of classes knows no weights
    answers = _summing_to_1(answers)
    ranked = answers[:, 1] if classes == 2 else answers
    return float(roc_auc_score(truth, ranked, multi_class="ovo", sample_weight=weights))


def _summing_to_1(probabilities: Array) -> Array:
    """In float64, as scikit-learn expects."""
    probabilities = probabilities.astype(float)
    total: Array = probabilities / probabilities.sum(1, keepdims=True)
    return total


REGRESSION = (
    Metric(
        "r2",
        "R²",
        "R² (1 is perfect)",
        "share of the variance that is explained; 1 is perfect",
        "",
        True,
        _r2,
    ),
    Metric(
        "rmse",
        "RMSE",
        "root mean squared error",
        "root mean squared error, in the target's units",
        "target",
        False,
        _rmse,
    ),
    Metric(
        "mae",
        "MAE",
        "mean absolute error",
        "mean absolute error, in the target's units",
        "target",
        False,
        _mae,
    ),
)

CLASSIFICATION = (
    Metric(
        "accuracy",
        "Accuracy",
        "accuracy",
        "share of the rows whose class is right",
        "",
        True,
        _accuracy,
    ),
    Metric(
        "log_loss",
        "Log loss",
        "log loss (nats)",
        "mean of −log of the true class's probability",
        "nats",
        False,
        _log_loss,
    ),
    Metric(
        "roc_auc",
        "ROC AUC",
        "area under the ROC curve",
        "how well the classes are told apart; 0.5 is chance",
        "",
        True,
        _roc_auc,
    ),
)

METRICS = {each.key: each for each in (*REGRESSION, *CLASSIFICATION)}

# Two trainings are compared by the first of these that both have. A proper score comes before
# accuracy, which ignores how confident a wrong prediction was.
_DECISIVE = ("r2", "log_loss", "accuracy", "rmse", "mae")


def measured(metrics: Iterable[Metric], truth: Array, answers: Array) -> dict[str, float]:
    """The metrics, by key, that are defined for these rows."""
    found = {each.key: each.function(truth, answers) for each in metrics}
    return {key: value for key, value in found.items() if value is not None}


def decisive(keys: Iterable[str]) -> Metric:
    """The metric among `keys` by which trainings are compared.

    Raises ValueError if there is none among them.
    """
    there = set(keys)
    for key in _DECISIVE:
        if key in there:
            return METRICS[key]
    raise ValueError(f"none of {sorted(there)} compares trainings; expected one of {_DECISIVE}")
