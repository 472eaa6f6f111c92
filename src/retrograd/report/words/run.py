"""The sentences of a run's report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from retrograd.diagnosis.finding import SEVERITIES, Finding
from retrograd.report.words.figures import duration, figure, percent
from retrograd.store.names import TEST, VALIDATION
from retrograd.training.history import Epoch, Verdict
from retrograd.training.metrics import METRICS, Metric
from retrograd.training.scores import Scores
from retrograd.wording import count, listed

__all__ = [
    "ROWS",
    "Compared",
    "compared",
    "found_sentence",
    "progress",
    "stop_sentence",
    "verdict",
]

ROWS = {VALIDATION: "held out to stop by", TEST: "never seen in training"}
"""Which rows a figure is of, by the part of the data."""


@dataclass(frozen=True)
class Compared:
    """One metric of the model and of the baseline."""

    metric: Metric
    value: float
    baseline: float

    @property
    def is_better(self) -> bool:
        """Whether the model beats the baseline in this metric."""
        return self.metric.is_better(self.value, self.baseline)


def compared(scores: Scores) -> list[Compared]:
    """The metrics in `scores`, for the model and the baseline."""
    return [
        Compared(metric, scores.metrics[key], scores.baseline[key])
        for key, metric in METRICS.items()
        if key in scores.metrics
    ]


def verdict(
    target: str,
    found: Sequence[Compared],
    rows: int,
    part: str,
    baseline_does: str,
    *,
    by_chance: bool = False,
) -> str:
    """Whether the model learned something, in one or two sentences.

    The rows are those of a `part` of the data. `by_chance`: the improvement may be chance (RG504).
    """
    better = sum(each.is_better for each in found)
    known = {each.metric.key: each for each in found}
    where = f"on {count(rows, 'row')} {ROWS[part]}"
    if "mae" in known:
        model, base = known["mae"].value, known["mae"].baseline
        size = f"is off by {figure(model)} on average"
        if "r2" in known and known["r2"].value > 0:
            size += f" and explains {percent(known['r2'].value)} of the variance"
        beside = f"is off by {figure(base)}"
    elif "accuracy" in known:
        model, base = known["accuracy"].value, known["accuracy"].baseline
        size = f"predicts the right class for {percent(model)} of the rows"
        beside = f"is right for {percent(base)}"
    else:
        first = found[0]
        size = f"reaches a {first.metric.name} of {figure(first.value)}"
        beside = f"reaches {figure(first.baseline)}"
    facts = f"Predicting {target}, it {size}, {where}; the baseline, {baseline_does}, {beside}."
    if better and by_chance:
        return f"The model beats the baseline by no more than chance could explain. {facts}"
    if better == len(found):
        return f"The model beats the baseline in every metric. {facts}"
    if better:
        worse = ", ".join(each.metric.name for each in found if not each.is_better)
        return f"The model beats the baseline in some metrics, but not in {worse}. {facts}"
    return f"The model is no better than the baseline: it learned nothing useful. {facts}"


def progress(
    epochs: Sequence[Epoch], most: int | None, silent_since: datetime | None = None
) -> str:
    """The progress of a run that is training, or that may have died, being silent for long."""
    of = f" of at most {most:,}" if most else ""
    if silent_since is not None:
        where = (
            f"after epoch {epochs[-1].epoch:,}{of}" if epochs else "before its first epoch ended"
        )
        sentence = (
            f"The training has written nothing since {silent_since:%Y-%m-%d %H:%M:%S}, {where}: it "
            "was killed, or this epoch is unusually slow"
        )
    elif not epochs:
        return "Training has begun."
    else:
        last = epochs[-1]
        sentence = (
            f"Training: epoch {last.epoch:,}{of}, validation loss {figure(last.validation_loss)}"
        )
    if not epochs:
        return f"{sentence}."
    best = min(epochs, key=lambda epoch: epoch.validation_loss)
    if best is epochs[-1] and silent_since is None:
        return f"{sentence}, the best so far."
    return (
        f"{sentence}; the best so far is {figure(best.validation_loss)}, in epoch {best.epoch:,}."
    )


def found_sentence(findings: Sequence[Finding]) -> str:
    """The number of findings, the most severe first, and the name of the first one."""
    counts = Counter(each.severity for each in findings)
    if not findings:
        return "The checks found nothing wrong with the training."
    parts = listed([count(counts[each], each) for each in SEVERITIES if counts[each]])
    return f"The checks found {parts}, first of all: {findings[0].name} ({findings[0].code})."


def stop_sentence(
    epochs: Sequence[Epoch], reason: Verdict | None, kept: int | None, *, is_sound: bool = True
) -> str:
    """Why training stopped, and which epoch's weights were `kept`, if any.

    `is_sound`: the checks found nothing that more training could not fix.
    """
    if not epochs:
        if reason is None:
            return "Training has not completed its first epoch."
        return "Training ended before its first epoch was over."
    last = epochs[-1]
    after = f"after {count(last.epoch, 'epoch')} ({duration(last.seconds)})"
    why = {
        Verdict.CONVERGED: f"Training converged {after}: the validation loss stopped falling.",
        Verdict.OUT_OF_EPOCHS: f"Training used up its epochs and stopped {after}.",
        Verdict.OUT_OF_TIME: f"Training used up its time and stopped {after}.",
        Verdict.INTERRUPTED: f"Training was interrupted {after}.",
        None: f"Training had not ended {after}.",
    }[reason]
    sentence = f"{why} {_kept_sentence(epochs, kept)}"
    is_last_kept = kept is not None and kept == last.epoch
    if is_sound and is_last_kept and reason in (Verdict.OUT_OF_EPOCHS, Verdict.OUT_OF_TIME):
        sentence += " That was the last epoch, so more training may help."
    return sentence


def _kept_sentence(epochs: Sequence[Epoch], kept: int | None) -> str:
    best = min(epochs, key=lambda epoch: epoch.validation_loss)
    if kept is None:
        return "No weights were kept."
    sentence = f"The weights kept are those of epoch {kept}"
    if kept != best.epoch:
        return (
            f"{sentence}, the best on the validation rows that was saved; epoch {best.epoch} was "
            "better, but was lost."
        )
    return f"{sentence}, the best on the validation rows."
