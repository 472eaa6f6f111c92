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
    class occurs); the baseline predicts the shares of the classes in training. `baseline_does` says
    what the baseline does, such as "repeating the last value".

    Of the rows the network was `trained_on` some and `stopped_by` others (of a text, that many
    passages): on these the metrics flatter it.
    """

    rows: int
    metrics: dict[str, float]
    baseline: dict[str, float]
    baseline_does: str
    trained_on: int = 0
    stopped_by: int = 0

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
        "always answering the mean of the training rows",
    )


def score_classes(probabilities: Array, truth: Array, training_shares: Array) -> Scores:
    """`probabilities` (rows, classes) against `truth`, (rows,) class codes."""
    constant = np.tile(training_shares, (len(truth), 1))
    return Scores(
        len(truth),
        measured(CLASSIFICATION, truth, probabilities),
        measured(CLASSIFICATION, truth, constant),
        "knowing only how frequent each class is",
    )
