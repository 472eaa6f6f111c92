"""A run's training: its folder made and filled, scored, looked at and reported."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.data.tables.files.contents import bare_name
from retrograd.diagnosis.nan.failing_run import FailingRun
from retrograd.diagnosis.recorder import Recorder
from retrograd.errors import DataError, Interrupted, RunError, UsageError
from retrograd.kinds.base.kind import DataSpec, Prepared, path_of
from retrograd.report import write_run_report
from retrograd.runs.data import RunData
from retrograd.runs.events import RunCallback
from retrograd.runs.findings import keep_findings
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
    MANIFEST,
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
from retrograd.wording import count

__all__ = ["resume_run", "start_run"]

Array = np.ndarray[Any, Any]


def start_run(
    kind: str,
    spec: DataSpec,
    options: Options,
    out: Path | None,
    callbacks: Sequence[Callback],
) -> tuple[RunFolder, RunData, Prepared[Any]]:
    """Train a run of a kind and fill a new folder.

    Data that cannot be used is refused before anything is written; a run that reached nothing
    worth keeping leaves no folder.
    """
    data = RunData.read(kind, spec, options)
    prepared = data.prepared(options)
    _tell_prepared(callbacks, prepared)
    path = path_of(spec.data)
    folder = RunFolder.create(out, prepared.model.kind if path is None else bare_name(path))
    with folder.writing():
        try:
            _train(folder, data, prepared, callbacks)
        except BaseException:
            # Nothing was reached that would be worth a folder, nor is it known why.
            if not (_has(folder, WEIGHTS, CHECKPOINT) or (folder.path / FAILURE).exists()):
                folder.remove()
            raise
    return folder, data, prepared


def resume_run(
    folder: RunFolder,
    data: RunData,
    changes: Mapping[str, Any],
    callbacks: Sequence[Callback],
) -> Prepared[Any]:
    """Train a run further on its own data, some options changed (more epochs, say).

    A run without a checkpoint is trained from its start; one that was killed after its last epoch
    is scored and reported. Raises DataError if the data is another, UsageError if nothing is left
    to do or if a change would make another run of it.
    """
    options = _changed(folder, changes)
    prepared = data.prepared(options)
    if _text(prepared.model.to_json()) != _text(folder.read_json(PREPROCESSING)):
        raise DataError(
            f"The data is not what the run in {folder.path} learned from: measured again, its "
            "training rows differ. Give the same data, or start a new run."
        )
    checkpoint = folder.read_arrays(CHECKPOINT) if _has(folder, CHECKPOINT) else {}
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
    _train(folder, data, prepared, callbacks, checkpoint)
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


def _has(folder: RunFolder, *names: str) -> bool:
    """Whether the run has one of these files."""
    manifest = folder.path / MANIFEST
    return manifest.is_file() and any(name in folder.manifest().files for name in names)


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
    if not (_has(folder, SCORES) and (folder.path / REPORT).is_file()):
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
        prepared.fit([FailingRun(folder.path / FAILURE), recorder, log, *callbacks])
    except RunError:
        if trainer.history.best is not None:
            keep_findings(folder, prepared)
        log.checkpoint(trainer)
        raise
    if trainer.history.best is None:
        raise Interrupted(_before_the_first_epoch(folder))
    for callback in callbacks:
        if isinstance(callback, RunCallback):
            callback.on_scoring()
    split = prepared.split
    parts = {VALIDATION: split.validation, TEST: split.test}
    write_scores(
        folder,
        {name: prepared.model.score(each) for name, each in parts.items() if each is not None},
    )
    keep_findings(folder, prepared)
    log.close(trainer)
    write_run_report(folder, prepared.model, split.judging)


def _before_the_first_epoch(folder: RunFolder) -> str:
    if not _has(folder, CHECKPOINT):
        return "Interrupted before the first epoch was over, so that there is nothing to keep."
    return (
        "Interrupted before the first epoch was over; what was reached of it is kept. To go on: "
        f"retrograd train --resume {shlex.quote(str(folder.path))}"
    )


def _tell_prepared(callbacks: Sequence[Callback], prepared: Prepared[Any]) -> None:
    for callback in callbacks:
        if isinstance(callback, RunCallback):
            callback.on_prepared(prepared)


def _text(contents: Mapping[str, Any]) -> str:
    return json.dumps(contents, sort_keys=True)
