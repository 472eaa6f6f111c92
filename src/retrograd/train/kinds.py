"""The kinds of run: what each learns from, and how a run is made ready from files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrograd.errors import UsageError
from retrograd.train.config import TrainConfig
from retrograd.train.fitted import FittedModel, Origin, Run
from retrograd.train.table import TableConfig, TableModel
from retrograd.train.table_files import prepare_table_files

__all__ = ["KINDS", "Kind", "kind_of"]


@dataclass(frozen=True)
class Kind:
    """One kind of run: its options, its model, and how files become a run made ready.

    `task` is the --task that asks for it, `takes` whether a path is something only it learns from.
    `needs_target` says what to add to the command where a target column must be named.
    """

    config: type[TrainConfig]
    model: type[FittedModel]
    prepare: Callable[[Origin, Any], Run]
    takes: Callable[[Path], bool]
    task: str | None = None
    needs_target: bool = True


# The first that takes the data is meant, where the task does not say; a table is the last resort.
KINDS: dict[str, Kind] = {
    "table": Kind(TableConfig, TableModel, prepare_table_files, lambda path: True),
}


def kind_of(data: Path, task: str | None) -> str:
    """The kind of run that is meant by learning `task` from `data`.

    Raises UsageError for a folder or file that nothing learns from.
    """
    for name, kind in KINDS.items():
        if kind.task is not None and kind.task == task:
            return name
    for name, kind in KINDS.items():
        if kind.task is None and kind.takes(data):
            return name
    raise UsageError(f"{data} is nothing that can be learned from.")
