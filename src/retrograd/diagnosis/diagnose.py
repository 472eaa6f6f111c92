"""`rg.diagnose`: a model, its data and its loss looked at, before a run or with its record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from retrograd import nn, optim
from retrograd.diagnosis.arguments import (
    check_loss,
    check_model,
    check_optimizer,
    checked_data,
)
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.examine import examined
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import Record
from retrograd.diagnosis.recorder import Recorder
from retrograd.diagnosis.remedies.program import Program, Result
from retrograd.errors import UsageError
from retrograd.tensor import Tensor

__all__ = ["diagnose", "diagnose_program", "run_and_diagnose"]


def diagnose(
    model: nn.Module,
    data: Sequence[Any],
    *,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
    optimizer: optim.Optimizer | None = None,
    task: str | None = None,
    valid: Sequence[Any] | None = None,
    record: Record | None = None,
    batch_size: int | None = None,
    ignore: Iterable[str] = (),
) -> list[Finding]:
    """What is wrong with a training, or may be, the likeliest cause first.

        rg.diagnose(model, (x, y), loss=nn.cross_entropy, optimizer=optimizer)

    Before a run it takes seconds: inputs and labels, initial weights, whether loss and outputs fit
    the targets, the first loss beside what knowing nothing costs, the gradient against finite
    differences, and whether a copy of the model can learn one batch by heart. After a run, give its
    `record` and the trained model: the run is judged as well, beside simple models on `valid`.

    `data` and `valid` are `(inputs, target)`, arrays `(rows, ...)`; several inputs come as a tuple.
    `loss(output, target)` is what the training minimizes. `task` is "regression" or
    "classification", by default classification of a target that holds integers. Findings with a
    code in `ignore` are left out. The model is left as it was.

    Raises TypeError for what is no model, optimizer, loss or pair of numbers, UsageError for an
    unknown task or code, a model without parameters, data without rows, or where inputs and
    targets differ in length.
    """
    check_model("diagnose", model)
    check_loss("diagnose", loss)
    if optimizer is not None:
        check_optimizer("diagnose", optimizer)
    checked = checked_data("diagnose", "data", data)
    if not len(checked):
        raise UsageError("diagnose: data has no rows; expected at least one.")
    if next(model.parameters(), None) is None:
        raise UsageError(
            f"diagnose: model, of type {type(model).__name__}, has no parameters, so that there is "
            "nothing to train; expected a layer with weights, such as nn.Linear."
        )
    if task is None:
        task = "classification" if checked.target.dtype.kind in "iub" else "regression"
    if task not in ("regression", "classification"):
        raise UsageError(f'diagnose: task is {task!r}; expected "regression" or "classification".')
    return examined(
        Case(
            record=record,
            model=model,
            train=checked,
            valid=None if valid is None else checked_data("diagnose", "valid", valid),
            loss=loss,
            task=task,
            optimizer=optimizer,
            batch_size=batch_size,
        ),
        ignore,
    )


def diagnose_program(
    program: Program,
    outcome: Result | None = None,
    record: Record | None = None,
    *,
    ignore: Iterable[str] = (),
) -> list[Finding]:
    """The same of a Program: before a run, or with what a run came to and its record."""
    model = program.model() if outcome is None else outcome.model
    optimizer = None if outcome is None else outcome.optimizer
    if optimizer is None:
        optimizer = program.optimizer(model.parameters(), **program.options)
    return examined(
        Case(
            record=record,
            model=model,
            train=Data.of(program.train),
            valid=Data.of(program.valid),
            loss=program.loss,
            task=program.task,
            optimizer=optimizer,
            batch_size=program.batch_size,
            shuffled=program.shuffle if program.fit is None else None,
            restores_best=program.patience is not None,
        ),
        ignore,
    )


def run_and_diagnose(
    program: Program, seed: int = 0, *, ignore: Iterable[str] = ()
) -> list[Finding]:
    """What is found when `program` is trained once under a Recorder."""
    recorder = Recorder()
    outcome = program.run(seed, recorder)
    return diagnose_program(program, outcome, recorder.record, ignore=ignore)
