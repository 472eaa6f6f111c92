"""Tables on disk to a run made ready, its rows to stop by and to be judged on set aside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import narwhals as nw

from retrograd.data import (
    Schema,
    infer_schema,
    labelled_rows,
    split_rows,
    take_rows,
    target_values,
)
from retrograd.data.split import share
from retrograd.data.texts.folder import parts_of
from retrograd.errors import about
from retrograd.kinds.base.fitted import Origin, Run
from retrograd.kinds.base.frame import TableOptions, read_frame
from retrograd.kinds.table.model import prepare_table

__all__ = ["prepare_table_files"]

Frame = nw.DataFrame[Any]


def prepare_table_files(origin: Origin, config: TableOptions) -> Run:
    """The run that `prepare_table` makes of the tables that `origin` names.

    Raises what the data room raises for a table that cannot be used.
    """
    notes: list[str] = []
    with about(origin.data):
        parts = parts_of(origin.data) if Path(origin.data).is_dir() else {}
        frame = read_frame(parts.get("train", Path(origin.data)), notes)
        schema = infer_schema(frame, config.target, config.kinds, config.task)
    # What is named on the command line goes before what a folder has beside its `train`.
    found = {part: str(path) for part, path in parts.items()}
    origin = replace(
        origin,
        valid=origin.valid or found.get("valid"),
        test=origin.test or found.get("test"),
    )
    fraction = share(origin.test)
    test = None
    if fraction is not None:
        frame, test = _split(frame, schema, fraction, config.seed, notes)
    elif origin.test is not None:
        test = _labelled(origin.test, schema, notes)
    valid = None if origin.valid is None else _labelled(origin.valid, schema, notes)
    with about(origin.data if origin.valid is None else f"{origin.data} or {origin.valid}"):
        run = prepare_table(frame, config, valid, schema)
    run.notes[:0] = notes
    run.test = test
    return run


def _labelled(path: str, schema: Schema, notes: list[str]) -> Frame:
    with about(path):
        return labelled_rows(read_frame(Path(path), notes), schema)[0]


def _split(
    frame: Frame, schema: Schema, fraction: float, seed: int, notes: list[str]
) -> tuple[Frame, Frame]:
    frame, _ = labelled_rows(frame, schema)
    classes = None
    if schema.task == "classification":
        classes = target_values(frame, schema)
    kept, held = split_rows(len(frame), fraction, seed, classes, notes)
    return take_rows(frame, kept), take_rows(frame, held)
