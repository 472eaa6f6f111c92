"""What is wrong with the run in a folder, as far as its record shows."""

from __future__ import annotations

from collections.abc import Iterable

from retrograd.artifact import RunFolder, load_config
from retrograd.diagnose.case import Case
from retrograd.diagnose.diagnose import examined
from retrograd.diagnose.finding import Finding
from retrograd.diagnose.record import Record
from retrograd.errors import UsageError

__all__ = ["recorded_findings", "run_findings", "run_record"]


def run_record(folder: RunFolder) -> Record | None:
    """The record of a run; None if it was trained without a Recorder, or has just begun."""
    if not (folder.path / "record" / "000.json").is_file():
        return None
    record = Record.open(folder.path).frozen()
    return record if len(record.steps) else None


def recorded_findings(record: Record, ignore: Iterable[str] = ()) -> list[Finding]:
    """What the record of a `retrograd train` shows; such a run ends with its best weights."""
    return examined(Case(record=record, restores_best=True), ignore)


def run_findings(folder: RunFolder) -> list[Finding]:
    """What is wrong with a run, but for what its options mute; UsageError if it has no record."""
    record = run_record(folder)
    if record is None:
        raise UsageError(
            f"{folder.path} has no record of its training, so that nothing can be found wrong with "
            "it. Train again with this version."
        )
    return recorded_findings(record, load_config(folder).ignored())
