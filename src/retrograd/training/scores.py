"""Figures of merit in the target's own units, beside those of a model that learned nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

__all__ = ["Scores", "number_metrics", "score_classes", "score_numbers"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Scores:
    """`metrics` of the model and of the `baseline`, by name, over `rows` rows.

    Regression: r2, rmse and mae (in the target's units); the baseline answers the training mean.
    Classification: accuracy, log_loss (nats) and roc_auc (the mean over pairs of classes, where
    every class occurs); the baseline answers the shares of the classes in training. Where it does
    something else, `baseline_does` says what, as in "repeating the last value".
    """

    rows: int
    metrics: dict[str, float]
    baseline: dict[str, float]
    baseline_does: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


def score_numbers(answers: Array, truth: Array, training_mean: float) -> Scores:
    """`answers` and `truth`, (rows,) in the target's units."""
    constant = np.full(len(truth), training_mean)
    return Scores(len(truth), number_metrics(answers, truth), number_metrics(constant, truth))


def number_metrics(answers: Array, truth: Array) -> dict[str, float]:
    """R² (of more than one row), RMSE and MAE of `answers` and `truth`, (rows,)."""
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    metrics = {
        "rmse": float(root_mean_squared_error(truth, answers)),
        "mae": float(mean_absolute_error(truth, answers)),
    }
    if len(truth) > 1:  # of a single row there is no variance to explain
        metrics = {"r2": float(r2_score(truth, answers)), **metrics}
    return metrics


def score_classes(probabilities: Array, truth: Array, training_shares: Array) -> Scores:
    """`probabilities` (rows, classes) against `truth`, (rows,) class codes."""
    constant = np.tile(training_shares, (len(truth), 1))
    return Scores(len(truth), _class_metrics(probabilities, truth), _class_metrics(constant, truth))


def _class_metrics(probabilities: Array, truth: Array) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

    classes = probabilities.shape[1]
    probabilities = probabilities.astype(float)
    probabilities /= probabilities.sum(1, keepdims=True)
    metrics = {
        "accuracy": float(accuracy_score(truth, probabilities.argmax(1))),
        "log_loss": float(log_loss(truth, probabilities, labels=range(classes))),
    }
    if len(np.unique(truth)) == classes:
        scores = probabilities[:, 1] if classes == 2 else probabilities
        metrics["roc_auc"] = float(roc_auc_score(truth, scores, multi_class="ovo"))
    return metrics
