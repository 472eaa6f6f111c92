"""Cells as Python has them, which workbooks and JSON hold, as a column of one type."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

__all__ = ["as_text", "column_of"]

# The types that cells have, and what a column of them alone becomes.
_TYPES: dict[frozenset[type], pa.DataType] = {
    frozenset({bool}): pa.bool_(),
    frozenset({int}): pa.int64(),
    frozenset({float}): pa.float64(),
    frozenset({int, float}): pa.float64(),
    frozenset({datetime.date}): pa.date32(),
    frozenset({datetime.datetime}): pa.timestamp("us"),
    frozenset({datetime.timedelta}): pa.duration("us"),
    frozenset({datetime.time}): pa.time64("us"),
}


def column_of(values: Sequence[Any]) -> pa.Array:
    """The cells, None where one is missing; texts where they are of different types."""
    kinds = frozenset(type(value) for value in values if value is not None)
    if kinds in _TYPES:
        return pa.array(values, _TYPES[kinds])
    return pa.array(list(map(as_text, values)), pa.large_string())


def as_text(value: Any) -> str | None:
    """A cell as a sheet shows it: 3.0 is 3, and a day has no midnight."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    return None if value is None else str(value)
