"""Checks of the wiring: the optimizer's parameters, missing gradients, rows that mix."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.autodiff.tape import no_grad
from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case, Data, Loss
from retrograd.diagnosis.checks.weights import looked_up
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.probes.loss import LossProbe
from retrograd.diagnosis.record.record import Record
from retrograd.diagnosis.register import check
from retrograd.tensor import Tensor

Array = np.ndarray[Any, Any]

_ROWS = 16


@check("RG212", reads=("record",))
def not_cleared(case: Case, record: Record) -> Iterator[Finding]:
    """RG212. The first backward() of a step found gradients of the step before.

    Gradient accumulation calls backward() several times a step, but clears between steps.
    """
    if record.facts.kept_gradients:
        yield finding(
            "RG212",
            "The gradients of the previous step were not cleared before the first backward() of "
            "the next.",
        )


@check("RG213")
def not_in_optimizer(case: Case) -> Iterator[Finding]:
    """RG213. A parameter requires a gradient but was not passed to the optimizer."""
    if case.optimizer is None and not case.has_run:
        return
    missing = [each for each in case.weights if each.trained and not each.optimized]
    if missing:
        yield finding(
            "RG213",
            f"{len(missing)} of {len(case.weights)} parameters are not in the optimizer: "
            f"{_names([each.name for each in missing])}.",
            layers=[each.name for each in missing],
            parameters=len(missing),
        )


@check("RG214")
def no_gradient(case: Case) -> Iterator[Finding]:
    """RG214. A parameter never had a gradient, or is frozen between trainable layers.

    Frozen layers before all trainable ones are normal in fine-tuning, and so are frozen embeddings.
    """
    record = case.record
    never = _without_gradient(case) if record is None else list(record.facts.never)
    weights = [
        each for each in case.weights if len(each.shape) > 1 and each.layer not in looked_up(case)
    ]
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
            f"These parameters are frozen but lie between trainable layers: {_names(frozen)}.",
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
            try:
                case.loss(output, Tensor(rows.target)).backward()
            except (IndexError, ValueError):
                return []  # a loss may be made for batches of its own size
        return [name for name, each in named if each.grad is None]
    finally:
        for (_, each), gradient in zip(named, before, strict=True):
            each.grad = gradient


@check("RG405", reads=("loss", "sample", "outputs"))
def broadcast(case: Case, loss: Loss, sample: Data, outputs: Array) -> Iterator[Finding]:
    """RG405. The gradient at one row's output depends on another row's target, and outputs and
    targets are as many but differ in shape.

    Otherwise nothing broadcasts: a loss that couples the rows then does so on purpose, as Dice's or
    a contrastive one. A mean over rows couples no rows. The check changes one target and
    compares the gradients at the outputs of the other rows, up to a common factor, which a weighted
    mean may change.
    """
    is_alike = sample.target.shape == outputs.shape or sample.target.size != outputs.size
    if len(sample) < 4 or is_alike:
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
            f"{shapes}: changing the target of one row changes the gradient at all others.",
            share=share,
        )


def _outputs_like(shape: tuple[int, ...], last: str) -> Array:
    """Outputs that differ from row to row, in the range of the operation `last`."""
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
    """RG408. In evaluation mode a row's output depends on the other rows of the batch.

    The check runs a batch, then runs it again with the one and the other half replaced. Rounding
    stays below 1e-3 of the outputs' size.
    """
    if len(sample) < 2 * _ROWS:
        return
    inputs = sample.inputs
    if any(x.dtype.kind == "f" and not np.isfinite(x[: 2 * _ROWS]).all() for x in inputs):
        return
    rows = len(sample.few(_ROWS))
    half = rows // 2
    kept = np.arange(rows)
    # A recurrent layer that takes rows for time looks back only, so that each half is replaced.
    late = np.where(kept < half, kept, kept + half)
    early = np.where(kept < half, kept + rows, kept)
    with nn.evaluating(model), no_grad(), np.errstate(all="ignore"):
        again, one, two, three = (
            np.asarray(model(*(Tensor(x[which]) for x in inputs)), np.float64)
            for which in (kept, kept, late, early)
        )
    if not np.array_equal(again, one, equal_nan=True):
        return  # it draws numbers, as a variational autoencoder does
    if len(one) != rows or one.shape != two.shape or not np.isfinite(one).all():
        return
    off = float(max(np.abs(one - two)[:half].max(), np.abs(one - three)[half:].max()))
    size = float(np.abs(one).max())
    if off > 1e-3 * max(size, 1e-6):
        yield finding(
            "RG408",
            f"The outputs of the same rows change by up to {off:.3g} when the other rows of the "
            f"batch change; the largest output is {size:.3g}.",
            change=off,
            largest=size,
        )


def _names(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
