"""How the command speaks: sentences for people, JSON for programs."""

from __future__ import annotations

import json
import math
import sys
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

__all__ = ["announce", "print_json", "say", "say_notes"]


def say(console: Console, text: str, mark: str = "") -> None:
    """Print a sentence after a `mark` (rich markup).

    A terminal gets lines broken between words and never within one, so that a path can be copied;
    a file or a pipe gets one line.
    """
    if console.is_terminal:
        text = _broken(text, console.width, len(Text.from_markup(mark).plain))
    console.print(f"{mark}{escape(text)}", highlight=False, soft_wrap=True)


def _broken(text: str, width: int, taken: int) -> str:
    """The text with line ends between words; `taken` columns of the first line are in use."""
    wrapped = textwrap.TextWrapper(
        width, replace_whitespace=False, break_long_words=False, break_on_hyphens=False
    )
    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        wrapped.initial_indent, wrapped.subsequent_indent = " " * taken, indent
        lines.append(wrapped.fill(line)[taken:])
        taken = 0
    return "\n".join(lines)


def say_notes(console: Console, notes: Iterable[str]) -> None:
    """What a person should know, a line each."""
    for note in notes:
        say(console, note, "[yellow]note:[/] ")


def announce(text: str, is_silent: bool = False) -> None:
    """Say what is being done, before the slow libraries are imported, if somebody looks on."""
    if not is_silent and sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """One line of JSON; a number that is not finite, which JSON does not have, is null."""
    print(json.dumps(_plain(value), ensure_ascii=False, allow_nan=False, default=str), flush=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
