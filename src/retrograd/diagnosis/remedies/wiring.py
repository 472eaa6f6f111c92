"""Remedies for the wiring: the loss's sign and shapes, the loop, what is trained, the rows' axis.

They change what a program computes, so that they are tried only for a finding, never at random.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from retrograd import nn, ops, optim
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.remedies.outputs import answer
from retrograd.diagnosis.remedies.program import Program
from retrograd.diagnosis.remedies.variants import Variants
from retrograd.tensor import Tensor

__all__ = ["flip_sign", "match_shapes", "rows_first", "train_all", "usual_loop"]

_SOFTMAX = (nn.Softmax, nn.LogSoftmax)
_RECURRENT = (nn.RNN, nn.LSTM, nn.GRU)


def flip_sign(program: Program, finding: Finding | None) -> Variants[Program]:
    """The loss with the other sign; for targets of 0 and 1 also with yes and no exchanged."""
    if finding is None:
        return []
    loss = program.loss
    found = [("-loss", replace(program, loss=lambda output, target: -loss(output, target)))]
    target = np.asarray(program.train.target)
    if target.dtype.kind == "f" and np.isin(target, (0, 1)).all():
        exchanged = replace(program, loss=lambda output, target: loss(output, 1 - target))
        found.append(("loss(output, 1 - target)", exchanged))
    return found


def match_shapes(program: Program, finding: Finding | None) -> Variants[Program]:
    """Outputs in the shape of the targets, where both have as many elements."""
    if finding is None:
        return []
    outputs = answer(program)
    target = program.train.target[: len(outputs)]
    if outputs.shape == target.shape or outputs.numel() != target.size:
        return []
    loss = program.loss

    def matched(output: Tensor, target: Tensor) -> Tensor:
        return loss(ops.reshape(output, shape=target.shape), target)

    words = "output.squeeze(-1)" if outputs.ndim > target.ndim else "output.reshape(target.shape)"
    return [(f"loss({words}, target)", replace(program, loss=matched))]


def usual_loop(program: Program, finding: Finding | None) -> Variants[Program]:
    """The built-in loop in place of one's own: training mode, zero_grad, backward, step."""
    if finding is None or program.fit is None:
        return []
    words = "model.train(), then zero_grad(), backward() and step() for each batch"
    return [(words, replace(program, fit=None))]


def train_all(program: Program, finding: Finding | None) -> Variants[Program]:
    """Every parameter requires a gradient; those that the optimizer lacks join it as a group."""
    if finding is None:
        return []
    build, model = program.optimizer, program.model()
    made = build(model.parameters(), **program.options)
    lacking = {id(each) for each in _lacking(made, model.parameters())}
    missing = [
        name
        for name, each in model.named_parameters()
        if id(each) in lacking or not each.requires_grad
    ]
    if not missing:
        return []

    def whole(parameters: Iterable[nn.Parameter], **options: Any) -> optim.Optimizer:
        kept = list(parameters)
        for each in kept:
            each.requires_grad = True
        optimizer = build(kept, **options)
        if others := _lacking(optimizer, kept):
            optimizer.add_param_group({"params": others})
        return optimizer

    whole.__name__ = type(made).__name__
    shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
    words = f"{whole.__name__}(model.parameters()), {shown} included"
    return [(words, replace(program, optimizer=whole))]


def _lacking(optimizer: optim.Optimizer, parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    known = {id(each) for group in optimizer.param_groups for each in group.params}
    return [each for each in parameters if id(each) not in known]


def rows_first(program: Program, finding: Finding | None) -> Variants[Program]:
    """Softmax along the last axis, and the first axis for the rows in recurrent layers."""
    if finding is None:
        return []
    turned = [name for name, each in program.model().named_modules() if _crosses_rows(each)]
    if not turned:
        return []
    build = program.model

    def model() -> nn.Module:
        built = build()
        for module in built.modules():
            if _crosses_rows(module):
                if isinstance(module, _SOFTMAX):
                    module.dim = -1
                else:
                    module.batch_first = True
        return built

    return [(f"rows on the first axis in {', '.join(turned)}", replace(program, model=model))]


def _crosses_rows(module: Any) -> bool:
    if isinstance(module, _SOFTMAX):
        return module.dim == 0
    return isinstance(module, _RECURRENT) and not module.batch_first
