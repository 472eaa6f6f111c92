"""`rg.diagnose`: check a model, its data and its loss, before a run or with its record."""

from __future__ import annotations

import copy
import math
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
from retrograd.diagnosis.remedies.advice import advised
from retrograd.diagnosis.remedies.program import Program, Result, Samples
from retrograd.errors import UsageError
from retrograd.tensor import Tensor

__all__ = ["diagnose", "diagnose_program", "run_and_diagnose"]

# Rows in a batch, where nobody says.
_BATCH = 32


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
    """Find what is or may be wrong with a training, the likeliest cause first.

        rg.diagnose(model, (x, y), loss=nn.cross_entropy, optimizer=optimizer)

    Before a run this takes seconds. It checks the inputs and labels, the initial weights, whether
    the loss and the outputs suit the targets, the initial loss, the gradient against finite
    differences, and whether a copy of the model can overfit one batch. After a run, pass its
    `record` and the trained model: the run is then judged too, against simple models on `valid`.

    `data` and `valid` are `(inputs, target)`, arrays `(rows, ...)`; pass several inputs as a tuple.
    The training minimizes `loss(output, target)`. `task` is "regression" or "classification"; by
    default the shapes, the values of the target and the loss show which it is. Findings with a code
    in `ignore` are left out. The model is not changed.

    A finding is a note, and no warning, where the training comes out well all the same and it is no
    fault for certain: as the run did, or before a run as a rehearsal of 150 steps on a copy does.

    Raises TypeError if the model, the optimizer, the loss or the data is of the wrong type.
    Raises UsageError for an unknown task or code, a model without parameters, data without rows, or
    inputs and targets of different lengths.
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
            f"diagnose: model, of type {type(model).__name__}, has no parameters, so there is "
            "nothing to train; expected a layer with weights, such as nn.Linear."
        )
    if task not in (None, "regression", "classification"):
        raise UsageError(f'diagnose: task is {task!r}; expected "regression" or "classification".')
    case = Case(
        record=record,
        model=model,
        train=checked,
        valid=None if valid is None else checked_data("diagnose", "valid", valid),
        loss=loss,
        task=task,
        optimizer=optimizer,
        batch_size=batch_size,
    )
    found, program = examined(case, ignore), _as_program(case)
    return found if program is None else advised(found, program, _unknown(case))


def _as_program(case: Case) -> Program | None:
    """The training as a Program, to see what a remedy would change; None if not enough is known."""
    model, rows, optimizer = case.model, case.sample, case.optimizer
    if model is None or rows is None or case.loss is None or len(rows.inputs) != 1:
        return None
    samples = Samples(rows.inputs[0], rows.target)
    known = optim.Adam(model.parameters()) if optimizer is None else optimizer
    return Program(
        model=lambda: copy.deepcopy(model),
        loss=case.loss,
        train=samples,
        valid=samples,
        task="regression" if case.numbers is not None else "classification",
        optimizer=type(known),
        options={**known.defaults, "lr": known.param_groups[0]["lr"]},
        epochs=max(1, len(case.epochs)),
        batch_size=round(case.rows_per_step) if math.isfinite(case.rows_per_step) else _BATCH,
    )


def _unknown(case: Case) -> frozenset[str]:
    """The remedies whose values depend on what is not known of the training."""
    unknown: set[str] = set()
    if case.optimizer is None:
        unknown |= {"lower_learning_rate", "raise_learning_rate", "adam", "lower_weight_decay"}
    if not case.epochs:
        unknown |= {"more_epochs", "fewer_epochs", "early_stopping"}
    if not math.isfinite(case.rows_per_step):
        unknown |= {"larger_batch", "smaller_batch"}
    return frozenset(unknown)


def diagnose_program(
    program: Program,
    outcome: Result | None = None,
    record: Record | None = None,
    *,
    ignore: Iterable[str] = (),
) -> list[Finding]:
    """The findings for a Program: before a run, or with the result of a run and its record."""
    model = program.model() if outcome is None else outcome.model
    optimizer = None if outcome is None else outcome.optimizer
    if optimizer is None:
        optimizer = program.optimizer(model.parameters(), **program.options)
    case = Case(
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
    )
    return advised(examined(case, ignore), program)


def run_and_diagnose(
    program: Program, seed: int = 0, *, ignore: Iterable[str] = ()
) -> list[Finding]:
    """Train `program` once under a Recorder and return the findings."""
    recorder = Recorder()
    outcome = program.run(seed, recorder)
    return diagnose_program(program, outcome, recorder.record, ignore=ignore)
