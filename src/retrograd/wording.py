"""Small pieces of user-visible sentences."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["count", "did_you_mean", "first_line", "listed", "shown"]


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """ " Did you mean a or b?" for similar names in any letter case; "" if none is similar."""
    by_lower = {candidate.lower(): candidate for candidate in names}
    near = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(by_lower[key] for key in near)}?" if near else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """The names, separated by commas; past `most`, the number of the rest."""
    names = list(names)
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def count(number: int, noun: str, plural: str = "") -> str:
    """`number` and the noun, singular or plural: "1 row", "1,200 rows"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def shown(value: object, longest: int = 40) -> str:
    """A cell's contents in quotes, shortened if long."""
    text = str(value)
    return repr(text if len(text) <= longest else text[: longest - 3] + "...")


def first_line(error: Exception) -> str:
    """The first line of another library's message, as a sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".") + "."
