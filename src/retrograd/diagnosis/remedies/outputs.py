"""Remedies for the last layer: its activation and its width, made to fit the targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from retrograd import nn
from retrograd.autodiff.tape import no_grad
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.remedies.data import with_codes
from retrograd.diagnosis.remedies.model import ACTIVATIONS, places
from retrograd.diagnosis.remedies.program import Program
from retrograd.diagnosis.remedies.variants import Variants
from retrograd.tensor import Tensor

__all__ = [
    "answer",
    "outputs_of_row",
    "remove_output_activation",
    "sigmoid_output",
    "widen_output",
    "without_output_activation",
]

_ROWS = 64


def answer(program: Program) -> Tensor:
    """The untrained network's output for a few rows."""
    model = program.model().eval()
    with no_grad():
        output: Tensor = model(Tensor(program.train.inputs[:_ROWS]))
    return output


def outputs_of_row(program: Program) -> int | None:
    """The number of outputs per row; None if the network's output has another number of rows."""
    output = answer(program)
    rows = min(_ROWS, len(program.train.target))
    return output.numel() // rows if output.ndim and output.shape[0] == rows else None


def remove_output_activation(program: Program, finding: Finding | None) -> Variants[Program]:
    """Remove the activation at the very end, if there is one."""
    last = places(program.model())[-1:]
    if not last or not isinstance(last[0][2], ACTIVATIONS):
        return []
    name = type(last[0][2]).__name__
    return [(f"no {name} at the end", _ending(program, without_output_activation))]


def without_output_activation(model: nn.Module) -> None:
    """Remove the activation at the very end of a network, if there is one."""
    for parent, name, module in places(model)[-1:]:
        if isinstance(module, ACTIVATIONS):
            parent.add_module(name, nn.Identity())


def sigmoid_output(program: Program, finding: Finding | None) -> Variants[Program]:
    """A sigmoid instead of a softmax over one output, or over labels of which several are right."""
    last = places(program.model())[-1:]
    if program.task != "classification" or not last or not isinstance(last[0][2], nn.Softmax):
        return []
    target = np.asarray(program.train.target).reshape(len(program.train.target), -1)
    width = outputs_of_row(program)
    is_single = width == 1
    is_several = width == target.shape[1] and (target.sum(1) != 1).any()
    if isinstance(last[0][2], nn.LogSoftmax) or not (is_single or is_several):
        return []

    def change(model: nn.Module) -> None:
        for parent, name, _ in places(model)[-1:]:
            parent.add_module(name, nn.Sigmoid())

    return [("Softmax -> Sigmoid at the end", _ending(program, change))]


def widen_output(program: Program, finding: Finding | None) -> Variants[Program]:
    """As many outputs as classes, without an activation, and the cross-entropy of logits."""
    target = np.asarray(program.train.target)
    if program.task != "classification" or target.size != len(target):
        return []
    codes = target.reshape(-1)
    classes = int(codes.max()) + 1
    width = outputs_of_row(program)
    last = [each for _, _, each in places(program.model()) if isinstance(each, nn.Linear)][-1:]
    if width is None or not last or last[0].out_features != width or codes.min() < 0:
        return []
    if classes <= max(width, 2):
        return []

    def change(model: nn.Module) -> None:
        without_output_activation(model)
        linear = [place for place in places(model) if isinstance(place[2], nn.Linear)][-1]
        parent, name, layer = linear
        wider = nn.Linear(layer.in_features, classes, bias=layer.bias is not None)
        parent.add_module(name, wider)

    changed = replace(
        _ending(program, change),
        loss=nn.cross_entropy,
        train=with_codes(program.train),
        valid=with_codes(program.valid),
        test=program.test and with_codes(program.test),
    )
    return [(f"{width} -> {classes} outputs, nn.cross_entropy on logits", changed)]


def _ending(program: Program, change: Callable[[nn.Module], None]) -> Program:
    build = program.model

    def model() -> nn.Module:
        built = build()
        change(built)
        return built

    return replace(program, model=model)
