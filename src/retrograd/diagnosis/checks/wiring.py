"""Checks of the wiring: what the optimizer holds, what gets a gradient, which rows meet which."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.autodiff.tape import no_grad
from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case, Data, Loss
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.probes.loss import LossProbe
from retrograd.diagnosis.record.record import Record
from retrograd.diagnosis.register import check
from retrograd.tensor import Tensor

Array = np.ndarray[Any, Any]

_ROWS = 16


@check("RG212", reads=("record",))
def not_cleared(case: Case, record: Record) -> Iterator[Finding]:
    """RG212. At the first backward() of a step the gradients of the step before were there.

    Adding up a batch in parts calls backward() several times a step, and clears between steps.
    """
    if record.facts.kept_gradients:
        yield finding(
            "RG212", "At the first backward() of a step the gradients of the step before remain."
        )


@check("RG213")
def not_in_optimizer(case: Case) -> Iterator[Finding]:
    """RG213. A parameter that requires a gradient and is not among the optimizer's."""
    if case.optimizer is None and not case.has_run:
        return
    missing = [each for each in case.weights if each.trained and not each.optimized]
    if missing:
        yield finding(
            "RG213",
            f"{len(missing)} of {len(case.weights)} parameters are not the optimizer's: "
            f"{_names([each.name for each in missing])}.",
            layers=[each.name for each in missing],
            parameters=len(missing),
        )


@check("RG214")
def no_gradient(case: Case) -> Iterator[Finding]:
    """RG214. A parameter that never had a gradient; or one frozen between layers that learn.

    Layers frozen before all that learn are a model that is fine-tuned.
    """
    record = case.record
    never = _without_gradient(case) if record is None else list(record.facts.never)
    weights = [each for each in case.weights if len(each.shape) > 1]
    learn = [i for i, each in enumerate(weights) if each.trained]
    frozen = [
        each.name
        for i, each in enumerate(weights)
        if not each.trained and learn and learn[0] < i < learn[-1]
    ]
    if never:
        yield finding(
            "RG214",
            f"{len(never)} of {len(case.weights)} parameters never get a gradient: "
            f"{_names(never)}.",
            layers=never,
            parameters=len(never),
        )
    elif frozen:
        yield finding(
            "RG214",
            f"{_names(frozen)} do not require a gradient, and lie between layers that learn.",
            severity="warning",
            layers=frozen,
            parameters=len(frozen),
        )


def _without_gradient(case: Case) -> list[str]:
    """The parameters that one backward() on a few rows leaves without a gradient."""
    if case.model is None or case.loss is None or case.sample is None:
        return []
    rows = case.sample.few(_ROWS)
    named = [(name, each) for name, each in case.model.named_parameters() if each.requires_grad]
    if not named:
        return []
    before = [each.grad for _, each in named]
    try:
        for _, each in named:
            each.grad = None
        with nn.evaluating(case.model), np.errstate(all="ignore"):
            output = case.model(*map(Tensor, rows.inputs))
            case.loss(output, Tensor(rows.target)).backward()
        return [name for name, each in named if each.grad is None]
    finally:
        for (_, each), gradient in zip(named, before, strict=True):
            each.grad = gradient


@check("RG405", reads=("loss", "sample", "outputs"))
def broadcast(case: Case, loss: Loss, sample: Data, outputs: Array) -> Iterator[Finding]:
    """RG405. The slope at one row's output depends on another row's target.

    A mean over rows couples none. One target is changed, and the slopes at the outputs of the
    others are compared, up to a common factor, which the weights of a weighted mean may be.
    """
    if len(sample) < 4:
        return
    rows = np.arange(min(_ROWS, len(sample)))
    target = sample.target[rows]
    if target.dtype.kind == "f" and not np.isfinite(target).all():
        return
    other = np.flatnonzero((target != target[0]).reshape(len(target), -1).any(1))
    if not len(other):
        return
    changed = target.copy()
    changed[0] = target[other[0]]
    probe = LossProbe(loss, target)
    tried = _outputs_like((len(rows), *outputs.shape[1:]), case.last_operation)
    one, two = probe.slope(tried), probe.slope(tried, changed)
    if one is None or two is None or not (np.isfinite(one).all() and np.isfinite(two).all()):
        return
    a, b = one[1:].ravel(), two[1:].ravel()
    size = float(a @ a)
    if size == 0:
        return
    left = b - (float(a @ b) / size) * a
    share = math.sqrt(float(left @ left) / size)
    if share > 1e-3:
        shapes = f"Outputs of shape {tried.shape} and targets of shape {target.shape}"
        yield finding(
            "RG405",
            f"{shapes}: to change the target of one row changes the gradient at all others.",
            share=share,
        )


def _outputs_like(shape: tuple[int, ...], last: str) -> Array:
    """Outputs that differ from row to row, of the kind that the operation `last` gives."""
    drawn = np.random.default_rng(0).normal(0, 1, shape)
    if last == "softmax":
        raised = np.exp(drawn)
        return np.asarray(raised / raised.sum(-1, keepdims=True))
    if last == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-drawn)))
    if last == "log_softmax":
        return np.asarray(drawn - np.log(np.exp(drawn).sum(-1, keepdims=True)))
    return drawn


@check("RG408", reads=("model", "sample"))
def mixed_rows(case: Case, model: nn.Module, sample: Data) -> Iterator[Finding]:
    """RG408. In evaluation mode a row's output differs by what stands beside it.

    A batch is run, and again with its other rows replaced; rounding stays below 1e-3 of the
    outputs' size.
    """
    if len(sample) < 2 * _ROWS:
        return
    inputs = sample.inputs
    if any(x.dtype.kind == "f" and not np.isfinite(x[: 2 * _ROWS]).all() for x in inputs):
        return
    rows = len(sample.few(_ROWS))
    half = rows // 2
    others = np.concatenate([np.arange(half), np.arange(rows, rows + half)])
    with nn.evaluating(model), no_grad(), np.errstate(all="ignore"):
        one = np.asarray(model(*(Tensor(x[:rows]) for x in inputs)), np.float64)
        two = np.asarray(model(*(Tensor(x[others]) for x in inputs)), np.float64)
    if len(one) != rows or one.shape != two.shape or not np.isfinite(one).all():
        return
    off = float(np.abs(one[:half] - two[:half]).max())
    size = float(np.abs(one).max())
    if off > 1e-3 * max(size, 1e-6):
        yield finding(
            "RG408",
            f"With other rows beside them the outputs of the same rows change by up to {off:.3g}; "
            f"the largest output is {size:.3g}.",
            change=off,
            largest=size,
        )


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
