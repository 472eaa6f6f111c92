"""`rg.train` and `rg.load`."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from retrograd.data.files import existing_file
from retrograd.errors import UsageError
from retrograd.kinds.base.kind import DataSpec, path_of
from retrograd.kinds.registry import KINDS, kind_of
from retrograd.runs.deadline import Deadline
from retrograd.runs.progress import with_progress
from retrograd.runs.run import Run
from retrograd.runs.session import start_run
from retrograd.store import RunFolder
from retrograd.training import Callback

__all__ = ["load", "start", "train"]


def train(
    data: Any,
    target: Any = None,
    *,
    task: str | None = None,
    valid: Any = None,
    test: Any = None,
    model: str | None = None,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
    **options: Any,
) -> Run:
    """Train a network on data, and keep all of it in a run folder, as `retrograd train` does.

        run = rg.train("houses.csv", target="price", test=0.2, epochs=20)
        run = rg.train(frame, target="price")
        run = rg.train(x, y)

    `data` is the path of a table, an NPZ file, a text or a folder; or values in memory: a pandas,
    polars or pyarrow table, a mapping of columns, or arrays `(rows, ...)`. `target` names the
    column to predict, or is an array `(rows,)`. `valid` and `test` are a share of the rows, or data
    of their own, to stop by and to be judged on. `out` is the folder to make, by default
    runs/NAME-1, -2, ...; a run that is there is replaced by `force` alone. `options` are those of
    `retrograd train --set`; `time_limit` is for all of it, in seconds, from reading the data to the
    report. `progress` shows how far training is.

    Ctrl-C ends training and keeps what was reached. Raises UsageError and DataError for options and
    data that cannot be used, before anything is written; RunError for a loss that is not finite.
    """
    asked = {**options, **_given(task=task, model=model)}
    if isinstance(target, str):
        asked["target"] = target
    elif target is not None:
        data = (data, target)
    if isinstance(valid, float):
        asked["valid"], valid = valid, None  # kept with the options, so that they say it all
    return start(
        DataSpec(data, valid, test),
        asked,
        out=out,
        force=force,
        callbacks=with_progress(callbacks, progress),
    )


def start(
    spec: DataSpec,
    options: Mapping[str, Any],
    *,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    callbacks: Sequence[Callback] = (),
    started: float | None = None,
) -> Run:
    """`train` with all options by name, the target and a share to stop by among them.

    `started` is when the time began that is limited, a `time.monotonic()`.
    """
    started = time.monotonic() if started is None else started
    path, out = path_of(spec.data), None if out is None else Path(out)
    if path is not None and not path.is_dir():
        existing_file(path)
    if out is not None:
        RunFolder.refuse_taken(out, force)
    kind = KINDS[kind_of(spec.data, options.get("task"), options)]
    options = {**kind.assumed(spec.data), **options}
    if kind.needs_target and "target" not in options:
        raise UsageError(
            f"Name the column of {spec.name or 'the data'} to predict: target=... in Python, "
            "--target COLUMN in the command."
        )
    chosen = kind.options.from_json(options, "the options")
    deadline = Deadline(chosen.time_limit, started)
    return Run(*start_run(kind.name, spec, chosen, out, force, callbacks, deadline))


def load(path: str | os.PathLike[str]) -> Run:
    """The run in a folder that `rg.train` or `retrograd train` made.

    Raises DataError for a path that is not one, or that another version wrote.
    """
    return Run(RunFolder.open(path))


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
