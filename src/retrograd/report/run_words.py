"""The sentences of a run's report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrograd.data.words import count
from retrograd.report.figures import figure, percent
from retrograd.train.history import Epoch, Verdict
from retrograd.train.scores import Scores

__all__ = ["Metric", "metrics", "stop_sentence", "verdict"]

# What each figure is called, what it says, and whether more of it is better.
_MEANINGS = {
    "r2": ("R²", "share of the variance that is explained; 1 is perfect", True),
    "rmse": ("RMSE", "root mean squared error, in the target's units", False),
    "mae": ("MAE", "mean absolute error, in the target's units", False),
    "accuracy": ("Accuracy", "share of the rows whose class is right", True),
    "log_loss": ("Log loss", "mean of −log of the true class's probability", False),
    "roc_auc": ("ROC AUC", "how well the classes are told apart; 0.5 is chance", True),
}


@dataclass(frozen=True)
class Metric:
    """One figure of merit beside the baseline's."""

    key: str
    name: str
    meaning: str
    value: float
    baseline: float
    is_more_better: bool

    @property
    def is_better(self) -> bool:
        """Whether the model beats the baseline here."""
        return self.value != self.baseline and (self.value > self.baseline) == self.is_more_better


def metrics(scores: Scores) -> list[Metric]:
    """The figures of merit that `scores` has, each with its name and meaning."""
    return [
        Metric(key, name, meaning, scores.metrics[key], scores.baseline[key], is_more_better)
        for key, (name, meaning, is_more_better) in _MEANINGS.items()
        if key in scores.metrics
    ]


def verdict(target: str, found: Sequence[Metric], rows: int) -> str:
    """Whether the model learned something, in one or two sentences."""
    better = sum(metric.is_better for metric in found)
    known = {metric.key: metric for metric in found}
    where = f"on {count(rows, 'row')} held out from training"
    if "mae" in known:
        model, base = known["mae"].value, known["mae"].baseline
        size = f"is off by {figure(model)} on average"
        if "r2" in known and known["r2"].value > 0:
            size += f" and explains {percent(known['r2'].value)} of the variance"
        beside = f"always answering the mean of the training rows is off by {figure(base)}"
    else:
        model, base = known["accuracy"].value, known["accuracy"].baseline
        size = f"gives the right class to {percent(model)} of the rows"
        beside = f"always answering the most frequent class is right for {percent(base)}"
    facts = f"Predicting {target}, it {size}, {where}; {beside}."
    if better == len(found):
        return f"The model beats the baseline in every figure. {facts}"
    if better:
        worse = ", ".join(metric.name for metric in found if not metric.is_better)
        return f"The model beats the baseline in some figures, but not in {worse}. {facts}"
    return f"The model is no better than the baseline: it learned nothing that helps. {facts}"


def stop_sentence(epochs: Sequence[Epoch], reason: Verdict | None) -> str:
    """Why training stopped, and which weights were kept."""
    if not epochs:
        return "Training ended before its first epoch was over."
    last = epochs[-1]
    best = min(epochs, key=lambda epoch: epoch.valid_loss)
    after = f"after {count(last.epoch, 'epoch')} ({figure(last.seconds, 2)} seconds)"
    why = {
        Verdict.CONVERGED: f"Training converged {after}: the validation loss no longer fell.",
        Verdict.OUT_OF_EPOCHS: f"Training used up its epochs and stopped {after}.",
        Verdict.OUT_OF_TIME: f"Training used up its time and stopped {after}.",
        Verdict.INTERRUPTED: f"Training was interrupted {after}.",
        None: f"Training had not ended {after}.",
    }[reason]
    kept = f" The weights kept are those of epoch {best.epoch}, the best on the rows held out."
    if reason in (Verdict.OUT_OF_EPOCHS, Verdict.OUT_OF_TIME) and best is last:
        kept += " That was the last epoch, so more training may help."
    return why + kept
