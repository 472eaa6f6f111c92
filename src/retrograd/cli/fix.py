"""`retrograd fix`: remedies for what is wrong with a run, and which of them help."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from retrograd.cli.options import AsJson, RunPath, whole
from retrograd.cli.speech import announce, print_json, say

if TYPE_CHECKING:
    from retrograd.diagnosis.remedies.trials import Fix, FixProgress
    from retrograd.runs import Run
    from retrograd.training.options import Options

__all__ = ["BUDGET", "SEEDS", "fix", "mend"]

SEEDS = 3
BUDGET = 30


def fix(
    run: RunPath,
    seeds: Annotated[
        int,
        typer.Option(metavar="N", help="How often each is trained.", parser=whole("--seeds", 2)),
    ] = SEEDS,
    budget: Annotated[
        int,
        typer.Option(
            metavar="N", help="The maximum number of trainings.", parser=whole("--budget", 2)
        ),
    ] = BUDGET,
    as_json: AsJson = False,
) -> None:
    """Try the remedies for what was found, and keep those that are shown to help.

    Each is trained with several seeds, on top of those kept before it, and compared with them; the
    run as it is and a random change are trained too. The run itself stays as it is:
    RUN/fix/config.json has the changed options.

    [bold]Example:[/] retrograd fix runs/houses-1
    """
    announce(f"Looking at {run}.", as_json)
    from retrograd.runs import load

    mend(load(run), seeds, budget, Console(quiet=as_json), as_json)


def mend(run: Run, seeds: int, budget: int, console: Console, as_json: bool) -> None:
    """Try remedies for a run, and say what came of it; see `retrograd fix`.

    At Ctrl-C that is what was tried until then, and KeyboardInterrupt goes on.
    """
    from retrograd.diagnosis.remedies.trials import FixInterrupted

    try:
        with _reported(console) as progress:
            found = run.fix(seeds=range(seeds), budget=budget, progress=progress)
    except FixInterrupted as stop:
        _conclude(run, stop.so_far, console, as_json)
        raise
    _conclude(run, found, console, as_json)


def _conclude(run: Run, found: Fix[Options], console: Console, as_json: bool) -> None:
    from retrograd.runs.fix import trials_json
    from retrograd.store.names import FIX, OPTIONS

    path = None if not found.kept else run.path / FIX / OPTIONS
    if as_json:
        print_json({**trials_json(found), "config": path and str(path)})
        return
    say(console, str(found))
    if path is not None:
        command = ["retrograd", "train", str(run.data_path or "DATA"), "--config", str(path)]
        say(console, f"\nTo train with it: {shlex.join(command)}")


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
