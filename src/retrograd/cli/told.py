"""What the command says of a run that it trains: before, while it trains, and at the end."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from retrograd.cli.show import show_columns, show_findings, show_scores
from retrograd.cli.speech import print_json, say, say_notes
from retrograd.kinds.base.kind import Prepared
from retrograd.report.words.run import ROWS
from retrograd.runs import Run, RunCallback
from retrograd.runs.progress import reporter
from retrograd.store.names import REPORT, VALIDATION
from retrograd.training import Callback, Epoch, Trainer, Verdict
from retrograd.wording import count

__all__ = ["Told"]

_VERDICTS = {
    Verdict.CONVERGED: "Converged: the error on the rows held out has stopped falling.",
    Verdict.OUT_OF_EPOCHS: "Out of epochs: all that were asked for have been run.",
    Verdict.OUT_OF_TIME: "Out of time.",
    Verdict.INTERRUPTED: "Interrupted; what was reached is kept.",
}


class Told:
    """How a training is told, in sentences or as lines of JSON; `resumed` is the run it resumes."""

    def __init__(self, console: Console, as_json: bool, resumed: Path | None = None) -> None:
        self.console = console
        self.as_json = as_json
        self._teller: Sentences | JsonLines
        self._teller = JsonLines() if as_json else Sentences(console, resumed)

    def callbacks(self) -> list[Callback]:
        """What `rg.train` is to call."""
        return [self._teller, *([] if self.as_json else reporter(self.console))]

    def conclude(self, run: Run) -> None:
        """How the training ended, its figures, what is wrong, and where all of it is."""
        if self.as_json:
            print_json(self._end(run))
        else:
            self._conclude(run)

    def _end(self, run: Run) -> dict[str, Any]:
        best, verdict = run.history.best, run.history.verdict
        return {
            "event": "end",
            "verdict": verdict and verdict.value,
            "epochs": len(run.history.epochs),
            "best_epoch": best and best.epoch,
            "scores": {part: each.to_json() for part, each in run.scores.items()},
            "findings": [each.to_json() for each in run.findings()],
            "left_out": self._teller.left_out,
            "run": str(run.path),
            "report": str(run.path / REPORT),
        }

    def _conclude(self, run: Run) -> None:
        history, scores = run.history, run.scores
        assert history.best is not None
        assert history.verdict is not None
        ended = f"{_VERDICTS[history.verdict]} The weights of epoch {history.best.epoch} are kept."
        say(self.console, f"{ended}\n")
        for part, each in scores.items():
            show_scores(self.console, ROWS[part], each)
        if [*scores] == [VALIDATION]:
            say(
                self.console,
                "These rows chose the epoch, so the figures flatter it; --test 0.2 keeps others "
                "aside.",
                "[dim]note:[/] ",
            )
        show_findings(self.console, run.findings())
        say(self.console, f"\nrun folder  {run.path}")
        say(self.console, f"report      {run.path / REPORT}")
        if history.verdict is Verdict.INTERRUPTED:
            resume = shlex.join(["retrograd", "train", "--resume", str(run.path)])
            say(self.console, f"To go on: {resume}")


class Sentences(RunCallback):
    """What is to be trained, on what, and that it is over."""

    def __init__(self, console: Console, resumed: Path | None) -> None:
        self.console = console
        self.resumed = resumed
        self.left_out: Sequence[str] = ()

    def on_damage(self, notes: Sequence[str]) -> None:
        say_notes(self.console, notes)

    def on_prepared(self, prepared: Prepared[Any]) -> None:
        if self.resumed is not None:
            done = len(prepared.trainer.history.epochs)
            say(self.console, f"Resuming {self.resumed} after epoch {done}.")
            return
        show_columns(self.console, prepared.model.columns())
        say_notes(self.console, prepared.notes)
        options = prepared.options
        say(
            self.console,
            f"Training {prepared.introduction} on {count(len(prepared.train), 'row')}, stopping by "
            f"{count(len(prepared.validation), 'other')}: at most "
            f"{count(options.epochs, 'epoch')} of batches of {options.batch_size}.",
        )

    def on_scoring(self) -> None:
        say(self.console, "Scoring it, and looking for what may be wrong.")

    def on_left_out(self, what: Sequence[str]) -> None:
        self.left_out = what
        say_notes(self.console, [f"Left out for the time limit: {each}." for each in what])


class JsonLines(RunCallback):
    """One JSON object before training and one an epoch, on standard output."""

    def __init__(self) -> None:
        self.left_out: Sequence[str] = ()
        self._damage: Sequence[str] = ()

    def on_damage(self, notes: Sequence[str]) -> None:
        self._damage = notes

    def on_prepared(self, prepared: Prepared[Any]) -> None:
        split = prepared.split
        parts = {"train": split.train, "validation": split.validation, "test": split.test}
        print_json(
            {
                "event": "start",
                "columns": [each._asdict() for each in prepared.model.columns()],
                "rows": {name: len(each) for name, each in parts.items() if each is not None},
                "notes": [*self._damage, *prepared.notes],
            }
        )

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        print_json({"event": "epoch", **epoch.as_dict()})

    def on_left_out(self, what: Sequence[str]) -> None:
        self.left_out = what
