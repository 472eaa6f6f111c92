"""One training run from the command line: data read, folder made, trained, scored, reported."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from retrograd.cli.progress import reporter
from retrograd.cli.show import show_columns, show_findings, show_notes, show_scores
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.nan.failing_run import FailingRun
from retrograd.diagnosis.recorder import Recorder
from retrograd.errors import DataError, Interrupted, RunError, UsageError
from retrograd.kinds.base.kind import DataSpec, Prepared
from retrograd.kinds.registry import prepare
from retrograd.report import write_run_report
from retrograd.store import (
    RunFolder,
    RunLog,
    kind_in,
    load_config,
    why_not_kept,
    write_recipe,
    write_scores,
)
from retrograd.store.findings import forget_findings, sure_findings, write_findings
from retrograd.store.folder import fingerprint
from retrograd.training import Verdict
from retrograd.training.options import Options
from retrograd.training.scores import Scores
from retrograd.wording import count

__all__ = ["HELD_OUT", "NEVER_SEEN", "judged_data", "resume", "run_origin", "start"]

_CHECKPOINT = "checkpoint.safetensors"
HELD_OUT = "rows held out to stop by"
NEVER_SEEN = "rows never seen in training"


def start(
    kind: str,
    origin: DataSpec,
    config: Options,
    out: Path | None,
    console: Console,
    as_json: bool,
) -> RunFolder:
    """Train a run of a kind and fill a new run folder; see `retrograd train`.

    Raises what the data room raises for data that cannot be used, before anything is written.
    """
    run = prepare(kind, origin, config)
    _introduce(console, run)
    folder = RunFolder.create(out, Path(origin.data).resolve().stem)
    try:
        write_recipe(folder, run, **_facts(origin, run))
        return _finish(folder, run, origin, console, as_json)
    except BaseException:
        # Nothing was reached that would be worth a folder, nor is it known why.
        if not any((folder.path / kept).exists() for kept in ("weights.safetensors", "failure")):
            folder.remove()
        raise


def resume(path: Path, changes: Mapping[str, Any], console: Console, as_json: bool) -> RunFolder:
    """Go on with the run at `path`, its options changed by `changes` (more epochs, say).

    Raises DataError if it was cut off before its first checkpoint, or if its data is gone or has
    changed, UsageError if nothing is left to do.
    """
    folder = RunFolder.open(path)
    missing = why_not_kept(folder, _CHECKPOINT)
    if missing is not None:
        raise DataError(missing)
    origin, kind = run_origin(folder), kind_in(folder)
    config = kind.options.from_json({**load_config(folder).to_json(), **changes}, "--set")
    run = prepare(kind.name, origin, config)
    run.trainer.load_state(folder.read_arrays(_CHECKPOINT))
    history = run.trainer.history
    if len(history.epochs) >= run.options.epochs or history.since_best() >= run.options.patience:
        is_over = len(history.epochs) >= run.options.epochs
        # None if it was killed between its last epoch and its end.
        reason = folder.manifest().get("verdict") or (
            Verdict.OUT_OF_EPOCHS if is_over else Verdict.CONVERGED
        )
        raise UsageError(
            f"The run in {path} has ended ({reason}, after {count(len(history.epochs), 'epoch')}). "
            "To train it longer give more --epochs or --set patience=..."
        )
    console.print(f"Going on with {escape(str(path))} after epoch {len(history.epochs)}.")
    forget_findings(folder)
    folder.write_lines("metrics.jsonl", [epoch.as_dict() for epoch in history.epochs])
    write_recipe(folder, run, **_facts(origin, run))
    return _finish(folder, run, origin, console, as_json)


def judged_data(folder: RunFolder) -> Any:
    """What a run's figures were measured on: rows never seen in training, or else held out.

    Raises DataError if the run's data is gone or has changed.
    """
    run = prepare(kind_in(folder).name, run_origin(folder), load_config(folder))
    return run.split.judging


def run_origin(folder: RunFolder) -> DataSpec:
    """Where a run's rows came from; DataError if they are gone or have changed."""
    data = folder.manifest()["data"]
    origin = DataSpec(data["path"], data["valid"], data["test"])
    if not Path(origin.data).exists() or fingerprint(Path(origin.data)) != data["sha256"]:
        raise DataError(
            f"The data {origin.data}, which the run in {folder.path} learned from, is gone or has "
            "changed; put it back, or start a new run."
        )
    return origin


