"""X in scikit-learn's sense as a table, and sample weights, both checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import scipy.sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from retrograd.data import Column, Schema, Target
from retrograd.data.tables.cells import is_number
from retrograd.data.tables.columns import judge, read_as
from retrograd.data.tables.facts import gather
from retrograd.data.tables.table import as_table
from retrograd.errors import DataError
from retrograd.wording import listed, shown

__all__ = ["checked_table", "checked_weights", "schema_of"]

Array = np.ndarray[Any, Any]


def checked_table(estimator: Any, x: Any, *, reset: bool, least: int = 1) -> pa.Table:
    """X as an Arrow table of at least `least` rows; its features are those that were fitted.

    Raises ValueError and TypeError as scikit-learn's estimators do.
    """
    if nw.dependencies.is_into_dataframe(x):
        validate_data(estimator, x, reset=reset, skip_check_array=True)
        table = as_table(x)
        if table.num_rows < least:
            raise ValueError(
                f"Found a table with {table.num_rows} sample(s), where a minimum of {least} is "
                "required."
            )
    else:
        array = validate_data(
            estimator,
            x,
            reset=reset,
            accept_sparse=("csr", "csc", "coo"),
            accept_large_sparse=True,
            dtype=(np.float64, np.float32),
            ensure_all_finite="allow-nan",
            ensure_min_samples=least,
        )
        dense = array.toarray() if scipy.sparse.issparse(array) else array
        columns = [np.ascontiguousarray(dense[:, place]) for place in range(dense.shape[1])]
        table = pa.table(
            [pa.array(each) for each in columns], names=list(map(str, range(len(columns))))
        )
    return table.rename_columns(_names(estimator))


def _names(estimator: Any) -> list[str]:
    """The features' own names, or x0, x1, ..."""
    names = getattr(estimator, "feature_names_in_", None)
    return [f"x{place}" for place in range(estimator.n_features_in_)] if names is None else [*names]


def checked_weights(weight: Any, rows: int, name: str = "sample_weight") -> Array:
    """(rows,) float64 weights, 1 for None.

    Raises ValueError for another shape, a negative weight, or weights that are all zero.
    """
    if weight is None:
        return np.ones(rows)
    array: Array = check_array(weight, ensure_2d=False, dtype=np.float64, input_name=name)
    if array.shape != (rows,):
        raise ValueError(f"{name} has shape {array.shape}; expected ({rows},), one for each row.")
    if (array < 0).any():
        row = int(np.argmax(array < 0))
        raise ValueError(f"{name} is {array[row]} in row {row}; expected at least 0.")
    if not array.any():
        raise ValueError(f"Sample weights are all zero: {name} must hold at least one above zero.")
    return array


def schema_of(table: pa.Table, categorical: Any) -> Schema:
    """How each column is read: by its type, and a column of texts by its values.

    `categorical` names the categories: "from_dtype", or their names, places or a mask.

    Raises DataError for free text, and if nothing is left to learn from.
    """
    forced = _categories(table, categorical)
    columns = [
        _column(name, column, name in forced)
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    if texts := [column.name for column in columns if column.kind == "text"]:
        raise DataError(
            f"These columns hold free text: {listed(map(shown, texts))}. Turn them into numbers (a "
            "TfidfVectorizer in a ColumnTransformer), leave them out, or train with rg.train, "
            "which reads text."
        )
    # What is predicted is kept apart: it may have several columns, and rows have weights.
    schema = Schema(Target("", "classification", "", 0, 0), tuple(columns))
    if not schema.features:
        reasons = [f"{each.name} ({each.kind}: {each.reason})" for each in columns]
        raise DataError(f"There is no column to learn from: {listed(reasons)}.")
    return schema


def _column(name: str, cells: pa.ChunkedArray, is_category: bool) -> Column:
    if is_category or pa.types.is_dictionary(cells.type):
        return read_as(gather(name, cells), "category")
    if pa.types.is_boolean(cells.type):
        return read_as(gather(name, cells), "flag")
    if is_number(cells.type):
        return Column(
            name, "number", f"of type {cells.type}", cells.null_count / max(len(cells), 1)
        )
    return judge(gather(name, cells))


def _categories(table: pa.Table, categorical: str | Sequence[Any] | None) -> set[str]:
    names = table.column_names
    if categorical is None or isinstance(categorical, str):
        return set()
    chosen = np.asarray(categorical)
    if chosen.dtype.kind == "b":
        chosen = np.flatnonzero(chosen)
    found = {each if isinstance(each, str) else names[each] for each in chosen.tolist()}
    if unknown := found - {*names}:
        raise DataError(
            f"categorical_features names {listed(map(shown, sorted(unknown)))}, which X does not "
            f"have. Its columns: {listed(names, most=30)}."
        )
    return found
