"""The error for Python numbers inside a compiled step: it shows the line, and both ways out."""

from __future__ import annotations

import linecache
import sys
from pathlib import Path
from traceback import walk_stack, walk_tb
from types import TracebackType
from typing import NoReturn

from retrograd.arrays import Array
from retrograd.errors import TraceError

__all__ = ["is_library", "refuse_number"]

_PACKAGE = str(Path(__file__).parents[1])


def refuse_number(what: str, array: Array, traceback: TracebackType | None = None) -> NoReturn:
    """Raise the TraceError for `what`, which needs the value of a traced array.

    It shows the innermost line of the user's code, on the stack or in `traceback`.
    """
    frames = walk_tb(traceback) if traceback is not None else walk_stack(sys._getframe(1))
    places = [(frame.f_code.co_filename, number) for frame, number in frames]
    if traceback is not None:
        places.reverse()
    name, number = next((place for place in places if not is_library(place[0])), ("?", 0))
    shape = "" if array is None else f" (a tensor of shape {array.shape})"
    raise TraceError(
        f"{name}:{number}: {what} needs a value that exists only when the compiled step runs{shape}"
        f"\n    {linecache.getline(name, number).strip()}\n"
        "Either keep the choice in the step, with where(condition, a, b), clip or a sum of masked "
        "terms; or take @compile away (or move this line out of the step), and Python sees the "
        "number."
    )


def is_library(name: str) -> bool:
    """Whether a file belongs to the library or an installed package, not to the user."""
    # "<stdin>" and a notebook's cells are the user's.
    return name.startswith((_PACKAGE, "<frozen", "<__array")) or "site-packages" in name
