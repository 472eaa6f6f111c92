"""The kinds of run by name: which one learns from given data, and the three steps in one call."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from retrograd.errors import UsageError
from retrograd.kinds.base.kind import DataSpec, Kind, Prepared
from retrograd.kinds.forecast.kind import FORECAST
from retrograd.kinds.images.kind import IMAGES
from retrograd.kinds.language.kind import LANGUAGE
from retrograd.kinds.signals.kind import SIGNALS
from retrograd.kinds.table.kind import TABLE
from retrograd.kinds.text.kind import TEXT
from retrograd.training.options import Options

__all__ = ["KINDS", "kind_of", "prepare"]

_ALL: tuple[Kind[Any, Any], ...] = (
    LANGUAGE,
    FORECAST,
    SIGNALS,
    IMAGES,
    TEXT,
    TABLE,
)

KINDS: dict[str, Kind[Any, Any]] = {kind.name: kind for kind in _ALL}
"""Without a task, the first kind that holds the data; a table is the last resort."""


def kind_of(data: Any, task: str | None = None, asked: Collection[str] = ()) -> str:
    """The name of the kind that learns `task` from `data`, a path or values in memory.

    The names of the options that were `asked` for may tell it. Raises UsageError for data that no
    kind learns from.
    """
    for name, kind in KINDS.items():
        if kind.task is not None and kind.task == task:
            return name
    for name, kind in KINDS.items():
        if kind.task is None and (kind.claims(data, asked) or kind.holds(data)):
            return name
    raise UsageError(
        f"{data} holds nothing that can be learned from; expected a table, an .npz file, or a "
        "folder with images or .txt files in a sub-folder for each class."
    )


def prepare(kind: str, spec: DataSpec, options: Options) -> Prepared[Any]:
    """Read, split and build; the data decides whether a table is of the kind "text".

    Raises DataError and UsageError for what cannot be used; nothing is trained or written.
    """
    parts = KINDS[kind].read(spec, options)
    found = KINDS[parts.train.kind]
    return found.build(found.split(parts, options), options)
