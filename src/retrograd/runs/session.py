"""A run's training: its folder made and filled, scored, looked at and reported."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
from retrograd.store.findings import forget_findings
from retrograd.store.log import write_epochs
from retrograd.store.names import (
    CHECKPOINT,
    FAILURE,
    PREPROCESSING,
    RECORD,
    TEST,
    VALIDATION,
    WEIGHTS,
)
from retrograd.training import Callback, Verdict
from retrograd.training.options import Options
from retrograd.wording import count

__all__ = ["resume_run", "start_run"]


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
    folder = RunFolder.create(out, prepared.model.kind if path is None else path.resolve().stem)
    try:
        _train(folder, data, prepared, callbacks)
    except BaseException:
        # Nothing was reached that would be worth a folder, nor is it known why.
        if not any((folder.path / kept).exists() for kept in (WEIGHTS, FAILURE)):
            folder.remove()
        raise
    return folder, data, prepared


def resume_run(
    folder: RunFolder,
    data: RunData,
    changes: Mapping[str, Any],
    callbacks: Sequence[Callback],
) -> Prepared[Any]:
    """Train a run further on its own data, its options changed (more epochs, say).

    Raises DataError if the data is another, UsageError if nothing is left to do.
    """
    options = kind_in(folder).options.from_json(
        {**load_options(folder).to_json(), **changes}, "the options"
    )
    prepared = data.prepared(options)
    if _text(prepared.model.to_json()) != _text(folder.read_json(PREPROCESSING)):
        raise DataError(
            f"The data is not what the run in {folder.path} learned from: measured again, its "
            "training rows differ. Give the same data, or start a new run."
        )
    checkpoint = folder.read_arrays(CHECKPOINT)
    try:
        prepared.trainer.load_state(checkpoint)
    except (KeyError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"The options make another network than that of the run in {folder.path}, and its "
            f"weights do not fit; start a new run with them. ({error})"
        ) from error
    _refuse_if_ended(folder, prepared)
    _tell_prepared(callbacks, prepared)
    forget_findings(folder)
    write_epochs(folder, prepared.trainer.history.epochs)
    _train(folder, data, prepared, callbacks)
    return prepared


def _refuse_if_ended(folder: RunFolder, prepared: Prepared[Any]) -> None:
    history, epochs = prepared.trainer.history, prepared.options.epochs
    is_over = len(history.epochs) >= epochs
    if not is_over and history.since_best() < prepared.options.patience:
        return
    # None if it was killed between its last epoch and its end.
    reason = folder.manifest().verdict or (Verdict.OUT_OF_EPOCHS if is_over else Verdict.CONVERGED)
    raise UsageError(
        f"The run in {folder.path} has ended ({reason}, after "
        f"{count(len(history.epochs), 'epoch')}). To train it longer give more epochs (--epochs) "
        "or more patience (--set patience=...)."
    )


def _train(
    folder: RunFolder, data: RunData, prepared: Prepared[Any], callbacks: Sequence[Callback]
) -> None:
    """Train, score, report; raises Interrupted if Ctrl-C came before an epoch was over."""
    manifest = data.manifest(prepared)
    write_recipe(folder, prepared.options.to_options(), prepared.model, manifest)
    log = RunLog(folder, manifest)
    watching = [FailingRun(folder.path / FAILURE), Recorder(folder.path / RECORD)]
    trainer = prepared.trainer
    try:
        prepared.fit([*watching, log, *callbacks])
    except RunError:
        if trainer.history.best is not None:
            keep_findings(folder, prepared)
        log.checkpoint(trainer)
        raise
    if trainer.history.best is None:
        raise Interrupted(
            "Interrupted before the first epoch was over, so that there is nothing to keep."
        )
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


def _tell_prepared(callbacks: Sequence[Callback], prepared: Prepared[Any]) -> None:
    for callback in callbacks:
        if isinstance(callback, RunCallback):
            callback.on_prepared(prepared)


def _text(contents: Mapping[str, Any]) -> str:
    return json.dumps(contents, sort_keys=True)
