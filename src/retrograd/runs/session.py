"""A run's training: its folder made and filled, scored, looked at and reported."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.data.tables.files.contents import bare_name
from retrograd.diagnosis.nan.failing_run import FailingRun
from retrograd.diagnosis.recorder import Recorder
from retrograd.errors import DataError, Interrupted, RunError, UsageError
from retrograd.kinds.base.kind import DataSpec, Prepared, Split, path_of
from retrograd.report import Effort, write_recorded_report, write_run_report
from retrograd.runs.data import RunData
from retrograd.runs.deadline import Deadline
from retrograd.runs.events import RunCallback
from retrograd.runs.findings import keep_findings
from retrograd.runs.seen import keep_seen
from retrograd.store import (
    RunFolder,
    RunLog,
    kind_in,
    load_options,
    write_recipe,
    write_scores,
)
from retrograd.store.log import write_epochs
from retrograd.store.names import (
    CHECKPOINT,
    FAILURE,
    FINDINGS,
    PREPROCESSING,
    RECORD,
    REPORT,
    SCORES,
    TEST,
    VALIDATION,
    WEIGHTS,
)
from retrograd.training import Callback, Verdict
from retrograd.training.options import Options
from retrograd.training.scores import Scores
from retrograd.wording import count

__all__ = ["judged_part", "resume_run", "start_run"]

# The share of what is left that looking for faults may use; the report gets the rest.
_CHECKS = 0.6

Array = np.ndarray[Any, Any]


def start_run(
    kind: str,
    spec: DataSpec,
    options: Options,
    out: Path | None,
    force: bool,
    callbacks: Sequence[Callback],
    deadline: Deadline,
) -> tuple[RunFolder, RunData, Prepared[Any]]:
    """Train a run of a kind and fill a new folder; by `force` in place of a run that is at `out`.

    Data that cannot be used is refused before anything is written; a run that reached nothing
    worth keeping leaves no folder, or the one that was there.
    """
    data = RunData.read(kind, spec, options)
    prepared = data.prepared(options)
    _tell_prepared(callbacks, prepared)
    path = path_of(spec.data)
    name = prepared.model.kind if path is None else bare_name(path)
    with RunFolder.set_aside(out if force else None):
        folder = RunFolder.create(out, name)
        with folder.writing():
            try:
                _train(folder, data, prepared, callbacks, deadline)
            except BaseException:
                # Nothing was reached that would be worth a folder, nor is it known why.
                if not (folder.has(WEIGHTS, CHECKPOINT) or (folder.path / FAILURE).exists()):
                    folder.remove()
                raise
    return folder, data, prepared


def resume_run(
    folder: RunFolder,
    data: RunData,
    changes: Mapping[str, Any],
    callbacks: Sequence[Callback],
    started: float,
) -> Prepared[Any]:
    """Train a run further on its own data, some options changed (more epochs, say).

    A run without a checkpoint is trained from its start; one that was killed after its last epoch
    is scored and reported. The time limit counts from `started`. Raises DataError if the data is
    another, UsageError if nothing is left to do or if a change would make another run of it.
    """
    options = _changed(folder, changes)
    prepared = data.prepared(options)
    if _measured(prepared.model.to_json()) != _measured(folder.read_json(PREPROCESSING)):
        raise DataError(
            f"The data is not what the run in {folder.path} learned from: measured again, its "
            "training rows differ. Give the same data, or start a new run."
        )
    checkpoint = folder.read_arrays(CHECKPOINT) if folder.has(CHECKPOINT) else {}
    if checkpoint:
        try:
            prepared.trainer.load_state(checkpoint)
        except (KeyError, ValueError, RuntimeError) as error:
            raise UsageError(
                f"The options make another network than that of the run in {folder.path}, and its "
                f"weights do not fit; start a new run with them. ({error})"
            ) from error
    _refuse_if_ended(folder, prepared)
    for callback in callbacks:
        if isinstance(callback, RunCallback) and folder.notes:
            callback.on_damage(folder.notes)
    _tell_prepared(callbacks, prepared)
    write_epochs(folder, prepared.trainer.history.epochs)
    for stale in (REPORT, *([] if checkpoint else [RECORD])):
        _remove(folder.path / stale)
    deadline = Deadline(prepared.options.asked.time_limit, started)
    _train(folder, data, prepared, callbacks, deadline, checkpoint)
    return prepared


def _changed(folder: RunFolder, changes: Mapping[str, Any]) -> Options:
    """The run's options with some changed; UsageError for a change that a resume cannot make."""
    kind, before = kind_in(folder).options, load_options(folder)
    options = kind.from_json({**before.to_json(), **changes}, "the options")
    for name in changes:
        if name not in kind.resumable and getattr(options, name) != getattr(before, name):
            raise UsageError(
                f"{name} is {getattr(before, name)!r} in the run in {folder.path}, and a run that "
                "is resumed keeps it: its rows and its weights would mean something else. Start a "
                "new run, or leave it out."
            )
    return options


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _refuse_if_ended(folder: RunFolder, prepared: Prepared[Any]) -> None:
    history, epochs = prepared.trainer.history, prepared.options.epochs
    is_over = len(history.epochs) >= epochs
    if not is_over and history.since_best() < prepared.options.patience:
        return
    if not (folder.has(SCORES) and (folder.path / REPORT).is_file()):
        return  # killed between its last epoch and its end, which is still to be written
    reason = folder.manifest().verdict or (Verdict.OUT_OF_EPOCHS if is_over else Verdict.CONVERGED)
    raise UsageError(
        f"The run in {folder.path} has ended ({reason}, after "
        f"{count(len(history.epochs), 'epoch')}). To train it longer give more epochs (--epochs) "
        "or more patience (--set patience=...)."
    )


