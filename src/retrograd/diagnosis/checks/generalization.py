"""Checks of the performance: on training rows, on validation rows, and against simple models."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.outcome.performance import Performance
from retrograd.diagnosis.register import check


@check("RG501", reads=("record",))
def overfitting(case: Case) -> Iterator[Finding]:
    """RG501. The validation loss rose from its minimum by more than a quarter of its earlier fall,
    while the training loss is less than half of it; or a simple model does better on the validation
    rows, while the network's training error is lower than that; or a classifier makes hardly an
    error on the training rows, and on the validation rows more than a third of those of the most
    frequent answer.

    Prechelt 1998 ("Early stopping - but when?") measures the same rise; many good runs have a
    smaller one. A note if the best weights were restored.
    """
    valid, trained = case.epoch_losses("validation_loss"), case.epoch_losses("train_loss")
    rise = gap = math.nan
    if len(valid) >= 3 and np.isfinite(valid).all() and np.isfinite(trained).all():
        least = float(valid.min())
        gained = max(float(valid[0]) - least, 0.1 * abs(least), 1e-12)
        rise = (float(valid[-1]) - least) / gained
        gap = float(valid[-1]) / max(abs(float(trained[-1])), 1e-12)
    by_curve = rise > 0.25 and gap > 2
    performance = case.performance
    by_score = performance is not None and performance.valid is not None and _memorizes(performance)
    if by_curve or by_score:
        text = (
            f"The validation loss rose from {valid.min():.4g} in epoch {int(valid.argmin()) + 1} "
            f"to {valid[-1]:.4g}, while the training loss fell to {trained[-1]:.4g}."
            if by_curve or performance is None
            else f"{_figure(performance)} is {_shown(performance, performance.train_error)} on the "
            f"training rows and {_shown(performance, performance.valid_error)} on the validation "
            "rows."
        )
        mild = case.restores_best and not by_score
        yield finding(
            "RG501",
            text,
            severity="note" if mild else None,
            rise=rise,
            train_error=math.nan if performance is None else performance.train_error,
            valid_error=math.nan if performance is None else performance.valid_error,
        )


def _memorizes(performance: Performance) -> bool:
    """Whether the network does well on its own rows, and badly on those held out.

    Numbers may be noisy; then no model does better on rows that it has not seen.
    """
    own, held_out = performance.train_error, performance.valid_error
    if performance.is_poor:
        return own < 0.5 * held_out and own < performance.simple.best
    is_number = performance.answers.kind == "numbers"
    return not is_number and own < 0.1 * held_out and held_out > 0.35 * performance.simple.constant


@check("RG502", reads=("record",))
def overtraining(case: Case) -> Iterator[Finding]:
    """RG502. The best epoch is in the first half, and a tenth of the gain was lost again.

    Bengio 2012 (3.3.1) stops where the validation error no longer falls. A milder rise is a note.
    """
    valid = case.epoch_losses("validation_loss")
    if len(valid) < 6 or not np.isfinite(valid).all():
        return
    best = int(valid.argmin())
    gained = max(float(valid[0] - valid.min()), 0.1 * abs(float(valid.min())), 1e-12)
    lost = float(np.median(valid[-3:]) - valid.min()) / gained
    if best < len(valid) / 2 and lost > 0.1:
        yield finding(
            "RG502",
            f"The validation loss was best in epoch {best + 1} of {len(valid)}, {valid.min():.4g}; "
            f"it ends at {valid[-1]:.4g}.",
            severity="note" if case.restores_best or lost < 0.25 else None,
            best_epoch=best + 1,
            epochs=len(valid),
            lost=lost,
        )


@check("RG503", reads=("record", "performance"))
def underfitting(case: Case, performance: Performance) -> Iterator[Finding]:
    """RG503. Ridge regression or nearest neighbors answer other rows better than the network does
    its own training rows.

    If a simple model can do better, the data is not to blame.
    """
    simple = performance.simple
    if not performance.is_poor or not math.isfinite(performance.train_error):
        return
    if performance.train_error >= simple.best:
        is_linear = simple.linear <= simple.neighbors
        name = "ridge regression" if is_linear else "nearest neighbors"
        valid = (
            ""
            if performance.valid is None
            else f" and {_shown(performance, performance.valid_error)} on the validation rows"
        )
        yield finding(
            "RG503",
            f"{_figure(performance)} is {_shown(performance, performance.train_error)} on the "
            f"training rows{valid}; with {name} it is {_shown(performance, simple.best)} on "
            f"{_others(performance)}.",
            train_error=performance.train_error,
            valid_error=performance.valid_error,
            simple=simple.best,
        )


@check("RG504", reads=("record", "performance"))
def baseline(case: Case, performance: Performance) -> Iterator[Finding]:
    """RG504. The network is not better than the most frequent class or the mean, within two
    standard errors: on the validation rows, or without them on the training rows.

    DeepLocalize and this project's scores use the same baseline. A warning if simple models do no
    better either.
    """
    error, simple = performance.judged_error, performance.simple
    if not math.isfinite(error) or performance.learned:
        return
    margin = performance.margin(simple.constant)
    is_number = performance.answers.kind == "numbers"
    finds = simple.best < simple.constant - margin
    answer = "the mean" if is_number else "the most frequent class"
    chance = f" (or by chance {_shown(performance, simple.constant - margin)})"
    other = (
        f", a simple model {_shown(performance, simple.best)}" if simple.linear < math.inf else ""
    )
    rows = "training" if performance.valid is None else "validation"
    yield finding(
        "RG504",
        f"{_figure(performance)} on the {rows} rows is {_shown(performance, error)}; always "
        f"answering {answer} gives {_shown(performance, simple.constant)}"
        f"{'' if is_number else chance}{other}.",
        severity="error" if finds else "warning",
        valid_error=error,
        constant=simple.constant,
        simple=simple.best,
    )


def _others(performance: Performance) -> str:
    """The rows that simple models are judged on."""
    return "rows that it has not seen" if performance.valid is None else "the validation rows"


def _figure(performance: Performance) -> str:
    """The name of the number that `_shown` prints."""
    if performance.answers.kind == "numbers":
        return "The share of unexplained variance"
    return "The area under the ROC curve" if performance.is_unbalanced else "The error rate"


def _shown(performance: Performance, error: float) -> str:
    return f"{1 - error if performance.is_unbalanced else error:.3g}"
