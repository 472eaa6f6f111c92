"""What the command says of a run that it trains: before, while it trains, and at the end."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from retrograd.cli.show import show_columns, show_findings, show_notes, show_scores
from retrograd.kinds.base.kind import Prepared
from retrograd.runs import Run, RunCallback
from retrograd.runs.progress import reporter
from retrograd.store.names import REPORT, TEST, VALIDATION
from retrograd.training import Callback, Epoch, Trainer, Verdict
from retrograd.wording import count

__all__ = ["conclude", "told"]

_VERDICTS = {
    Verdict.CONVERGED: "Converged: the error on the rows held out has stopped falling.",
    Verdict.OUT_OF_EPOCHS: "Out of epochs: all that were asked for have been run.",
    Verdict.OUT_OF_TIME: "Out of time.",
    Verdict.INTERRUPTED: "Interrupted; what was reached is kept.",
}
# Which rows a figure is of.
_ROWS = {VALIDATION: "held out to stop by", TEST: "never seen in training"}


def told(console: Console, as_json: bool, resumed: Path | None = None) -> list[Callback]:
    """The callbacks by which a training reports itself; `resumed` is the run that it resumes."""
    if as_json:
        return [JsonLines()]
    return [Sentences(console, resumed), *reporter(console)]


class Sentences(RunCallback):
    """What is to be trained, on what, and that it is over."""

    def __init__(self, console: Console, resumed: Path | None) -> None:
        self.console = console
        self.resumed = resumed

    def on_damage(self, notes: Sequence[str]) -> None:
        show_notes(self.console, [*notes])

    def on_prepared(self, prepared: Prepared[Any]) -> None:
        if self.resumed is not None:
            done = len(prepared.trainer.history.epochs)
            self.console.print(f"Resuming {escape(str(self.resumed))} after epoch {done}.")
            return
        show_columns(self.console, prepared.model.columns())
        show_notes(self.console, prepared.notes)
        options = prepared.options
        self.console.print(
            f"Training {escape(prepared.introduction)} on {count(len(prepared.train), 'row')}, "
            f"stopping by {count(len(prepared.validation), 'other')}: at most "
            f"{count(options.epochs, 'epoch')} of batches of {options.batch_size}.",
            highlight=False,
        )

    def on_scoring(self) -> None:
        self.console.print("Scoring it, and looking for what may be wrong.", highlight=False)


class JsonLines(Callback):
    """One JSON object an epoch on standard output."""

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        print(json.dumps({"event": "epoch", **epoch.as_dict()}), flush=True)


def conclude(run: Run, console: Console, as_json: bool) -> None:
    """How a training ended, its figures, what is wrong, and where all of it is."""
    history, scores, findings = run.history, run.scores, run.findings()
    report = run.path / REPORT
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
                    "scores": {part: each.to_json() for part, each in scores.items()},
                    "findings": [each.to_json() for each in findings],
                    "run": str(run.path),
                    "report": str(report),
                }
            )
        )
        return
    console.print(
        f"{_VERDICTS[history.verdict]} The weights of epoch {best.epoch} are kept.\n",
        highlight=False,
    )
    for part, each in scores.items():
        show_scores(console, _ROWS[part], each)
    show_findings(console, findings)
    console.print(f"\nrun folder  {escape(str(run.path))}", soft_wrap=True, highlight=False)
    console.print(f"report      {escape(str(report))}", soft_wrap=True, highlight=False)
    if history.verdict is Verdict.INTERRUPTED:
        console.print(
            f"To go on: retrograd train --resume {escape(shlex.quote(str(run.path)))}",
            soft_wrap=True,
            highlight=False,
        )