def _train(
    folder: RunFolder,
    data: RunData,
    prepared: Prepared[Any],
    callbacks: Sequence[Callback],
    deadline: Deadline,
    checkpoint: Mapping[str, Array] | None = None,
) -> None:
    """Train, score, report; raises Interrupted if Ctrl-C came before an epoch was over."""
    manifest = data.manifest(prepared)
    write_recipe(folder, prepared.options.to_options(), prepared.model, manifest)
    recorder = Recorder(folder.path / RECORD)
    recorder.load_state(checkpoint or {})
    log = RunLog(folder, manifest, also=[recorder])
    trainer = prepared.trainer
    try:
        watching = [FailingRun(folder.path / FAILURE), recorder]
        prepared.fit([*watching, log, *callbacks], deadline.for_training)
    except RunError:
        if trainer.history.best is not None:
            keep_findings(folder, prepared)
        log.checkpoint(trainer)
        raise
    if trainer.history.best is None:
        raise Interrupted(_before_the_first_epoch(folder))
    told = [each for each in callbacks if isinstance(each, RunCallback)]
    for callback in told:
        callback.on_scoring()
    try:
        _judge(folder, prepared, log, deadline)
    except KeyboardInterrupt as stop:
        command = shlex.join(["retrograd", "report", str(folder.path)])
        raise Interrupted(
            f"Interrupted while the run was scored. Its weights are kept in {folder.path}; "
            f"`{command}` scores it and writes its report."
        ) from stop
    if deadline.left_out:
        for callback in told:
            callback.on_left_out(deadline.left_out)


def _judge(folder: RunFolder, prepared: Prepared[Any], log: RunLog, deadline: Deadline) -> None:
    """Score, look for what is wrong, report: as much of it as there is time for."""
    model, split = prepared.model, prepared.split
    scores: dict[str, Scores] = {}

    def score_validation() -> None:
        found = model.score(split.validation)
        scores[VALIDATION] = replace(found, stopped_by=found.rows)

    def score_test() -> None:
        scores[TEST] = model.score(split.test)

    bounded = deadline.bounded
    evaluate = "(`retrograd evaluate` measures them)"
    bounded(f"the figures on the rows to stop by {evaluate}", score_validation, grace=True)
    if split.test is not None:
        bounded(
            f"the figures on the rows never seen in training {evaluate}", score_test, grace=True
        )
    write_scores(folder, scores)
    bounded(
        "the fingerprints by which `evaluate` knows the training rows",
        lambda: keep_seen(folder, prepared),
    )
    if not bounded(
        "the checks that look at the network and its data (`retrograd diagnose` runs them)",
        lambda: keep_findings(folder, prepared),
        _CHECKS,
    ):
        folder.drop(FINDINGS)  # those of before a resume
    log.close(prepared.trainer)
    part, rows = judged_part(split)

    def report(effort: Effort) -> None:
        write_run_report(folder, model, rows, part, effort)

    if part not in scores:
        write_recorded_report(folder)
    elif not bounded(
        "which inputs matter, and why rows were predicted badly (`retrograd report` shows it)",
        lambda: report(Effort.BRIEF),
    ):
        report(Effort.NONE)


def judged_part(split: Split[Any]) -> tuple[str, Any]:
    """Which rows a run is judged by, "test" or else "validation", and these rows."""
    return (VALIDATION, split.validation) if split.test is None else (TEST, split.test)


def _before_the_first_epoch(folder: RunFolder) -> str:
    if not folder.has(CHECKPOINT):
        return "Interrupted before the first epoch was over, so that there is nothing to keep."
    return (
        "Interrupted before the first epoch was over; what was reached of it is kept. To go on: "
        f"retrograd train --resume {shlex.quote(str(folder.path))}"
    )


def _tell_prepared(callbacks: Sequence[Callback], prepared: Prepared[Any]) -> None:
    for callback in callbacks:
        if isinstance(callback, RunCallback):
            callback.on_prepared(prepared)


def _measured(preprocessing: Mapping[str, Any]) -> str:
    """What was measured, as text; not what a person was told, as options decide more by now."""
    return json.dumps(_without_notes(preprocessing), sort_keys=True)


def _without_notes(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_notes(each) for key, each in value.items() if key != "notes"}
    return value
