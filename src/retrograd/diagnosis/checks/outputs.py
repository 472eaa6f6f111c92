"""Checks of the loss and the output layer: are right answers possible, and do they cost least?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.probes.answers import Answers, Domain, domain_of
from retrograd.diagnosis.probes.loss import LossProbe
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


class _Batch(NamedTuple):
    """Some rows: the loss for their target, their outputs, and how these answer the target."""

    probe: LossProbe
    outputs: Array
    target: Array
    answers: Answers
    domain: Domain

    def sure(self, truth: Array, domain: Domain | None = None) -> float:
        """The loss of confident answers."""
        return self.probe.value(self.answers.sure(truth, self.outputs.shape, domain or self.domain))

    def even(self) -> float:
        """The loss of an answer that prefers no class."""
        columns = self.outputs.shape[self.answers.axis] if self.answers.kind == "classes" else 2
        value = {"probabilities": 1 / columns, "log-probabilities": -math.log(columns)}
        return abs(self.probe.value(np.full(self.outputs.shape, value.get(self.domain, 0.0))))


def _batch(case: Case) -> _Batch | None:
    """Some rows whose target the outputs answer; None if the loss cannot be tried on any."""
    if case.loss is None or case.sample is None or case.outputs is None or case.answers is None:
        return None
    target = case.sample.target
    if target.dtype.kind == "f" and not np.isfinite(target).all():
        return None
    picked = np.random.default_rng(0).permutation(len(case.sample))[:_ROWS]
    outputs = case.outputs[picked]
    axis = case.answers.axis if case.answers.kind == "classes" else 1
    return _Batch(
        LossProbe(case.loss, target[picked]),
        outputs,
        target[picked],
        case.answers,
        domain_of(outputs, case.last_operation, axis),
    )


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


@check("RG404", reads=("answers", "outputs", "sample"))
def range_of_classes(
    case: Case, answers: Answers, outputs: Array, sample: Data
) -> Iterator[Finding]:
    """RG404. Fewer outputs than classes; a softmax over a single output, which is always 1, or over
    labels of which several may be right; or a ReLU on scores, whose slope is 0 where they are
    negative. A single output that a squared error compares with codes is RG401's.
    """
    last, target = case.last_operation, np.asarray(sample.target)
    if answers.kind == "yes or no":
        labels = answers.truth(target).sum(1)
        columns = outputs.shape[1] if outputs.ndim > 1 else 1
        codes = np.unique(target)
        if last == "softmax" and columns == 1:
            yield finding(
                "RG404", "The model ends in a softmax over a single output, which is always 1."
            )
        elif len(codes) > 2 and not ((batch := _batch(case)) and _regression_formula(batch)):
            yield finding(
                "RG404",
                f"The model has a single output for {len(codes)} classes, "
                f"{codes[0]:g} to {codes[-1]:g}.",
                outputs=1,
                classes=len(codes),
            )
        elif last in ("softmax", "log_softmax") and float(np.mean(labels != 1)) > 0.02:
            yield finding(
                "RG404",
                f"The model ends in a softmax, whose values sum to 1, but "
                f"{np.mean(labels != 1):.0%} of the rows have no label or several, up to "
                f"{labels.max()}.",
                labels=labels.max(),
            )
    elif answers.kind == "classes":
        columns, most = outputs.shape[answers.axis], int(answers.truth(target).max(initial=0))
        if most >= columns:
            yield finding(
                "RG404",
                f"The model has {columns} outputs for {most + 1} classes.",
                outputs=columns,
                classes=most + 1,
            )
        elif last in ("relu", "tanh"):
            low, high = _RANGES[last]
            yield finding(
                "RG404",
                f"The model ends in {last}, so its scores range only from {low:g} to {high:g}.",
                severity="warning",
            )


@check("RG401", "RG407", reads=("numbers", "outputs", "loss"))
def loss_of_numbers(case: Case) -> Iterator[Finding]:
    """RG401 and RG407, for regression: the loss must be lowest where the output is the target.

    The check compares the loss at the targets with the loss at outputs that are off by up to a few
    standard deviations. If every such output costs less, the sign is wrong; if only some do, the
    loss is not a regression loss. Counts and shares are skipped, since they may be fitted on a
    scale of their own (Poisson, logistic).
    """
    batch = _batch(case)
    if batch is None or batch.answers.kind != "numbers":
        return
    probe, outputs, target = batch.probe, batch.outputs, batch.target
    y = np.asarray(target, np.float64)
    if batch.answers.link == "softmax":
        yield from _loss_of_shares(probe, y)
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


def _loss_of_shares(probe: LossProbe, shares: Array) -> Iterator[Finding]:
    """A proper loss (Gneiting & Raftery 2007) is least where the softmax gives the shares."""
    right = np.log(np.clip(shares, 1e-6, 1))
    at, surer = probe.value(right), probe.value(3 * right)
    if math.isfinite(at) and surer < at - 1e-3 * abs(at):
        yield finding(
            "RG401",
            f"The right shares have a loss of {at:.4g}, and answers that are surer than these have "
            f"{surer:.4g}: the loss expects logarithms of probabilities.",
            severity="error",
            right=at,
            wrong=surer,
        )


@check("RG401", "RG402", "RG403", "RG407", reads=("answers", "loss"))
def loss_of_classes(case: Case) -> Iterator[Finding]:
    """RG401, RG402, RG403 and RG407, for classification.

    The check tries confident, right answers in the model's own domain. They must cost less than
    wrong ones (else RG407), and almost nothing: a remaining cost means that probabilities go
    through a softmax or sigmoid a second time (RG403; with c classes the floor is
    ln(1 + (c - 1) / e)). If the loss of scores is NaN, decreases without bound as all of them grow,
    or is right about probabilities and wrong about scores, the softmax is missing (RG402). A
    squared or absolute error, or a logistic loss for each class separately, is not a classification
    loss (RG401; Goodfellow et al. 2016, 6.2.2).
    """
    batch = _batch(case)
    if batch is None or batch.answers.kind == "numbers":
        return
    truth, domain = batch.answers.truth(batch.target), batch.domain
    other = 1 - truth
    if batch.answers.kind == "classes":
        columns = batch.outputs.shape[batch.answers.axis]
        if truth.max(initial=0) >= columns:
            return
        other = np.where(truth < 0, truth, (truth + 1) % columns)
    good, bad = batch.sure(truth), batch.sure(other)
    is_reversed = math.isfinite(good) and math.isfinite(bad) and bad < good - 1e-6 * abs(good)
    regression = _regression_formula(batch)
    if regression:
        yield finding("RG401", f"The loss is the {regression} between {domain} and classes.")
    elif domain == "scores" and (missing := _lacks_softmax(batch, good)):
        yield finding("RG402", missing, right=good, wrong=bad)
    elif domain == "scores" and is_reversed and _is_right_about_probabilities(batch, truth, other):
        yield finding(
            "RG402",
            f"As logits, confident, right answers have a loss of {good:.4g} and wrong ones "
            f"{bad:.4g}; as probabilities the right ones cost less. The loss expects "
            "probabilities.",
            right=good,
            wrong=bad,
        )
    elif domain == "probabilities" and _is_linear(batch, truth):
        yield finding(
            "RG402",
            f"The loss of confident, right answers is {good:.4g}, and falls evenly with their "
            "probability: it expects log-probabilities.",
            severity="warning",
            right=good,
        )
    elif is_reversed:
        yield finding(
            "RG407",
            f"Confident, right answers have a loss of {good:.4g}, confident, wrong ones {bad:.4g}.",
            right=good,
            wrong=bad,
        )
    elif domain == "scores" and _clips_scores(batch):
        yield finding(
            "RG402",
            "The loss has no slope at outputs below 0 and above 1, where scores may lie: it "
            "expects probabilities.",
            right=good,
            wrong=bad,
        )
    elif domain == "probabilities" and math.isfinite(good):
        even = batch.even()
        # Log-probabilities may be passed as scores: log_softmax leaves them unchanged.
        if good > 0.1 * even:
            yield finding(
                "RG403",
                f"Even confident, right answers have a loss of {good:.4g}; a uniform answer has "
                f"{even:.4g}. The model outputs probabilities, but the loss expects logits.",
                floor=good,
                even=even,
            )


def _is_right_about_probabilities(batch: _Batch, truth: Array, other: Array) -> bool:
    right, wrong = batch.sure(truth, "probabilities"), batch.sure(other, "probabilities")
    return right < wrong - 1e-6 * abs(wrong)


def _is_linear(batch: _Batch, truth: Array) -> bool:
    """Whether the loss is the probability of the right class, with a minus."""
    answers, shape = batch.answers, batch.outputs.shape
    if answers.kind != "classes":
        return False
    right = answers.outputs((truth[:, None] == np.arange(shape[answers.axis])).astype(float), shape)
    return batch.probe.follows(lambda outputs, yes: -float((outputs * yes).mean()), right, shape)


def _lacks_softmax(batch: _Batch, good: float) -> str | None:
    # The logarithm of a negative number is NaN. A loss that clips scores at 0 before the logarithm
    # is infinite instead, which is another fault.
    shape = batch.outputs.shape
    sure = batch.answers.sure(batch.answers.truth(batch.target), shape, "scores")
    if math.isnan(batch.probe.value(-0.1 * sure)) and not batch.probe.refuses(sure):
        return "The loss of negative outputs is NaN: it expects probabilities, not logits."
    scores = np.asarray(np.random.default_rng(0).normal(0.0, 2.0, shape))
    at, raised = batch.probe.value(scores), batch.probe.value(scores + 3.0)
    negative = good < -1.0 and math.isfinite(good)
    if batch.answers.kind == "classes" and negative and raised < at - 1.0:
        return (
            f"The loss decreases without bound as the outputs grow: raising all of them by 3 takes "
            f"it from {at:.4g} to {raised:.4g}. It expects log-probabilities."
        )
    return None


def _clips_scores(batch: _Batch) -> bool:
    """Whether the loss is flat at all outputs below 0 and above 1, and only there."""
    scores = np.asarray(np.random.default_rng(0).normal(0.0, 2.0, batch.outputs.shape))
    slope = batch.probe.slope(scores)
    outside = (scores < 0) | (scores > 1)
    return slope is not None and not slope[outside].any() and bool(slope[~outside].any())


def _squared(outputs: Array, answer: Array) -> float:
    return float(((outputs - answer) ** 2).mean())


def _absolute(outputs: Array, answer: Array) -> float:
    return float(np.abs(outputs - answer).mean())


def _logistic(outputs: Array, answer: Array) -> float:
    return float((np.logaddexp(0, outputs) - answer * outputs).mean())


def _regression_formula(batch: _Batch) -> str | None:
    """The name of the loss if it is a regression loss, or treats each class separately."""
    answers, shape, probe = batch.answers, batch.outputs.shape, batch.probe
    truth = answers.truth(batch.target)
    if answers.kind == "yes or no":
        answer = batch.target.astype(np.float64).reshape(shape)  # 0 or -1 for no
        columns = 1
    else:
        columns = shape[answers.axis]
        yes = truth[:, None] == np.arange(columns)
        answer = answers.outputs(yes.astype(np.float64), shape)
    if probe.follows(_squared, answer, shape):
        return "squared error"
    if probe.follows(_absolute, answer, shape):
        return "absolute error"
    if columns > 2 and probe.follows(_logistic, answer, shape):
        return "logistic loss, class by class,"
    # The class codes, compared with one of several outputs.
    if columns > 1 and len(shape) == 2:
        numbers = truth.astype(np.float64)
        for column in range(columns):
            for formula in (_squared, _absolute):
                if probe.follows(formula, numbers, shape, column):
                    return "squared error" if formula is _squared else "absolute error"
    return None


@check("RG406", reads=("answers", "loss"))
def first_loss(case: Case) -> Iterator[Finding]:
    """RG406. The initial loss is at least three times that of an uninformed answer.

    The uninformed answer is uniform over the classes, with cross-entropy ln c (Karpathy's recipe,
    "verify loss at init"), or the target's mean. Judged before a run, or by a run's first step.
    """
    batch = _batch(case)
    if batch is None:
        return
    if batch.answers.kind == "numbers":
        mean = np.full(batch.outputs.shape, float(np.asarray(batch.target).mean()))
        even = batch.probe.value(mean)
    else:
        even = batch.even()
    first = float(case.losses[0]) if case.has_run else batch.probe.value(batch.outputs)
    if math.isfinite(first) and math.isfinite(even) and even > 1e-6 and first > 3 * even:
        yield finding(
            "RG406",
            f"The initial loss is {first:.4g}; an uninformed answer has {even:.4g}.",
            severity=None if case.has_run or first > 10 * even else "note",
            first=first,
            expected=even,
        )
