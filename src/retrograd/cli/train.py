"""`retrograd train`: from data to a run folder."""

from __future__ import annotations

import json
import os
import shlex
import time as clock
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from retrograd.cli.fix import BUDGET, SEEDS, mend
from retrograd.cli.options import AsJson, Force
from retrograd.cli.speech import say
from retrograd.errors import UsageError

if TYPE_CHECKING:
    from retrograd.runs import Run

__all__ = ["train"]


def train(
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATA",
            help="A table (.csv, .parquet, .xlsx, ...), - for one that is piped in, or other data.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The column to predict.", show_default=False),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="regression or classification, where the target does not tell; forecast; "
            "language-model.",
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="For a forecast: the column that says when."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The architecture: auto, or one that fits the data."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=KIND", help="number, category, date, flag, text, identifier, ..."
        ),
    ] = None,
    sep: Annotated[
        str | None,
        typer.Option(help="What separates the fields of a text file, where that is not seen."),
    ] = None,
    valid: Annotated[
        str | None,
        typer.Option(metavar="SHARE|DATA", help="Rows to stop by: a share, or a table."),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(metavar="SHARE|DATA", help="Rows to report figures on, never trained on."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The run folder; by default runs/NAME-1, -2, ..."),
    ] = None,
    force: Force = False,
    epochs: Annotated[
        str | None, typer.Option(metavar="N", help="The maximum number of passes.")
    ] = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            metavar="SECONDS",
            help="The whole command's time: reading, training, scoring and the report.",
        ),
    ] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="N", help="The same seed gives the same run.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Options from a .json or .toml file, such as a run's."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any option, such as width=256; docs/command.md lists them.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu or gpu.")] = "auto",
    resume_: Annotated[
        Path | None,
        typer.Option("--resume", metavar="RUN", help="A run folder whose training is to go on."),
    ] = None,
    auto_fix: Annotated[
        bool, typer.Option("--auto-fix", help="Try remedies for what is found, as `fix` does.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a network on data and keep all of it in a run folder.

    [bold]Example:[/] retrograd train houses.csv --target price
    """
    started = clock.monotonic()
    console = Console(quiet=quiet or as_json)
    changes = {
        **_pairs("--set", set_),
        **_given(
            target=target,
            task=task,
            time=time,
            model=model,
            epochs=epochs,
            time_limit=time_limit,
            seed=seed,
            kinds=_pairs("--kind", kind) or None,
            sep=sep,
        ),
    }
    if resume_ is not None:
        fixed = {"target", "task", "time", "model", "seed", "valid", "test", "data"}
        if data or valid or test or out or force or config or changes.keys() & fixed:
            raise UsageError(
                "--resume goes on with a run as it was started, on its own data; beside it only "
                "--epochs, --time-limit, --set and the options of reporting make sense."
            )
    elif data is None:
        raise UsageError("Name the data to learn from: retrograd train houses.csv --target price")
    options = {**_file_options(config), **changes}
    say(console, f"Reading {resume_ or data}.")
    choose_device(device)
    from retrograd.cli.given import given
    from retrograd.cli.told import Told
    from retrograd.data.split import share
    from retrograd.kinds.base.kind import DataSpec
    from retrograd.runs import load, start

    told = Told(console, as_json, resume_)
    if resume_ is not None:
        run = load(resume_).resume(callbacks=told.callbacks(), started=started, **changes)
    else:
        assert data is not None  # which is refused above
        if share(valid) is not None:
            options["valid"], valid = share(valid), None
        spec = DataSpec(given(data), valid, test if share(test) is None else share(test))
        run = start(
            spec, options, out=out, force=force, callbacks=told.callbacks(), started=started
        )
    told.conclude(run)
    _go_on(run, auto_fix, console, as_json)


def _go_on(run: Run, auto_fix: bool, console: Console, as_json: bool) -> None:
    """Try remedies for a run that has just ended; KeyboardInterrupt if Ctrl-C ended it."""
    from retrograd.training import Verdict

    verdict = run.history.verdict
    is_cut = verdict in (Verdict.INTERRUPTED, Verdict.OUT_OF_TIME)
    if auto_fix and is_cut:
        command = shlex.join(["retrograd", "fix", str(run.path)])
        say(console, f"No remedy was tried. To try them: {command}")
    elif auto_fix:
        mend(run, SEEDS, BUDGET, console, as_json)
    if verdict is Verdict.INTERRUPTED:
        raise typer.Exit(130)


def choose_device(device: str) -> None:
    """Set what JAX computes on, before it is first used; UsageError for what is not there."""
    platforms = {"auto": None, "cpu": "cpu", "gpu": "cuda"}
    if device not in platforms:
        raise UsageError(f"--device is {device!r}; expected auto, cpu or gpu.")
    platform = platforms[device]
    if platform is None:
        return
    os.environ["JAX_PLATFORMS"] = platform
    import jax

    try:
        jax.devices()
    # Where JAX's plugin for CUDA is not installed, it fails by an assertion of its own.
    except (RuntimeError, AssertionError) as error:
        raise UsageError(
            f"--device {device}: JAX finds no {device.upper()} to compute on. Install JAX with "
            "CUDA (pip install 'jax[cuda13]'), or leave the option out."
        ) from error


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    """`KEY=VALUE` texts as a dict; the last "=" parts them, as a column's name may hold one."""
    pairs = {}
    for text in texts or ():
        name, equals, value = text.rpartition("=")
        if not equals or not name:
            example = "zip=category" if option == "--kind" else "width=256"
            raise UsageError(f"{option} {text!r}: expected KEY=VALUE, such as {example}.")
        pairs[name] = value
    return pairs


def _file_options(path: Path | None) -> dict[str, Any]:
    """The options in a JSON or TOML file."""
    if path is None:
        return {}
    from retrograd.data.files import existing_file

    text = existing_file(path).read_text("utf-8")
    try:
        options = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise UsageError(f"{path} is not {path.suffix[1:].upper() or 'JSON'}: {error}.") from error
    if not isinstance(options, dict):
        raise UsageError(f"{path}: expected options by name, found {type(options).__name__}.")
    return options
