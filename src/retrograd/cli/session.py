"""One training run from the command line: data read, folder made, trained, scored, reported."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
from rich.console import Console
from rich.markup import escape

from retrograd.artifact import RunFolder, RunLog, load_config, write_recipe, write_scores
from retrograd.artifact.folder import fingerprint
from retrograd.cli.progress import reporter
from retrograd.cli.show import show_columns, show_notes, show_scores
from retrograd.data import (
    Schema,
    infer_schema,
    labelled_rows,
    read_table,
    split_rows,
    take_rows,
    target_values,
)
from retrograd.errors import DataError, RunError, UsageError, about
from retrograd.report import write_run_report
from retrograd.train import Verdict
from retrograd.train.config import TrainConfig
from retrograd.train.scores import Scores
from retrograd.train.table import TableRun, prepare_table

__all__ = ["HELD_OUT", "NEVER_SEEN", "Source", "measured_rows", "resume", "start"]

HELD_OUT = "rows held out to stop by"
NEVER_SEEN = "rows never seen in training"

Frame = nw.DataFrame[Any]


@dataclass(frozen=True)
class Source:
    """Where the rows come from: a table, and a share of it or another table for each other use."""

    data: str
    valid: str | None = None  # a table; a share is in the configuration
    test: str | None = None  # a table or a share

    def facts(self) -> dict[str, Any]:
        """For the manifest: absolute paths and fingerprints."""
        return {
            "data": {
                "path": str(Path(self.data).resolve()),
                "sha256": fingerprint(Path(self.data)),
                "valid": self.valid and str(Path(self.valid).resolve()),
                "test": self.test
                if share(self.test)
                else self.test and str(Path(self.test).resolve()),
            }
        }


def share(text: str | None) -> float | None:
    """The share of rows that `text` says, if it is a number; else it names a table.

    Raises UsageError for a number that is not between 0 and 1.
    """
    try:
        number = float(text or "")
    except ValueError:
        return None
    if not 0 < number < 1:
        raise UsageError(f"A share of rows lies between 0 and 1; found {text}.")
    return number


def start(
    source: Source, config: TrainConfig, out: Path | None, console: Console, as_json: bool
) -> RunFolder:
    """Train on a table and fill a new run folder; see `retrograd train`.

    Raises what the data room raises for a table that cannot be used, before anything is written.
    """
    run, test = _prepare(source, config)
    _introduce(console, run)
    folder = RunFolder.create(out, Path(source.data).stem)
    try:
        write_recipe(folder, run, **_facts(source, run))
        return _finish(folder, run, test, source, console, as_json)
    except BaseException:
        # Nothing was reached that would be worth a folder.
        if not (folder.path / "weights.safetensors").exists():
            folder.remove()
        raise


def resume(path: Path, changes: Mapping[str, Any], console: Console, as_json: bool) -> RunFolder:
    """Go on with the run at `path`, its options changed by `changes` (more epochs, say).

    Raises DataError if its table is gone or has changed, UsageError if nothing is left to do.
    """
    folder = RunFolder.open(path)
    source = _source(folder)
    config = TrainConfig.from_json({**load_config(folder).to_json(), **changes}, "--set")
    run, test = _prepare(source, config)
    run.trainer.load_state(folder.read_arrays("checkpoint.safetensors"))
    history = run.trainer.history
    assert run.config.epochs is not None
    assert run.config.patience is not None
    if len(history.epochs) >= run.config.epochs or history.since_best() >= run.config.patience:
        raise UsageError(
            f"The run in {path} has ended ({folder.manifest().get('verdict')}, after "
            f"{len(history.epochs)} epochs). To train it longer give more --epochs or "
            "--set patience=..."
        )
    console.print(f"Going on with {escape(str(path))} after epoch {len(history.epochs)}.")
    folder.write_lines("metrics.jsonl", [epoch.as_dict() for epoch in history.epochs])
    write_recipe(folder, run, **_facts(source, run))
    return _finish(folder, run, test, source, console, as_json)


def measured_rows(folder: RunFolder) -> Frame:
    """The rows that a run's figures were measured on: never seen in training, or else held out.

    Raises DataError if the run's table is gone or has changed.
    """
    run, test = _prepare(_source(folder), load_config(folder))
    return run.valid_frame if test is None else test


def _source(folder: RunFolder) -> Source:
    """Where a run's rows came from, if they are still what they were."""
    data = folder.manifest()["data"]
    source = Source(data["path"], data["valid"], data["test"])
    if not Path(source.data).is_file() or fingerprint(Path(source.data)) != data["sha256"]:
        raise DataError(
            f"The table {source.data}, which the run in {folder.path} learned from, is gone or has "
            "changed; put it back, or start a new run."
        )
    return source


def _prepare(source: Source, config: TrainConfig) -> tuple[TableRun, Frame | None]:
    """The run made ready, and the rows that it will never see."""
    notes: list[str] = []
    with about(source.data):
        frame = read_table(source.data, notes)
        schema = infer_schema(frame, config.target, config.kinds, config.task)
    fraction = share(source.test)
    test = None
    if fraction is not None:
        frame, test = _split(frame, schema, fraction, config.seed, notes)
    elif source.test is not None:
        with about(source.test):
            test, _ = labelled_rows(read_table(source.test, notes), schema)
    valid = None
    if source.valid is not None:
        with about(source.valid):
            valid, _ = labelled_rows(read_table(source.valid, notes), schema)
    with about(source.data if source.valid is None else f"{source.data} or {source.valid}"):
        run = prepare_table(frame, config, valid, schema)
    run.notes[:0] = notes
    return run, test


def _split(
    frame: Frame, schema: Schema, fraction: float, seed: int, notes: list[str]
) -> tuple[Frame, Frame]:
    frame, _ = labelled_rows(frame, schema)
    classes = None
    if schema.task == "classification":
        classes = target_values(frame, schema)
    kept, held = split_rows(len(frame), fraction, seed, classes, notes)
    return take_rows(frame, kept), take_rows(frame, held)


def _introduce(console: Console, run: TableRun) -> None:
    show_columns(console, run.model.schema)
    show_notes(console, run.notes)
    size = sum(parameter.numel() for parameter in run.model.network.parameters())
    config = run.config
    console.print(
        f"Training {type(run.model.network).__name__} ({config.members} members, {config.depth} "
        f"layers of {config.width}, {size:,} weights) on {len(run.train):,} rows, stopping by "
        f"{len(run.valid):,} others: at most {config.epochs} epochs of batches of "
        f"{config.batch_size}.",
        highlight=False,
    )


def _facts(source: Source, run: TableRun) -> dict[str, Any]:
    return {
        **source.facts(),
        "task": run.model.schema.task,
        "seed": run.config.seed,
        "rows": {"train": len(run.train), "valid": len(run.valid)},
    }


def _finish(
    folder: RunFolder,
    run: TableRun,
    test: Frame | None,
    source: Source,
    console: Console,
    as_json: bool,
) -> RunFolder:
    """Train, score, report."""
    log = RunLog(folder, _facts(source, run))
    try:
        run.fit([log, *reporter(console, as_json)])
    except RunError:
        log.checkpoint(run.trainer)
        raise
    scores = {HELD_OUT: run.model.score(run.valid_frame)}
    if test is not None:
        scores[NEVER_SEEN] = run.model.score(test)
    write_scores(folder, scores)
    report = write_run_report(folder, run.model, test if test is not None else run.valid_frame)
    log.close(run.trainer)
    _conclude(folder, run, scores, report, console, as_json)
    return folder


def _conclude(
    folder: RunFolder,
    run: TableRun,
    scores: dict[str, Scores],
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
