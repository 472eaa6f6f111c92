"""Remedies for the loss: the task's own, with classes weighed, with labels smoothed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from retrograd import nn, ops
from retrograd.autodiff.tape import no_grad
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.remedies.data import resample
from retrograd.diagnosis.remedies.model import without_output_activation
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.diagnosis.remedies.variants import Variants
from retrograd.tensor import Tensor

__all__ = ["change_loss", "label_smoothing", "weigh_classes"]

Array = np.ndarray[Any, Any]
Loss = Callable[[Tensor, Tensor], Tensor]

_ROWS = 64


def change_loss(program: Program, finding: Finding | None) -> Variants[Program]:
    """The squared error for numbers, the cross-entropy of logits for classes, whose network then
    ends without an activation."""
    width = _outputs(program)
    if program.task == "regression":
        rows = len(program.train.target)
        if width is None or program.train.target.size != rows * width:
            return []
        return [("nn.mse_loss", replace(program, loss=_squared))]
    if width is None:
        return []
    loss: Loss = _logistic if width == 1 else nn.cross_entropy
    name = "nn.binary_cross_entropy_with_logits" if width == 1 else "nn.cross_entropy"
    build = program.model

    def model() -> nn.Module:
        built = build()
        without_output_activation(built)
        return built

    coded = _coded(program.train), _coded(program.valid), program.test and _coded(program.test)
    changed = replace(
        program, model=model, loss=loss, train=coded[0], valid=coded[1], test=coded[2]
    )
    return [(f"{name} on logits", changed)]


def weigh_classes(program: Program, finding: Finding | None) -> Variants[Program]:
    """Each class counts in the loss by the inverse of its frequency.

    Of another loss than a plain cross-entropy the weights cannot be set from here: then the rarer
    classes are drawn more often, which comes to the same on average.
    """
    if program.task != "classification":
        return []
    codes = _codes(program.train.target)
    classes, counts = np.unique(codes, return_counts=True)
    if len(classes) < 2:
        return []
    if _is(program, nn.cross_entropy):
        weight = np.ones(_outputs(program) or 0, np.float32)
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
    """A tenth of each label is spread over all classes."""
    if program.task != "classification" or not _is(program, nn.cross_entropy):
        return []

    def smoothed(output: Tensor, target: Tensor) -> Tensor:
        return nn.cross_entropy(output, target, label_smoothing=0.1)

    return [("nn.cross_entropy(..., label_smoothing=0.1)", _with(program, smoothed))]


def _with(program: Program, loss: Loss) -> Program:
    return replace(program, loss=loss)


def _squared(output: Tensor, target: Tensor) -> Tensor:
    return nn.mse_loss(output, ops.reshape(target, shape=output.shape).astype(np.float32))


def _logistic(output: Tensor, target: Tensor) -> Tensor:
    answer = ops.reshape(output, shape=(output.shape[0],))
    truth = ops.reshape(target, shape=answer.shape).astype(np.float32)
    return nn.binary_cross_entropy_with_logits(answer, truth)


def _answer(program: Program) -> Tensor:
    model = program.model().eval()
    with no_grad():
        answer: Tensor = model(Tensor(program.train.inputs[:_ROWS]))
    return answer


def _outputs(program: Program) -> int | None:
    """How many numbers the network gives for each row; None for another number of rows."""
    answer = _answer(program)
    rows = min(_ROWS, len(program.train.target))
    return answer.numel() // rows if answer.ndim and answer.shape[0] == rows else None


def _is(program: Program, loss: Loss) -> bool:
    """Whether the program's loss gives what `loss` gives, on some rows."""
    answer, target = _answer(program), Tensor(program.train.target[:_ROWS])
    with no_grad():
        try:
            same = np.isclose(loss(answer, target).item(), program.loss(answer, target).item())
        except (ValueError, TypeError, IndexError):  # it does not take such outputs or targets
            return False
    return bool(same)


def _codes(target: Array) -> Array:
    """Class codes (rows,), of codes or of one-hot rows."""
    flat = target.reshape(len(target), -1)
    return (flat.argmax(1) if flat.shape[1] > 1 else flat[:, 0]).astype(np.int64)


def _coded(examples: Samples) -> Samples:
    """The examples with class codes for targets."""
    return Samples(examples.inputs, _codes(examples.target))
