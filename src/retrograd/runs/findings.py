"""What is wrong with a run: its record judged, with its model and its data where they are there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.examine import examined
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import Record
from retrograd.errors import DataError, UsageError
from retrograd.kinds.base.fitted import FittedModel
from retrograd.kinds.base.kind import Prepared
from retrograd.store import RunFolder
from retrograd.store.findings import read_findings, recorded_case, run_record, write_findings
from retrograd.store.names import RECORD
from retrograd.training.objective import Classification, Regression
from retrograd.training.sources import Rows

__all__ = ["keep_findings", "sure_findings", "sure_record", "trained_case"]


def trained_case(record: Record, prepared: Prepared[Any], model: FittedModel) -> Case:
    """The record, and the trained model and its data too, where the checks can look at them."""
    case, objective = recorded_case(record), prepared.trainer.objective
    train, validation = prepared.train, prepared.validation
    if not (isinstance(train, Rows) and isinstance(validation, Rows)):
        return case
    if not isinstance(objective, Regression | Classification):
        return case
    return replace(
        case,
        model=model.network,
        task=model.task,
        names=train.names,
        train=Data(tuple(train.inputs), np.asarray(train.target)),
        valid=Data(tuple(validation.inputs), np.asarray(validation.target)),
        answer=objective.answer,
        batch_size=prepared.options.batch_size,
    )


def keep_findings(folder: RunFolder, prepared: Prepared[Any]) -> None:
    """Write what is wrong with a run that has just trained."""
    record = run_record(folder)
    found = [] if record is None else examined(trained_case(record, prepared, prepared.model))
    write_findings(folder, found)


def sure_record(folder: RunFolder) -> Record:
    """The record of a run; DataError if it has none, or one without steps."""
    record = Record.open(folder.path)
    if not len(record.steps):
        raise DataError(
            f"{folder.path / RECORD} holds no step: its files were cut short, or training had "
            "just begun. Copy the run folder again as a whole, or train again."
        )
    return record


def sure_findings(folder: RunFolder) -> list[Finding]:
    """What training found wrong with a run; UsageError for a run without a record."""
    found = read_findings(folder)
    if found is None:
        raise UsageError(
            f"{folder.path} has no record of its training, so that nothing can be found wrong with "
            "it. Train again with this version."
        )
    return found
