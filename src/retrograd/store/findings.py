"""What is wrong with the run in a folder: as its training found, or as its record shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from retrograd.diagnosis.catalogue import check_codes, ranked
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.examine import examined
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import Record
from retrograd.errors import UsageError
from retrograd.kinds.base.fitted import FittedModel
from retrograd.kinds.base.kind import Prepared
from retrograd.store import RunFolder, load_config
from retrograd.training.objective import Classification, Regression
from retrograd.training.sources import Rows

__all__ = [
    "forget_findings",
    "recorded_case",
    "run_findings",
    "run_record",
    "sure_findings",
    "trained_case",
    "write_findings",
]

_FILE = "findings.json"


def run_record(folder: RunFolder) -> Record | None:
    """The record of a run; None if it was trained without a Recorder, or has just begun."""
    if not (folder.path / "record" / "000.json").is_file():
        return None
    record = Record.open(folder.path).frozen()
    return record if len(record.steps) else None


def recorded_case(record: Record) -> Case:
    """What the record alone tells of a `retrograd train`: such a run ends with its best weights."""
    return Case(record=record, restores_best=True, shuffled=True)


def trained_case(record: Record, run: Prepared[Any], model: FittedModel) -> Case:
    """The record, and the trained model and its data too, where the checks can look at them."""
    case, objective = recorded_case(record), run.trainer.objective
    if not (isinstance(run.train, Rows) and isinstance(run.validation, Rows)):
        return case
    if not isinstance(objective, Regression | Classification):
        return case
    return replace(
        case,
        model=model.network,
        task=model.task,
        names=run.train.names,
        train=Data(tuple(run.train.inputs), np.asarray(run.train.target)),
        valid=Data(tuple(run.validation.inputs), np.asarray(run.validation.target)),
        answer=objective.answer,
        batch_size=run.options.batch_size,
    )


def write_findings(folder: RunFolder, run: Prepared[Any]) -> None:
    """Keep what is wrong with a run that has just trained, for the report and `retrograd fix`."""
    record = run_record(folder)
    found = [] if record is None else examined(trained_case(record, run, run.model))
    folder.write_json(_FILE, {"findings": [each.to_json() for each in found]})


def forget_findings(folder: RunFolder) -> None:
    """The run is about to be trained further: what was found does not hold any more."""
    (folder.path / _FILE).unlink(missing_ok=True)


def run_findings(folder: RunFolder) -> list[Finding] | None:
    """What is wrong with a run, but for what its options mute; None if it has no record.

    A run that has ended knows it; of one that goes on, or was killed, the record is looked at.
    """
    muted = load_config(folder).ignored()
    if _FILE in folder.manifest().get("files", {}):
        codes = check_codes(muted, str(folder.path / "config.json"))
        found = map(Finding.from_json, folder.read_json(_FILE)["findings"])
        return ranked(each for each in found if each.code not in codes)
    record = run_record(folder)
    return None if record is None else examined(recorded_case(record), muted)


def sure_findings(folder: RunFolder) -> list[Finding]:
    """The same; UsageError for a run without a record."""
    found = run_findings(folder)
    if found is None:
        raise UsageError(
            f"{folder.path} has no record of its training, so that nothing can be found wrong with "
            "it. Train again with this version."
        )
    return found
