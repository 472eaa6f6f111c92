"""Arrow arrays to NumPy and back through their buffers.

`pyarrow.array`, `pyarrow.scalar` and `Array.to_numpy` import pandas where it is installed (0.2 s of
a command that takes a few); buffers do not, and a large array is read without copying it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["floats", "integers", "mask", "nulled", "numbers", "row_numbers", "strings"]


def floats(array: pa.Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    """float64 (n,) of a numeric or boolean Arrow array; nulls become NaN."""
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.uint8())
    values = _values(array.cast(pa.float64(), safe=False), np.float64)
    if array.null_count:
        values = np.where(mask(array.is_null()), np.nan, values)
    return values


def integers(array: pa.Array, missing: int = -1) -> np.ndarray[Any, np.dtype[np.int64]]:
    """int64 (n,) of an integer Arrow array; nulls become `missing`."""
    values = _values(array.cast(pa.int64()), np.int64)
    if array.null_count:
        values = np.where(mask(array.is_null()), missing, values)
    return values


def mask(array: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """bool (n,) of a boolean Arrow array without nulls."""
    return _values(array.cast(pa.uint8()), np.uint8).view(np.bool_)


def strings(texts: Sequence[str]) -> pa.Array:
    """An Arrow array of large strings."""
    encoded = [text.encode() for text in texts]
    ends = np.zeros(len(encoded) + 1, np.int64)
    np.cumsum([len(text) for text in encoded], out=ends[1:])
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(encoded), buffers)


def numbers(values: np.ndarray[Any, np.dtype[np.float64]]) -> pa.Array:
    """A float64 Arrow array."""
    values = np.ascontiguousarray(values, np.float64)
    return pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(values)])


def row_numbers(index: np.ndarray[Any, np.dtype[Any]]) -> pa.Array:
    """An int64 Arrow array of row numbers, for `take`."""
    index = np.ascontiguousarray(index, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(index), [None, pa.py_buffer(index)])


def nulled(array: pa.Array, where: pa.Array) -> pa.Array:
    """`array` with the cells marked in `where` missing."""
    return pc.if_else(where, pa.nulls(1, array.type)[0], array)


def _values(array: pa.Array, dtype: type[np.generic]) -> np.ndarray[Any, Any]:
    if len(array) == 0:
        return np.empty(0, dtype)
    return np.frombuffer(array.buffers()[1], dtype)[array.offset : array.offset + len(array)]
