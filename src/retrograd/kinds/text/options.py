"""The options for texts."""

from __future__ import annotations

from dataclasses import dataclass

from retrograd.kinds.table.options import TableOptions

__all__ = ["TextOptions"]


@dataclass(frozen=True, kw_only=True)
class TextOptions(TableOptions):
    """The options for texts: those of a table. The target of a folder of texts is its label."""

    target: str = "label"
