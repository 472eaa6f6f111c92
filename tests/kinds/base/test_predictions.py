"""Predictions stand beside a user's own columns and never in their place."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pyarrow as pa
import pytest

from retrograd.kinds.base.predictions import with_predictions


@pytest.mark.parametrize("taken", ["prediction", "probability_b"])
def test_a_column_of_the_same_name_stays(taken: str) -> None:
    frame = nw.from_native(pa.table({taken: ["x", "y"], f"{taken}_2": ["z", "z"]}))
    notes: list[str] = []
    chances = np.array([[0.25, 0.75], [1, 0]])
    table = with_predictions(frame, chances, ("a", "b"), notes).to_native()
    new = [
        f"{name}_3" if name == taken else name
        for name in ("probability_a", "probability_b", "prediction")
    ]
    assert table.column_names == [taken, f"{taken}_2", *new]
    assert table[taken].to_pylist() == ["x", "y"]
    assert table.columns[-1].to_pylist() == ["b", "a"]
    assert notes == [
        f"The table has a column {taken!r} of its own, which stays; the new one is '{taken}_3'."
    ]


def test_no_rows_give_no_predictions_in_the_same_columns() -> None:
    frame = nw.from_native(pa.table({"a": pa.array([], pa.float64())}))
    table = with_predictions(frame, np.empty((0, 2)), ("a", "b"), []).to_native()
    assert table.column_names == ["a", "probability_a", "probability_b", "prediction"]
    assert table.schema.field("prediction").type == pa.string()
    assert table.num_rows == 0
