"""The options for texts."""

from __future__ import annotations

from dataclasses import dataclass

from retrograd.kinds.base.resolved import Resolved
from retrograd.kinds.table.options import TableOptions

__all__ = ["ResolvedTexts", "TextOptions"]


@dataclass(frozen=True, kw_only=True)
class TextOptions(TableOptions):
    """The options for texts: those of a table. The target of a folder of texts is its label."""

    target: str = "label"


@dataclass(frozen=True, kw_only=True)
class ResolvedTexts(Resolved[TableOptions]):
    """With the number of tokens up to which a text is read."""

    max_tokens: int
