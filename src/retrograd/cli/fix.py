"""`retrograd fix`: remedies for what is wrong with a run, tried until one is shown to help."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from retrograd.cli.session import run_origin
from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.remedies.table import OPTION_REMEDIES
from retrograd.diagnosis.remedies.trials import (
    Fix,
    FixInterrupted,
    FixProgress,
    Scored,
    bounded,
    try_remedies,
)
from retrograd.diagnosis.remedies.variants import Variants
from retrograd.errors import RunError
from retrograd.kinds.base.kind import DataSpec, Kind
from retrograd.kinds.registry import prepare
from retrograd.store import RunFolder, kind_in, load_config
from retrograd.store.findings import sure_findings
from retrograd.training.history import Verdict
from retrograd.training.metrics import decisive
from retrograd.training.options import Options
from retrograd.training.scores import Scores

__all__ = ["SEEDS", "TRIES", "fix", "fix_run", "mend"]

SEEDS = 3
TRIES = 3


def fix(
    run: Annotated[Path, typer.Argument(help="A run folder that `retrograd train` made.")],
    seeds: Annotated[int, typer.Option(min=2, help="Train each so many times.")] = SEEDS,
    tries: Annotated[int, typer.Option(min=1, help="Try at most so many remedies.")] = TRIES,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Try the remedies for what was found, and keep the first that is shown to help.

    Each is trained for the same budget with several seeds, beside the run as it is and beside a
    random change. The run itself stays as it is: RUN/fix/config.json has the changed options.

    [bold]Example:[/] retrograd fix runs/houses-1
    """
    mend(RunFolder.open(run), seeds, tries, Console(quiet=as_json), as_json)


def mend(folder: RunFolder, seeds: int, tries: int, console: Console, as_json: bool) -> None:
    """Try remedies for a run, and say what came of it; see `retrograd fix`.

    At Ctrl-C that is what was tried until then, and KeyboardInterrupt goes on.
    """
    try:
        with _reported(console) as progress:
            found = fix_run(folder, seeds=range(seeds), tries=tries, progress=progress)
    except FixInterrupted as stop:
        _conclude(folder, stop.so_far, console, as_json)
        raise
    _conclude(folder, found, console, as_json)


def _conclude(folder: RunFolder, found: Fix[Options], console: Console, as_json: bool) -> None:
    path = _written(folder, found)
    if as_json:
        print(json.dumps(_told(found, path)))
        return
    console.print(escape(str(found)), highlight=False, soft_wrap=True)
    if path is not None:
        data = shlex.quote(folder.manifest()["data"]["path"])
        console.print(
            f"\nTo train with it: retrograd train {escape(data)} --config "
            f"{escape(shlex.quote(str(path)))}",
            highlight=False,
            soft_wrap=True,
        )


def fix_run(
    folder: RunFolder,
    *,
    seeds: Sequence[int],
    tries: int,
    findings: Sequence[Finding] | None = None,
    progress: Callable[[FixProgress], None] | None = None,
) -> Fix[Options]:
    """Try remedies for a run's options; see `retrograd.diagnosis.fix.fix`.

    Raises UsageError for a run without a record, DataError if its data is gone or has changed,
    FixInterrupted at Ctrl-C.
    """
    if findings is None:
        findings = sure_findings(folder)
    kind, origin = kind_in(folder), run_origin(folder)

    def variants(finding: Finding, remedy: Remedy) -> Variants[Options]:
        return OPTION_REMEDIES.variants(remedy.change, config, finding)

    def train(options: Options, seed: int) -> Scored:
        return _train(kind, origin, options.replaced(seed=config.seed + seed))

    config = load_config(folder)
    return try_remedies(
        config,
        findings,
        variants,
        train,
        random=lambda besides: OPTION_REMEDIES.random(config, besides, config.seed),
        seeds=seeds,
        tries=tries,
        progress=progress,
    )


def _train(kind: Kind[Any, Any], origin: DataSpec, config: Options) -> Scored:
    run = prepare(kind.name, origin, config)
    try:
        # The loop takes Ctrl-C for the end of one run; here it is meant for all of them, and what
        # was cut short has no score that could stand beside others.
        if run.fit().verdict is Verdict.INTERRUPTED:
            raise KeyboardInterrupt
    except RunError:  # it diverged, and has the best weights so far
        if run.trainer.history.best is None:
            return Scored(-1.0, -1.0)
    split = run.split
    held = _figure(run.model.score(split.validation))
    return Scored(held, held if split.test is None else _figure(run.model.score(split.test)))


def _figure(scores: Scores) -> float:
    """One figure of merit, higher is better, in a scale on which -1 is useless.

    An error is counted in shares of the baseline's.
    """
    metric = decisive(scores.metrics)
    value, baseline = scores.metrics[metric.key], scores.baseline[metric.key]
    if not metric.greater_is_better:
        value = 1 - value / baseline if baseline else -value
    return bounded(value, -1.0)


def _written(folder: RunFolder, found: Fix[Options]) -> Path | None:
    """Write the changed options and what was tried into RUN/fix; the path of the options."""
    place = folder.path / "fix"
    if not found.trials:
        return None
    place.mkdir(exist_ok=True)
    beside = RunFolder(place)
    beside.write_json("trials.json", _told(found, None))
    path = place / "config.json"
    if found.kept is None:
        path.unlink(missing_ok=True)  # of an earlier fix, which no longer holds
        return None
    beside.write_json("config.json", found.subject.to_json())
    return path


def _told(found: Fix[Options], path: Path | None) -> dict[str, object]:
    trials = [
        {
            "finding": trial.finding and trial.finding.code,
            "change": trial.change,
            "before": trial.before,
            "after": trial.after,
            "gain": trial.gain,
            "spread": trial.spread,
            "helped": trial.helped,
        }
        for trial in (*found.trials, *([] if found.random is None else [found.random]))
    ]
    by_hand = [{"finding": f.code, "remedy": remedy.text} for f, remedy in found.by_hand]
    return {
        "trials": trials,
        "by_hand": by_hand,
        "kept": found.kept and found.kept.change,
        "config": path and str(path),
        "interrupted": found.interrupted,
    }


@contextmanager
def _reported(console: Console) -> Iterator[Callable[[FixProgress], None]]:
    """What is being trained, how far it is, how long it may take: a live line, or a line each."""
    if not console.is_terminal:
        yield lambda done: console.print(_line(done), highlight=False)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} trainings"),
        TimeRemainingColumn(),
        console=console,
    )
    task = bar.add_task("looking", total=None)

    def tell(done: FixProgress) -> None:
        bar.update(task, description=escape(done.doing), completed=done.done, total=done.most)

    with bar:
        yield tell


def _line(done: FixProgress) -> str:
    left = "" if done.seconds_left is None else f"  at most {done.seconds_left:.0f} s left"
    return f"{done.done}/{done.most} trainings: {escape(done.doing)}{left}"