def _introduce(console: Console, run: Prepared[Any]) -> None:
    show_columns(console, run.model.columns())
    show_notes(console, run.notes)
    config = run.options
    console.print(
        f"Training {escape(run.introduction)} on {count(len(run.train), 'row')}, stopping "
        f"by {count(len(run.validation), 'other')}: at most {count(config.epochs, 'epoch')} of "
        f"batches of {config.batch_size}.",
        highlight=False,
    )


def _facts(origin: DataSpec, run: Prepared[Any]) -> dict[str, Any]:
    """For the manifest: the kind of run, and its data by absolute path and fingerprint."""
    test = origin.test
    if isinstance(test, str):
        test = str(Path(test).resolve())
    return {
        "kind": run.model.kind,
        "data": {
            "path": str(Path(origin.data).resolve()),
            "sha256": fingerprint(Path(origin.data)),
            "valid": origin.validation and str(Path(origin.validation).resolve()),
            "test": test,
        },
        "task": run.model.task,
        "seed": run.options.asked.seed,
        "rows": {"train": len(run.train), "valid": len(run.validation)},
    }


def _finish(
    folder: RunFolder, run: Prepared[Any], origin: DataSpec, console: Console, as_json: bool
) -> RunFolder:
    """Train, score, report; raises Interrupted if Ctrl-C came before an epoch was over."""
    log = RunLog(folder, _facts(origin, run))
    watching = [FailingRun(folder.path / "failure"), Recorder(folder.path / "record")]
    try:
        run.fit([*watching, log, *reporter(console, as_json)])
    except RunError:
        if run.trainer.history.best is not None:
            write_findings(folder, run)
        log.checkpoint(run.trainer)
        raise
    if run.trainer.history.best is None:
        raise Interrupted(
            "Interrupted before the first epoch was over, so that there is nothing to keep."
        )
    console.print("Scoring it, and looking for what may be wrong.", highlight=False)
    scores = {HELD_OUT: run.model.score(run.split.validation)}
    if run.split.test is not None:
        scores[NEVER_SEEN] = run.model.score(run.split.test)
    write_scores(folder, scores)
    write_findings(folder, run)
    log.close(run.trainer)
    report = write_run_report(folder, run.model, run.split.judging)
    _conclude(folder, run, scores, sure_findings(folder), report, console, as_json)
    return folder


def _conclude(
    folder: RunFolder,
    run: Prepared[Any],
    scores: dict[str, Scores],
    findings: Sequence[Finding],
    report: Path,
    console: Console,
    as_json: bool,
) -> None:
    history = run.trainer.history
    best = history.best
    assert best is not None
    assert history.verdict is not None
    if as_json:
        print(
            json.dumps(
                {
                    "event": "end",
                    "verdict": history.verdict.value,
                    "epochs": len(history.epochs),
                    "best_epoch": best.epoch,
                    "scores": {name: each.to_json() for name, each in scores.items()},
                    "findings": [each.to_json() for each in findings],
                    "run": str(folder.path),
                    "report": str(report),
                }
            )
        )
        return
    console.print(
        f"{_VERDICTS[history.verdict]} The weights of epoch {best.epoch} are kept.\n",
        highlight=False,
    )
    show_scores(console, scores)
    show_findings(console, findings)
    console.print(f"\nrun folder  {escape(str(folder.path))}", soft_wrap=True, highlight=False)
    console.print(f"report      {escape(str(report))}", soft_wrap=True, highlight=False)
    if history.verdict is Verdict.INTERRUPTED:
        console.print(
            f"To go on: retrograd train --resume {escape(shlex.quote(str(folder.path)))}",
            soft_wrap=True,
            highlight=False,
        )


_VERDICTS = {
    Verdict.CONVERGED: "Converged: the error on the rows held out has stopped falling.",
    Verdict.OUT_OF_EPOCHS: "Out of epochs: all that were asked for have been run.",
    Verdict.OUT_OF_TIME: "Out of time.",
    Verdict.INTERRUPTED: "Interrupted; what was reached is kept.",
}
