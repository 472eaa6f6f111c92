"""What is wrong with the run in a folder: as its training found, or as its record shows."""

from __future__ import annotations

from collections.abc import Sequence

from retrograd.diagnosis.catalogue import check_codes, ranked
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.examine import examined
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.record.record import Record
from retrograd.store.folder import RunFolder
from retrograd.store.model import load_options
from retrograd.store.names import FINDINGS, OPTIONS, RECORD

__all__ = [
    "muted_codes",
    "read_findings",
    "recorded_case",
    "run_record",
    "write_findings",
]


def run_record(folder: RunFolder) -> Record | None:
    """The record of a run; None if it was trained without a Recorder, or has just begun."""
    if not (folder.path / RECORD / "000.json").is_file():
        return None
    record = Record.open(folder.path).frozen()
    return record if len(record.steps) else None


def recorded_case(record: Record) -> Case:
    """What the record alone tells of a `retrograd train`: such a run ends with its best weights."""
    return Case(record=record, restores_best=True, shuffled=True)


def write_findings(folder: RunFolder, findings: Sequence[Finding]) -> None:
    """Stage what is wrong with a run that has just trained, for the report and `retrograd fix`."""
    folder.stage_json(FINDINGS, {"findings": [each.to_json() for each in findings]})


def muted_codes(folder: RunFolder) -> frozenset[str]:
    """The codes of findings that the run's options mute."""
    return check_codes(load_options(folder).ignored(), str(folder.path / OPTIONS))


def read_findings(folder: RunFolder) -> list[Finding] | None:
    """What is wrong with a run, but for what its options mute; None if it has no record.

    A run that has ended knows it; of one that still trains, or was killed, the record is looked at.
    """
    muted = muted_codes(folder)
    if FINDINGS in folder.manifest().files:
        found = map(Finding.from_json, folder.read_json(FINDINGS)["findings"])
        return ranked(each for each in found if each.code not in muted)
    record = run_record(folder)
    return None if record is None else examined(recorded_case(record), muted)
