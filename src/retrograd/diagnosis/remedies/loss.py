"""Remedies for the loss: the task's usual loss, class weights, label smoothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from retrograd import nn, ops
from retrograd.autodiff.tape import no_grad
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.probes.operations import operations
from retrograd.diagnosis.remedies.data import class_codes, resample, with_codes
from retrograd.diagnosis.remedies.outputs import answer, outputs_of_row, without_output_activation
from retrograd.diagnosis.remedies.program import Program
from retrograd.diagnosis.remedies.variants import Variants
from retrograd.tensor import Tensor

__all__ = ["change_loss", "label_smoothing", "weigh_classes"]

Array = np.ndarray[Any, Any]
Loss = Callable[[Tensor, Tensor], Tensor]

# This many rows show which operations a model runs; no probability is taken for less.
_FEW = 4
_LEAST = 1e-7


def change_loss(program: Program, finding: Finding | None) -> Variants[Program]:
    """The squared error for numbers; for classes the cross-entropy of logits, with the network's
    last activation removed, or of probabilities where a function in its forward() makes them."""
    output, target = answer(program), np.asarray(program.train.target)
    if not output.ndim or len(output) > len(target) or not output.numel():
        return []
    if program.task == "regression":
        fits = target.size == len(target) * (output.numel() // len(output))
        known = fits and not _is(program, _squared)
        return [("nn.mse_loss", _with(program, _squared))] if known else []
    build = program.model

    def model() -> nn.Module:
        built = build()
        without_output_activation(built)
        return built

    bare = replace(program, model=model)
    last = operations(model(), (program.train.inputs[:_FEW],))[-1]
    usual = _usual(output, target, last in ("softmax", "sigmoid"))
    if usual is None:
        return []
    name, loss, coded = usual
    if coded:
        bare = replace(
            bare,
            train=with_codes(program.train),
            valid=with_codes(program.valid),
            test=program.test and with_codes(program.test),
        )
    changed = replace(bare, loss=loss)
    return [] if _is(program, loss) else [(name, changed)]


def _usual(output: Tensor, target: Array, is_probability: bool) -> tuple[str, Loss, bool] | None:
    """The usual loss of classes, by name, and whether it needs the targets as codes (rows,)."""
    width = output.numel() // len(output)
    several = output.ndim == 2 and target.shape[1:] == output.shape[1:] and width > 1
    if several and (target.sum(1) != 1).any():
        return "nn.binary_cross_entropy_with_logits on logits", _each_label, False
    if output.ndim > 2 and width > 1:
        fits = target.shape[1:] == output.shape[2:] and target.dtype.kind in "iu"
        return ("nn.cross_entropy on logits", nn.cross_entropy, False) if fits else None
    if target.size != len(target) and not several:
        return None
    if width == 1:
        if is_probability:
            return "nn.binary_cross_entropy", _logistic_of_probability, True
        return "nn.binary_cross_entropy_with_logits on logits", _logistic, True
    codes = class_codes(target)
    if codes is None or codes.max(initial=0) >= width:
        return None
    if is_probability:
        return "nn.nll_loss(rg.log(p), target)", _of_probabilities, True
    return "nn.cross_entropy on logits", nn.cross_entropy, True


def weigh_classes(program: Program, finding: Finding | None) -> Variants[Program]:
    """Weight each class in the loss by its inverse frequency.

    The weights can only be set for a plain cross-entropy. With another loss the rare classes are
    oversampled instead, which has the same effect on average.
    """
    if program.task != "classification":
        return []
    codes = class_codes(program.train.target)
    if codes is None:
        return []
    classes, counts = np.unique(codes, return_counts=True)
    if len(classes) < 2:
        return []
    if _is(program, nn.cross_entropy):
        weight = np.ones(outputs_of_row(program) or 0, np.float32)
        weight[classes] = len(codes) / (len(classes) * counts)

        def weighed(output: Tensor, target: Tensor) -> Tensor:
            return nn.cross_entropy(output, target, weight=Tensor(weight))

        return [("nn.cross_entropy(..., weight=n / (classes · counts))", _with(program, weighed))]
    if len(classes) == 2 and _is(program, _logistic):
        ratio = np.float32(counts[0] / counts[1])

        def by_ratio(output: Tensor, target: Tensor) -> Tensor:
            answer = ops.reshape(output, shape=(output.shape[0],))
            truth = ops.reshape(target, shape=answer.shape).astype(np.float32)
            return nn.binary_cross_entropy_with_logits(answer, truth, pos_weight=ratio)

        change = f"nn.binary_cross_entropy_with_logits(..., pos_weight={ratio:.3g})"
        return [(change, _with(program, by_ratio))]
    return resample(program, finding)


def label_smoothing(program: Program, finding: Finding | None) -> Variants[Program]:
    """Spread a tenth of each label over all classes."""
    if program.task != "classification" or not _is(program, nn.cross_entropy):
        return []

    def smoothed(output: Tensor, target: Tensor) -> Tensor:
        return nn.cross_entropy(output, target, label_smoothing=0.1)

    return [("nn.cross_entropy(..., label_smoothing=0.1)", _with(program, smoothed))]


def _with(program: Program, loss: Loss) -> Program:
    return replace(program, loss=loss)


def _squared(output: Tensor, target: Tensor) -> Tensor:
    return nn.mse_loss(output, ops.reshape(target, shape=output.shape).astype(np.float32))


def _each_label(output: Tensor, target: Tensor) -> Tensor:
    return nn.binary_cross_entropy_with_logits(output, target.astype(np.float32))


def _logistic_of_probability(output: Tensor, target: Tensor) -> Tensor:
    p = ops.clip(ops.reshape(output, shape=(output.shape[0],)), _LEAST, 1 - _LEAST)
    truth = ops.reshape(target, shape=p.shape).astype(np.float32)
    return nn.binary_cross_entropy(p, truth)


def _of_probabilities(output: Tensor, target: Tensor) -> Tensor:
    return nn.nll_loss(ops.log(ops.clip(output, _LEAST, 1.0)), target)


def _logistic(output: Tensor, target: Tensor) -> Tensor:
    answer = ops.reshape(output, shape=(output.shape[0],))
    truth = ops.reshape(target, shape=answer.shape).astype(np.float32)
    return nn.binary_cross_entropy_with_logits(answer, truth)


def _is(program: Program, loss: Loss) -> bool:
    """Whether the program's loss equals `loss` on some rows."""
    output = answer(program)
    target = Tensor(program.train.target[: len(output)])
    with no_grad():
        try:
            same = np.isclose(loss(output, target).item(), program.loss(output, target).item())
        except (ValueError, TypeError, IndexError):  # it does not accept such outputs or targets
            return False
    return bool(same)
