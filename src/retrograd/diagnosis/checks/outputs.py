"""Checks of the loss and the output layer: are right answers possible, and do they cost least?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case, codes
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.probes.loss import LossProbe, right_outputs
from retrograd.diagnosis.register import check

Array = np.ndarray[Any, Any]

_ROWS = 64

# The range of each operation's values.
_RANGES: dict[str, tuple[float, float]] = {
    "relu": (0.0, math.inf),
    "softplus": (0.0, math.inf),
    "exp": (0.0, math.inf),
    "sigmoid": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "softmax": (0.0, 1.0),
    "log_softmax": (-math.inf, 0.0),
}


def _batch(case: Case) -> tuple[LossProbe, Array, Array] | None:
    """The loss on some rows, their outputs, and their target."""
    if case.loss is None or case.sample is None or case.outputs is None or not case.outputs.ndim:
        return None
    target = case.sample.target
    if target.dtype.kind == "f" and not np.isfinite(target).all():
        return None
    picked = np.random.default_rng(0).permutation(len(case.sample))[:_ROWS]
    return LossProbe(case.loss, target[picked]), case.outputs[picked], target[picked]


def _domain(case: Case, outputs: Array) -> str:
    """What the outputs look like: "scores", "probabilities" or "log-probabilities"."""
    if case.last_operation in ("softmax", "sigmoid"):
        return "probabilities"
    if outputs.ndim > 1 and outputs.shape[1] > 1 and np.isfinite(outputs).all():
        flat = outputs.reshape(len(outputs), outputs.shape[1], -1)[:, :, 0]
        if flat.min() >= 0 and np.allclose(flat.sum(1), 1, atol=1e-3):
            return "probabilities"
        if flat.max() <= 0 and np.allclose(np.exp(flat).sum(1), 1, atol=1e-3):
            return "log-probabilities"
    return "scores"


@check("RG404", reads=("numbers", "outputs"))
def range_of_numbers(case: Case, numbers: Array) -> Iterator[Finding]:
    """RG404. At least 2 % of the targets lie outside the range of the last operation.

    TheDeepChecker (Ben Braiek & Khomh 2023) checks output ranges too.
    """
    low, high = _RANGES.get(case.last_operation, (-math.inf, math.inf))
    y = numbers[np.isfinite(numbers)]
    outside = float(np.mean((y < low - 1e-6) | (y > high + 1e-6))) if len(y) else 0.0
    if outside >= 0.02:
        yield finding(
            "RG404",
            f"The model ends in {case.last_operation}, whose values range from {low:g} to "
            f"{high:g}; {outside:.0%} of the targets, which range from {y.min():.4g} to "
            f"{y.max():.4g}, lie outside.",
            outside=outside,
            lowest=y.min(),
            highest=y.max(),
        )


@check("RG404", reads=("labels", "outputs"))
def range_of_classes(case: Case, outputs: Array) -> Iterator[Finding]:
    """RG404. Fewer outputs than classes; a softmax over a single output, which is always 1; or a
    ReLU on scores, whose slope is 0 wherever they are negative.
    """
    last, columns = case.last_operation, _width(outputs)
    if last == "softmax" and columns == 1:
        yield finding(
            "RG404", "The model ends in a softmax over a single output, which is always 1."
        )
    elif 1 < columns < case.classes:
        yield finding(
            "RG404",
            f"The model has {columns} outputs for {case.classes} classes.",
            outputs=columns,
            classes=case.classes,
        )
    elif last in ("relu", "tanh") and columns > 1:
        low, high = _RANGES[last]
        yield finding(
            "RG404",
            f"The model ends in {last}, so its scores range only from {low:g} to {high:g}.",
            severity="warning",
        )


def _width(outputs: Array) -> int:
    return outputs.shape[1] if outputs.ndim > 1 else 1


@check("RG401", "RG407", reads=("numbers", "outputs", "loss"))
def loss_of_numbers(case: Case) -> Iterator[Finding]:
    """RG401 and RG407, for regression: the loss must be lowest where the output is the target.

    The check compares the loss at the targets with the loss at outputs that are off by up to a few
    standard deviations. If every such output costs less, the sign is wrong; if only some do, the
    loss is not a regression loss. Counts and shares are skipped, since they may be fitted on a
    scale of their own (Poisson, logistic).
    """
    batch = _batch(case)
    if batch is None:
        return
    probe, outputs, target = batch
    y = np.asarray(target, np.float64)
    if outputs.size != y.size:
        return
    if (y >= 0).all() and ((y == np.round(y)).all() or (y <= 1).all()):
        return
    right = y.reshape(outputs.shape)
    spread = max(float(y.std()), 1e-6)
    at = probe.value(right)
    rng = np.random.default_rng(1)
    moves = [m * spread for m in (-3.0, -1.0, 1.0, 3.0)]
    moved = [probe.value(right + m) for m in moves]
    mixed = [probe.value(right + rng.normal(0, s * spread, right.shape)) for s in (1.0, 3.0)]
    values = np.array([*moved, *mixed])
    if not math.isfinite(at) or not np.isfinite(values).any():
        return
    tolerance = 1e-6 * max(abs(at), float(np.nanmax(np.abs(values))))
    better = values < at - tolerance
    if better.all():
        yield finding(
            "RG407",
            f"Outputs equal to the targets have a loss of {at:.4g}, and outputs that are off have "
            f"a lower one, down to {np.nanmin(values):.4g}.",
            right=at,
            wrong=np.nanmin(values),
        )
    elif better[:4].any():
        where = moves[int(np.nanargmin(values[:4]))]
        yield finding(
            "RG401",
            f"Outputs equal to the targets have a loss of {at:.4g}, and outputs that are off by "
            f"{where:.3g} have a lower one, {np.nanmin(values[:4]):.4g}: this is not a regression "
            "loss.",
            severity="error",
            right=at,
            wrong=np.nanmin(values[:4]),
        )


@check("RG401", "RG402", "RG403", "RG407", reads=("labels", "outputs", "loss"))
def loss_of_classes(case: Case) -> Iterator[Finding]:
    """RG401, RG402, RG403 and RG407, for classification.

    The check tries confident, right outputs in the model's own domain. They must cost less than
    wrong ones (else RG407), and almost nothing: a remaining cost means that probabilities go
    through a softmax or sigmoid a second time (RG403; with c classes the floor is
    ln(1 + (c - 1) / e)). If the loss of scores is NaN, or decreases without bound as all of them
    grow, the softmax is missing (RG402). A squared or absolute error, or a logistic loss for each
    class separately, is not a classification loss (RG401; Goodfellow et al. 2016, 6.2.2).
    """
    batch = _batch(case)
    if batch is None:
        return
    probe, outputs, target = batch
    columns, classes = _width(outputs), codes(target)
    if columns > 1 and (outputs.ndim > 2 or classes.max() >= columns):
        return
    domain = _domain(case, outputs)
    right = right_outputs(classes, columns, domain).reshape(outputs.shape)
    wrong = right_outputs((classes + 1) % max(columns, 2), columns, domain).reshape(outputs.shape)
    good, bad = probe.value(right), probe.value(wrong)
    regression = _regression_formula(probe, classes, columns, outputs.shape)
    if regression:
        yield finding("RG401", f"The loss is the {regression} between {domain} and classes.")
    elif domain == "scores" and (missing := _lacks_softmax(probe, outputs, classes, good, columns)):
        yield finding("RG402", missing, right=good, wrong=bad)
    elif math.isfinite(good) and math.isfinite(bad) and bad < good - 1e-6 * abs(good):
        yield finding(
            "RG407",
            f"Confident, right answers have a loss of {good:.4g}, confident, wrong ones {bad:.4g}.",
            right=good,
            wrong=bad,
        )
    elif domain != "scores" and math.isfinite(good):
        even = _even(probe, outputs.shape, domain)
        # Log-probabilities may be passed as scores: log_softmax leaves them unchanged.
        if domain == "probabilities" and good > 0.1 * even:
            yield finding(
                "RG403",
                f"Even confident, right answers have a loss of {good:.4g}; a uniform answer has "
                f"{even:.4g}. The model outputs probabilities, but the loss expects logits.",
                floor=good,
                even=even,
            )


def _even(probe: LossProbe, shape: tuple[int, ...], domain: str) -> float:
    """The loss of the uniform answer."""
    p = 1 / max(shape[1] if len(shape) > 1 else 1, 2)
    even = np.full(shape, p if domain == "probabilities" else math.log(p))
    return abs(probe.value(even))


def _lacks_softmax(
    probe: LossProbe, outputs: Array, classes: Array, good: float, columns: int
) -> str | None:
    # The logarithm of a negative number is NaN. A loss that clips scores at 0 before the logarithm
    # is infinite instead, which is another fault.
    below = right_outputs(classes, columns, "scores") * -0.1
    if math.isnan(probe.value(below.reshape(outputs.shape))):
        return "The loss of negative outputs is NaN: it expects probabilities, not logits."
    scores = np.zeros(outputs.shape)
    scores += np.random.default_rng(0).normal(0.0, 2.0, outputs.shape)
    at, raised = probe.value(scores), probe.value(scores + 3.0)
    negative = good < -1.0 and math.isfinite(good)
    if columns > 1 and negative and raised < at - 1.0:
        return (
            f"The loss decreases without bound as the outputs grow: raising all of them by 3 takes "
            f"it from {at:.4g} to {raised:.4g}. It expects log-probabilities."
        )
    return None


def _squared(outputs: Array, answer: Array) -> float:
    return float(((outputs - answer) ** 2).mean())


def _absolute(outputs: Array, answer: Array) -> float:
    return float(np.abs(outputs - answer).mean())


def _logistic(outputs: Array, answer: Array) -> float:
    return float((np.logaddexp(0, outputs) - answer * outputs).mean())


def _regression_formula(
    probe: LossProbe, classes: Array, columns: int, shape: tuple[int, ...]
) -> str | None:
    """The name of the loss if it is a regression loss, or treats each class separately."""
    if columns == 1:
        answer = classes.astype(np.float64).reshape(shape)
    else:
        answer = (classes[:, None] == np.arange(columns)).astype(np.float64)
    if probe.follows(_squared, answer, shape):
        return "squared error"
    if probe.follows(_absolute, answer, shape):
        return "absolute error"
    if columns > 2 and probe.follows(_logistic, answer, shape):
        return "logistic loss, class by class,"
    # The class codes, compared with one of several outputs.
    numbers = classes.astype(np.float64)
    for column in range(columns if columns > 1 else 0):
        for formula in (_squared, _absolute):
            if probe.follows(formula, numbers, shape, column):
                return "squared error" if formula is _squared else "absolute error"
    return None


@check("RG406", reads=("task", "outputs", "loss"))
def first_loss(case: Case) -> Iterator[Finding]:
    """RG406. The initial loss is at least three times that of an uninformed answer.

    The uninformed answer is uniform over the classes, with cross-entropy ln c (Karpathy's recipe,
    "verify loss at init"), or the target's mean. Judged before a run, or by a run's first step.
    """
    batch = _batch(case)
    if batch is None:
        return
    probe, outputs, target = batch
    if case.task == "classification":
        domain = _domain(case, outputs)
        even = (
            _even(probe, outputs.shape, domain)
            if domain != "scores"
            else abs(probe.value(np.zeros(outputs.shape)))
        )
    else:
        if outputs.size != target.size:
            return
        even = probe.value(np.full(outputs.shape, float(np.asarray(target).mean())))
    first = float(case.losses[0]) if case.has_run else probe.value(outputs)
    if math.isfinite(first) and math.isfinite(even) and even > 1e-6 and first > 3 * even:
        is_grave = case.fared_badly or (first > 10 * even and not case.has_run)
        yield finding(
            "RG406",
            f"The initial loss is {first:.4g}; an uninformed answer has {even:.4g}.",
            severity=None if is_grave else "note",
            first=first,
            expected=even,
        )
