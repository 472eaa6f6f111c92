"""The names of a table's columns, as a file gives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from retrograd.errors import DataError
from retrograd.wording import listed, shown

__all__ = ["checked_names"]


def checked_names(source: str, header: Sequence[str]) -> list[str]:
    """The names without the spaces around them.

    Raises DataError for columns that are unnamed or share a name, and for a header of numbers.
    """
    names = [name.strip() for name in header]
    unnamed = [str(place) for place, name in enumerate(names, 1) if not name]
    if unnamed:
        raise DataError(
            f"{source}: {'columns' if len(unnamed) > 1 else 'column'} {listed(unnamed)} of "
            f"{len(names)} has no name. Name every column in the header "
            "(a nameless first column is often a saved row index: leave it out when saving)."
        )
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated or _are_numbers(names):
        what = (
            f"the column name {listed(map(shown, repeated))} occurs more than once"
            if repeated
            else f"every column name is a number ({listed(names, most=3)})"
        )
        raise DataError(
            f"{source}: {what}. Give every column its own name; if the first line is already "
            "data, put a header line above it."
        )
    return names


def _are_numbers(names: Sequence[str]) -> bool:
    """Whether the header line holds data; years alone may be names."""
    try:
        return not all(float(name).is_integer() for name in names)
    except ValueError:
        return False
