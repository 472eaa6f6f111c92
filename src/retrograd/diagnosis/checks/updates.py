"""Checks of the learning rate: how far a step moves the weights, and how the loss responds."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.checks.weights import matrices
from retrograd.diagnosis.finding import Finding, Severity
from retrograd.diagnosis.register import check

__all__ = ["relative_updates"]

# A usual step is a thousandth of the weights (Karpathy's notes; SageMaker Debugger's
# WeightUpdateRatio; Bottou's advice for SGD). A run that moves them by less than a tenth in total
# leaves them near their random initial values.
_TRAVEL = 0.1
# One that moves them by less than this cannot have thrown the loss up.
_STOOD = 0.01
_SLOW = 3e-4
_FAST = 0.03


def relative_updates(case: Case) -> np.ndarray:
    """|update| / |weight| over all optimized matrices together, one number per step."""
    squares = np.zeros((2, len(case.steps)))
    for each in matrices(case):
        if each.weights.optimized and each.weights.trained:
            for row, name in enumerate(("update_norm", "weight_norm")):
                with np.errstate(over="ignore"):  # weights that diverged
                    squares[row] += np.nan_to_num(case.series(name, each.name)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(squares[0] / squares[1])


@check("RG201", "RG202", reads=("record",))
def too_high(case: Case) -> Iterator[Finding]:
    """RG201 and RG202.

    RG201: the loss ends above its start, is not finite, or rises to three times its start (where
    Smith 2017 ends the range test). RG202: in the second half a step still moves the weights by
    more than 3 %, thirty times the usual, or the first steps moved them by more than 20 %; only if
    the run did badly.
    """
    losses = case.losses
    if len(losses) < 10:
        return
    updates = relative_updates(case)
    early = float(np.nanmedian(updates[:3])) if np.isfinite(updates[:3]).any() else math.nan
    late_updates = updates[len(updates) // 2 :]
    late = float(np.nanmedian(late_updates)) if np.isfinite(late_updates).any() else math.nan
    start = abs(float(losses[0]))
    finite = losses[np.isfinite(losses)]
    end = float(np.mean(finite[-max(1, len(finite) // 20) :])) if len(finite) else math.nan
    # The median of three successive steps: a single batch may have a few very costly rows.
    middle = np.median(np.stack([finite[:-2], finite[1:-1], finite[2:]]), 0)
    thrown = float(middle.max(initial=-math.inf)) / max(start, 1e-12)
    lost = len(finite) < len(losses)
    rate = float(np.nanmedian(case.series("learning_rate")))
    numbers = {"learning_rate": rate, "update_ratio": late, "first_update_ratio": early}
    steps = (int(case.steps[0]), int(case.steps[-1]))
    # A mean over few rows follows single rows.
    worse = end > 1.5 * start and np.median(finite[-len(finite) // 4 :]) > 1.2 * start
    # The loss of a generator rises as its adversary learns; then no step is large.
    worse = worse and not (case.lacks_answers and max(early, late) < _FAST)
    # Of weights that hardly moved, the loss follows the batches.
    stood = np.isfinite(updates).any() and np.nansum(updates) < _STOOD
    if stood and not lost:
        return
    if (lost and (early > _FAST or thrown > 3)) or worse or (thrown > 3 and case.fared_badly):
        rose = len(finite) and finite.max() > start
        shape = f"rose from {start:.3g} to {finite.max():.3g}" if rose else "became infinite or NaN"
        moved = f"by {early:.1%} each" if math.isfinite(early) else "beyond any finite value"
        yield finding(
            "RG201",
            f"At a learning rate of {rate:g} the loss {shape}; the first steps moved the weights "
            f"{moved}.",
            steps=steps,
            largest=thrown * start,
            numbers=numbers,
        )
    elif late > _FAST and case.fared_badly:
        yield finding(
            "RG202",
            f"At a learning rate of {rate:g} each step of the second half moved the weights by "
            f"{late:.1%} of their size; a thousandth is usual.",
            steps=steps,
            numbers=numbers,
        )
    elif early > 0.2 and case.fared_badly:
        yield finding(
            "RG202",
            f"At a learning rate of {rate:g} the first steps moved the weights by {early:.0%} of "
            "their size; a thousandth is usual.",
            steps=steps,
            numbers=numbers,
        )


@check("RG203", reads=("record",))
def too_low(case: Case) -> Iterator[Finding]:
    """RG203. All steps together moved the weights by less than a tenth of their size.

    Or each step moved them very little, the run did badly and the loss was still falling. Other
    checks report gradients that are nearly 0.
    """
    updates = relative_updates(case)
    updates = updates[np.isfinite(updates)]
    if len(updates) < 10:
        return
    travel, middle = float(updates.sum()), float(np.median(updates))
    rate = float(np.nanmedian(case.series("learning_rate")))
    if (travel < _TRAVEL and middle < _SLOW) or (
        middle < _SLOW and travel < 10 * _TRAVEL and case.fared_badly and _is_falling(case.losses)
    ):
        yield finding(
            "RG203",
            f"At a learning rate of {rate:g} a step moves the weights by {middle:.1e} of their "
            f"size, and all {len(updates):,} steps together move them by at most {travel:.1%}.",
            severity=None if case.fared_badly else "note",
            steps=(int(case.steps[0]), int(case.steps[-1])),
            update_ratio=middle,
            travel=travel,
            learning_rate=rate,
        )


@check("RG204", "RG205", reads=("record",))
def per_layer(case: Case) -> Iterator[Finding]:
    """RG204 and RG205. Single layers move far too little, or far too much.

    In the median step of the second half: an update below 1e-5 of the weights and a hundredth of
    the overall ratio; or an update above a tenth of the weights.
    """
    still, thrown = [], []
    half = len(case.steps) // 2
    overall = relative_updates(case)[half:]
    overall = overall[np.isfinite(overall)]
    if half < 5 or not len(overall):
        return
    middle = float(np.median(overall))
    for each in matrices(case):
        if not (each.weights.optimized and each.weights.trained):
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = case.series("update_norm", each.name) / case.series("weight_norm", each.name)
        ratios = ratios[half:][np.isfinite(ratios[half:])]
        ratio = float(np.median(ratios)) if len(ratios) else math.nan
        if ratio < 1e-5 and ratio < middle / 100:
            still.append((ratio, each.name))
        if ratio > 0.1:
            thrown.append((-ratio, each.name))
    steps = (int(case.steps[half]), int(case.steps[-1]))
    severity: Severity | None = None if case.fared_badly else "note"
    for code, found, words in (("RG204", still, "only "), ("RG205", thrown, "")):
        if found:
            ratio, name = min(found)
            yield finding(
                code,
                f"A step moves {name} by {words}{abs(ratio):.1e} of its size; the ratio for all "
                f"layers together is {middle:.1e}.",
                severity=severity,
                layers=[each[1] for each in sorted(found)],
                steps=steps,
                update_ratio=abs(ratio),
                overall=middle,
            )


def _is_falling(losses: np.ndarray) -> bool:
    """Whether the mean loss of the last quarter of the steps is below that of the one before."""
    quarter = len(losses) // 4
    return bool(np.nanmean(losses[-quarter:]) < np.nanmean(losses[-2 * quarter : -quarter]))
