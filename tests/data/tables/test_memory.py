"""A table in memory is taken in whatever form it has; anything else is refused by its type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from retrograd.data.tables.memory import table_in_memory
from retrograd.errors import DataError, UsageError

COLUMNS = {"size": [40.5, 60.0], "town": ["Albany", "Cusco"]}


class Columns:
    """As a Hugging Face `Dataset` is: the names of its columns, and each by its name."""

    column_names = ("size", "town")

    def __getitem__(self, name: str) -> list[Any]:
        return COLUMNS[name]


@pytest.mark.parametrize(
    "data",
    [pa.table(COLUMNS), pd.DataFrame(COLUMNS), pl.DataFrame(COLUMNS), COLUMNS, Columns()],
    ids=["pyarrow", "pandas", "polars", "mapping", "Hugging Face"],
)
def test_every_form_of_a_table_is_the_same_rows(data: Any) -> None:
    assert table_in_memory(data).to_dict(as_series=False) == COLUMNS


def test_a_pair_of_arrays_becomes_columns_by_number() -> None:
    frame = table_in_memory((np.array([[1.0, 2.0], [3.0, 4.0]]), np.array(["a", "b"])))
    assert frame.to_dict(as_series=False) == {"x0": [1.0, 3.0], "x1": [2.0, 4.0], "y": ["a", "b"]}


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="'size' has 2 rows, 'town' has 1 row"):
        table_in_memory({"size": [1, 2], "town": ["Albany"]})
    with pytest.raises(DataError, match=r"\(2, 2\) and y of \(3,\)"):
        table_in_memory((np.ones((2, 2)), np.ones(3)))


def test_columns_may_have_no_rows() -> None:
    assert table_in_memory({"town": []}).shape == (0, 1)


def test_what_cannot_be_read_is_named() -> None:
    with pytest.raises(DataError, match="column 'town' cannot be read"):
        table_in_memory({"town": ["Albany", 3.5]})
    with pytest.raises(UsageError, match="type int; expected a path, a pandas"):
        table_in_memory(3)
