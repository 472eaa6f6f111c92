"""Predictions as columns beside the user's own."""

from __future__ import annotations

from collections.abc import Container
from itertools import count
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd.wording import shown

__all__ = ["free_name", "with_predictions"]

Array = np.ndarray[Any, Any]


def with_predictions(
    frame: Any, predicted: Array, classes: tuple[str, ...], notes: list[str]
) -> nw.DataFrame[Any]:
    """A frame with `probability_CLASS` for each class and `prediction` as its last columns.

    Where the table has columns of these names, the target perhaps, they stay, and the new ones get
    a number after theirs.
    """
    added: dict[str, pa.Array] = {}
    if classes:
        added = {f"probability_{name}": pa.array(predicted[:, i]) for i, name in enumerate(classes)}
        answers = [classes[code] for code in predicted.argmax(1)]
        added["prediction"] = pa.array(answers, pa.string())
    else:
        added["prediction"] = pa.array(predicted)
    table: pa.Table = frame.to_native()
    for name, values in added.items():
        table = table.append_column(free_name(name, table.column_names, notes), values)
    return nw.from_native(table, eager_only=True)


def free_name(name: str, taken: Container[str], notes: list[str]) -> str:
    """The name for a new column: `name`, or with a number after it if that is taken."""
    if name not in taken:
        return name
    free = next(each for n in count(2) if (each := f"{name}_{n}") not in taken)
    own = f"The table has a column {shown(name)} of its own, which stays"
    notes.append(f"{own}; the new one is {shown(free)}.")
    return free
