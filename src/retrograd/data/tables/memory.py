"""Tables in memory: data frames, mappings of columns, and pairs of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd.data.tables.table import as_table
from retrograd.errors import DataError, UsageError
from retrograd.wording import count

__all__ = ["PAIR_TARGET", "is_pair", "table_in_memory"]

PAIR_TARGET = "y"
"""The target column of a pair of arrays; the others are x0, x1, ..."""


def is_pair(data: Any) -> bool:
    """Whether `data` is (X, y), two NumPy arrays."""
    return (
        isinstance(data, tuple)
        and len(data) == 2
        and all(isinstance(each, np.ndarray) for each in data)
    )


def table_in_memory(data: Any) -> nw.DataFrame[pa.Table]:
    """The rows of a data frame (pandas, polars, pyarrow), of columns by name, or of a pair (X, y).

    X alone, for prediction, has the columns of the pair without its target.

    Columns by name are a mapping, or an object with `column_names` that gives a column for each, as
    a Hugging Face `Dataset` does. Raises DataError for columns of different lengths, and UsageError
    for anything else.
    """
    if is_pair(data):
        x, y = data
        _check_pair(x, y)
        data = {**_columns(x), PAIR_TARGET: y}
    elif isinstance(data, np.ndarray) and data.ndim == 2:
        data = _columns(data)
    elif not isinstance(nw.from_native(data, pass_through=True), nw.DataFrame | nw.LazyFrame):
        if hasattr(data, "column_names"):
            data = {name: data[name] for name in data.column_names}
        if not isinstance(data, Mapping):
            raise UsageError(
                f"Found data of type {type(data).__name__}; expected a path, a pandas, "
                "polars or pyarrow table, columns by name, or a pair (X, y) of NumPy arrays."
            )
    table = _from_columns(data) if isinstance(data, Mapping) else as_table(data)
    return nw.from_native(table, eager_only=True)


def _columns(x: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {f"x{place}": x[:, place] for place in range(x.shape[1])}


def _check_pair(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> None:
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y):
        raise DataError(
            f"X is an array of shape {x.shape} and y of {y.shape}; expected (rows, columns) and "
            "(rows,)."
        )


def _from_columns(columns: Mapping[str, Any]) -> pa.Table:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        told = [f"{name!r} has {count(rows, 'row')}" for name, rows in lengths.items()]
        raise DataError(f"The columns have different lengths: {', '.join(told)}.")
    arrays = {}
    for name, column in columns.items():
        try:
            arrays[str(name)] = pa.array(column)
        except (pa.ArrowException, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(
                f"The column {name!r} cannot be read: {reason} Give it values of one type, one a "
                "row."
            ) from error
    return pa.table(arrays)
