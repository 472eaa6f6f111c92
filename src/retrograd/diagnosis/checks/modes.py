"""Checks of training and evaluation mode, dropout, weight decay and batch statistics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.tape import no_grad
from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.weights import matrices
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import Record
from retrograd.diagnosis.register import check
from retrograd.tensor import Tensor

Array = np.ndarray[Any, Any]

# Statistics that are stale cost at least a fifth of the error.
_BETTER = 0.8


@check("RG218", reads=("record",))
def trained_in_evaluation(case: Case, record: Record) -> Iterator[Finding]:
    """RG218. Dropout or normalization was in evaluation mode in a training pass.

    Fine-tuning freezes batch statistics on purpose, but leaves dropout on.
    """
    layers = record.facts.trained_in_eval
    if layers:
        yield finding(
            "RG218",
            f"{_named(layers)} in evaluation mode during training.",
            layers=layers,
        )


@check("RG506", reads=("record",))
def evaluated_in_training(case: Case, record: Record) -> Iterator[Finding]:
    """RG506. Dropout or normalization was in training mode in a pass under no_grad.

    Monte Carlo dropout (Gal & Ghahramani 2016) does this on purpose.
    """
    layers = record.facts.evaluated_in_train
    if layers:
        yield finding(
            "RG506",
            f"{_named(layers)} in training mode in passes under no_grad.",
            layers=layers,
        )


@check("RG505", reads=("model",))
def dropout(case: Case, model: nn.Module) -> Iterator[Finding]:
    """RG505. A layer drops more than 70 %; or dropout costs more than it can gain.

    Srivastava et al. 2014 (7.3) find that keeping 40 to 80 % of the hidden units works well, and
    that errors rise steeply below that. A lower rate is judged by the result: the run did badly,
    and the training loss, with dropout, is twice the validation loss, without.
    """
    rates = {
        name: float(module.p)
        for name, module in model.named_modules()
        if isinstance(module, nn.Dropout)
    }
    if not rates:
        return
    worst = max(rates, key=lambda each: rates[each])
    trained, valid = (case.epoch_losses(name) for name in ("train_loss", "validation_loss"))
    costs = bool(len(trained) and len(valid) and trained[-1] > 2 * valid[-1])
    severe = rates[worst] > 0.7 and (not case.has_run or case.fared_badly or rates[worst] >= 0.9)
    if severe or (rates[worst] >= 0.5 and case.fared_badly and costs):
        yield finding(
            "RG505",
            f"{worst} drops {rates[worst]:.0%} of its inputs in each step"
            + (
                f"; the last training loss is {trained[-1]:.4g}, the last validation loss "
                f"{valid[-1]:.4g}."
                if len(trained) and len(valid)
                else "."
            ),
            layers=[worst],
            rate=rates[worst],
        )


@check("RG215", reads=("record",))
def weight_decay(case: Case, record: Record) -> Iterator[Finding]:
    """RG215. Under weight decay the weights shrank to less than half their initial size.

    Weights usually grow in training; if they shrink this far, the decay is stronger than the
    gradient (Krogh & Hertz 1992; Zhang et al. 2019, "Three mechanisms of weight decay"). Not
    reported if the run did well.
    """
    decay = float(record.optimizer[1].get("weight_decay") or 0.0)
    if not decay or not case.fared_badly:
        return
    shrunk = []
    for each in matrices(case):
        norms = case.series("weight_norm", each.name)
        norms = norms[np.isfinite(norms)]
        if len(norms) > 1 and norms[0] > 0:
            shrunk.append((norms[-1] / norms[0], each.name))
    if not shrunk:
        return
    middle = float(np.median([each[0] for each in shrunk]))
    if middle < 0.5 and (decay >= 1e-3 or middle < 0.2):
        yield finding(
            "RG215",
            f"With a weight decay of {decay:g} the weights shrank to {middle:.2g} of their initial "
            "size.",
            layers=[name for _, name in sorted(shrunk)],
            steps=(int(case.steps[0]), int(case.steps[-1])),
            shrunk_to=middle,
            weight_decay=decay,
        )


@check("RG507", reads=("record", "model", "sample"))
def batch_statistics(case: Case, model: nn.Module, sample: Data) -> Iterator[Finding]:
    """RG507. BatchNorm's running statistics differ from those of its inputs.

    The check runs the training rows once more in training mode with the final weights. They are
    answered better so, and in half of the channels the running mean is off by more than one
    standard deviation, or the running variance by more than a factor of 4 (Ioffe & Szegedy 2015,
    algorithm 2, take them as estimates of the same statistics).
    """
    norms: dict[int, tuple[str, Any]] = {
        id(module): (name, module)
        for name, module in model.named_modules()
        if type(module).__name__.startswith("BatchNorm")
        and getattr(module, "running_mean", None) is not None
    }
    if not norms:
        return
    seen, outputs = _inputs_of(norms, model, sample)
    if not _is_better(outputs, case):
        return
    off = []
    for key, x in seen.items():
        name, module = norms[key]
        axes = (0, *range(2, x.ndim))
        mean, var = x.mean(axes), x.var(axes)
        running_mean = np.asarray(module.running_mean.data, np.float64)
        running_var = np.asarray(module.running_var.data, np.float64)
        std = np.sqrt(var + 1e-5)
        shift = float(np.median(np.abs(running_mean - mean) / std))
        with np.errstate(divide="ignore"):
            factor = float(np.exp(np.median(np.abs(np.log((running_var + 1e-5) / (var + 1e-5))))))
        if shift > 1 or factor > 4:
            off.append((max(shift, factor / 4), name, shift, factor))
    if off:
        _, name, shift, factor = max(off)
        yield finding(
            "RG507",
            f"In the median channel of {name} the running mean is off by {shift:.2g} standard "
            f"deviations and the running variance by a factor of {factor:.2g}.",
            severity=None if case.fared_badly else "warning",
            layers=[each[1] for each in sorted(off, reverse=True)],
            shift=shift,
            factor=factor,
        )


def _is_better(outputs: Array, case: Case) -> bool:
    """Whether these outputs for the first rows of the sample are clearly better than those in
    evaluation mode; true if nobody knows."""
    performance, usual = case.performance, case.outputs
    if performance is None or case.sample is None or usual is None:
        return True
    answered = np.asarray(outputs if case.answer is None else case.answer(outputs), np.float64)
    target = case.sample.target[: len(answered)]
    error = performance.error(usual[: len(answered)], target)
    return not performance.error(answered, target) > _BETTER * error


def _inputs_of(
    modules: dict[int, Any], model: nn.Module, sample: Data
) -> tuple[dict[int, Array], Array]:
    """The inputs of the modules, and the outputs of the model, with the modules themselves in
    training mode and dropout off."""
    seen: dict[int, Array] = {}

    def see(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if id(module) in modules and id(module) not in seen:
            seen[id(module)] = np.asarray(inputs[0], np.float64)

    rows = sample.rows(np.arange(min(256, len(sample))))
    saved = model.state_dict()
    try:
        with nn.evaluating(model):
            for module in model.modules():
                if id(module) in modules:
                    module.train()
            with no_grad(), np.errstate(all="ignore"), hooks(module=see):
                outputs = np.asarray(model(*map(Tensor, rows.inputs)))
    finally:
        model.load_state_dict(saved)
    known = {key: x for key, x in seen.items() if np.isfinite(x).all() and x.ndim > 1}
    return known, outputs


def _named(layers: tuple[str, ...]) -> str:
    shown = ", ".join(layers[:3])
    more = f" and {len(layers) - 3} more" if len(layers) > 3 else ""
    return f"{shown}{more} {'were' if len(layers) > 1 else 'was'}"
