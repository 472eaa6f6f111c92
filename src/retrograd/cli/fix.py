"""`retrograd fix`: remedies for what is wrong with a run, and which of them help."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from retrograd.diagnosis.remedies.trials import Fix, FixInterrupted, FixProgress
from retrograd.runs import Run, load
from retrograd.runs.fix import trials_json
from retrograd.store.names import FIX, OPTIONS
from retrograd.training.options import Options

__all__ = ["BUDGET", "SEEDS", "fix", "mend"]

SEEDS = 3
BUDGET = 30


def fix(
    run: Annotated[Path, typer.Argument(help="A run folder that `retrograd train` made.")],
    seeds: Annotated[int, typer.Option(min=2, help="Train each so many times.")] = SEEDS,
    budget: Annotated[int, typer.Option(min=2, help="Train at most so many times.")] = BUDGET,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Try the remedies for what was found, and keep those that are shown to help.

    Each is trained with several seeds, on top of those kept before it, and compared with them; the
    run as it is and a random change are trained too. The run itself stays as it is:
    RUN/fix/config.json has the changed options.

    [bold]Example:[/] retrograd fix runs/houses-1
    """
    mend(load(run), seeds, budget, Console(quiet=as_json), as_json)


def mend(run: Run, seeds: int, budget: int, console: Console, as_json: bool) -> None:
    """Try remedies for a run, and say what came of it; see `retrograd fix`.

    At Ctrl-C that is what was tried until then, and KeyboardInterrupt goes on.
    """
    try:
        with _reported(console) as progress:
            found = run.fix(seeds=range(seeds), budget=budget, progress=progress)
    except FixInterrupted as stop:
        _conclude(run, stop.so_far, console, as_json)
        raise
    _conclude(run, found, console, as_json)


def _conclude(run: Run, found: Fix[Options], console: Console, as_json: bool) -> None:
    path = None if not found.kept else run.path / FIX / OPTIONS
    if as_json:
        print(json.dumps({**trials_json(found), "config": path and str(path)}))
        return
    console.print(escape(str(found)), highlight=False, soft_wrap=True)
    if path is not None:
        data = shlex.quote(str(run.data_path or "DATA"))
        console.print(
            f"\nTo train with it: retrograd train {escape(data)} --config "
            f"{escape(shlex.quote(str(path)))}",
            highlight=False,
            soft_wrap=True,
        )


@contextmanager
def _reported(console: Console) -> Iterator[Callable[[FixProgress], None]]:
    """What is being trained, how far it is, how long it may take: a live line, or a line each."""
    if not console.is_terminal:
        yield lambda found: console.print(_line(found), highlight=False)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} trainings"),
        TimeRemainingColumn(),
        console=console,
    )
    task = bar.add_task("looking", total=None)

    def tell(found: FixProgress) -> None:
        bar.update(task, description=escape(found.doing), completed=found.done, total=found.most)

    with bar:
        yield tell


def _line(found: FixProgress) -> str:
    left = "" if found.seconds_left is None else f"  at most {found.seconds_left:.0f} s left"
    return f"{found.done}/{found.most} trainings: {escape(found.doing)}{left}"
