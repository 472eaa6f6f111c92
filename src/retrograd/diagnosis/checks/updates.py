"""Checks of the learning rate: by how much a step moves the weights, and what the loss does."""

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

# The usual step is a thousandth of the weights (Karpathy's notes; SageMaker Debugger's
# WeightUpdateRatio; Bottou's advice for SGD). A run that moves them by less than a tenth altogether
# has left them what chance made them.
_TRAVEL = 0.1
_SLOW = 3e-4
_FAST = 0.03


def relative_updates(case: Case) -> np.ndarray:
    """|update| / |weight| of all matrices together that the optimizer holds, a number a step."""
    squares = np.zeros((2, len(case.steps)))
    for each in matrices(case):
        if each.weights.optimized and each.weights.trained:
            for row, name in enumerate(("update_norm", "weight_norm")):
                with np.errstate(over="ignore"):  # weights that have run away
                    squares[row] += np.nan_to_num(case.series(name, each.name)) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(squares[0] / squares[1])


@check("RG201", "RG202", reads=("record",))
def too_high(case: Case) -> Iterator[Finding]:
    """RG201 and RG202.

    RG201: the loss ends above its start, or is not finite, or went up to three times its start
    (Smith 2017's range test ends there). RG202: the weights are still moved by more than 3 % a step
    in the second half, thirty times the usual, or the loss jumps by a third from step to step at
    a level that it should have left. Notes, or nothing, where the run came out well.
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
    # Of three steps each the middle one: a single batch may have rows that cost much.
    middle = np.median(np.stack([finite[:-2], finite[1:-1], finite[2:]]), 0)
    thrown = float(middle.max(initial=-math.inf)) / max(start, 1e-12)
    lost = len(finite) < len(losses)
    rate = float(np.nanmedian(case.series("learning_rate")))
    numbers = {"learning_rate": rate, "update_ratio": late, "first_update_ratio": early}
    steps = (int(case.steps[0]), int(case.steps[-1]))
    # A mean over few rows follows single rows.
    worse = end > 1.5 * start and np.median(finite[-len(finite) // 4 :]) > 1.2 * start
    if (lost and (early > _FAST or thrown > 3)) or worse or (thrown > 3 and case.fared_badly):
        rose = len(finite) and finite.max() > start
        shape = f"rose from {start:.3g} to {finite.max():.3g}" if rose else "became infinite or NaN"
        moved = f"by {early:.1%} each" if math.isfinite(early) else "out of all range"
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
            f"{late:.1%} of their size, where a thousandth is usual.",
            steps=steps,
            numbers=numbers,
        )
    elif early > 0.2 and case.fared_badly:
        yield finding(
            "RG202",
            f"At a learning rate of {rate:g} the first steps moved the weights by {early:.0%} of "
            "their size, where a thousandth is usual.",
            steps=steps,
            numbers=numbers,
        )


@check("RG203", reads=("record",))
def too_low(case: Case) -> Iterator[Finding]:
    """RG203. All steps together moved the weights by less than a tenth of their size.

    Or by little each, with a run that came out badly and a loss that was still falling. A gradient
    that is nearly 0 is another matter: what makes it so is found by itself.
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
            f"size, and all {len(updates):,} steps together by at most {travel:.1%}.",
            severity=None if case.fared_badly else "note",
            steps=(int(case.steps[0]), int(case.steps[-1])),
            update_ratio=middle,
            travel=travel,
            learning_rate=rate,
        )


@check("RG204", "RG205", reads=("record",))
def per_layer(case: Case) -> Iterator[Finding]:
    """RG204 and RG205. Single layers that stand still, or that jump about, beside the others.

    A hundredth of the others' ratio and less than 1e-5; or a tenth of their size in the median
    step of the second half.
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
                f"A step moves {name} by {words}{abs(ratio):.1e} of its size; all layers together "
                f"by {middle:.1e}.",
                severity=severity,
                layers=[each[1] for each in sorted(found)],
                steps=steps,
                update_ratio=abs(ratio),
                overall=middle,
            )


def _is_falling(losses: np.ndarray) -> bool:
    """Whether the last quarter of the steps is lower than the one before."""
    quarter = max(1, len(losses) // 4)
    return bool(np.nanmean(losses[-quarter:]) < np.nanmean(losses[-2 * quarter : -quarter]))
