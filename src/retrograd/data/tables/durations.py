"""Texts that are times of day or lengths of time, as seconds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.tables.arrow import floats, mask, strings
from retrograd.data.tables.cells import Reading, is_text, read_numbers

__all__ = ["CLOCK", "read_seconds"]

CLOCK = "hours:minutes:seconds"
"""The layout of a column of such texts."""

# 1:05, 26:05:00.5, 3 days 04:05:06 as pandas writes it, 8:15 pm.
_PATTERN = (
    r"^(?P<minus>-)?(?:(?P<days>\d+) days?,? ?)?(?P<plus>\+)?"
    r"(?P<hours>\d+):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d(?:\.\d+)?))?"
    r"\s*(?P<half>(?i:[ap]\.?m\.?))?$"
)
_EMPTY, _ZERO = strings(["", "0"])


def read_seconds(cells: pa.Array) -> Reading:
    """Cells as seconds: texts such as 8:15, 10:30:05 and "2 days 03:00:00"; numbers as they are.

    `-1 days +23:00:00`, as pandas writes it, is an hour before 0.
    """
    if not is_text(cells.type):
        return read_numbers(cells)
    found = pc.extract_regex(cells, pattern=_PATTERN)
    fits = mask(found.is_valid())

    def part(name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        digits = found.field(name)  # "" where the part is left out, and where nothing fits
        return floats(pc.if_else(pc.equal(digits, _EMPTY), _ZERO, digits).cast(pa.float64()))

    def has(name: str, start: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return mask(pc.starts_with(pc.utf8_lower(found.field(name)), pattern=start))

    hours = part("hours")
    hours = np.where((has("half", "a") | has("half", "p")) & (hours == 12), 0, hours)
    clock = 3600 * (hours + 12 * has("half", "p")) + 60 * part("minutes") + part("seconds")
    days = 86400 * part("days")
    # Only the days are negative where a plus follows them.
    negative = np.where(has("plus", "+"), clock - days, -clock - days)
    values = np.where(has("minus", "-"), negative, days + clock)
    return Reading(np.where(fits, values, np.nan), mask(cells.is_valid()) & ~fits)
