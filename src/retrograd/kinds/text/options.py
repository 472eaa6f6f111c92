"""The options for texts."""

from __future__ import annotations

from dataclasses import dataclass

from retrograd.kinds.table.options import TableOptions

__all__ = ["TextOptions"]


@dataclass(frozen=True, kw_only=True)
class TextOptions(TableOptions):
    """The options for texts: those of a table. Of a folder of texts the target is its label."""

    target: str = "label"
