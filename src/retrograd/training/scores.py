"""Metrics in the target's units, beside those of a baseline."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from retrograd.training.metrics import CLASSIFICATION, REGRESSION, measured

__all__ = ["Scores", "score_classes", "score_numbers"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Scores:
    """`metrics` of the model and of the `baseline`, by key (see METRICS), over `rows` rows.

    Regression: r2, rmse and mae (in the target's units); the baseline predicts the training mean.
    Classification: accuracy, log_loss (nats) and roc_auc (the mean over pairs of classes, if every
    class occurs); the baseline predicts the shares of the classes in training. If it does something
    else, `baseline_does` says what, such as "repeating the last value".
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
    return Scores(
        len(truth),
        measured(REGRESSION, truth, answers),
        measured(REGRESSION, truth, constant),
    )


def score_classes(probabilities: Array, truth: Array, training_shares: Array) -> Scores:
    """`probabilities` (rows, classes) against `truth`, (rows,) class codes."""
    constant = np.tile(training_shares, (len(truth), 1))
    return Scores(
        len(truth),
        measured(CLASSIFICATION, truth, probabilities),
        measured(CLASSIFICATION, truth, constant),
    )
