"""The data that a command is given: a path, or a table on standard input."""

from __future__ import annotations

from pathlib import Path

from retrograd.data.tables.files.contents import Contents, standard_input

__all__ = ["given", "name_of"]

_PIPED = "-"


def given(data: Path) -> Path | Contents:
    """The path, or what is piped in if that is "-"."""
    return standard_input() if str(data) == _PIPED else data


def name_of(data: Path) -> str:
    """What messages call it."""
    return "standard input" if str(data) == _PIPED else data.name
