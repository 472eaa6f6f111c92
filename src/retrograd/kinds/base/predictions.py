"""Predictions as columns beside the user's own."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

__all__ = ["with_predictions"]

Array = np.ndarray[Any, Any]


def with_predictions(
    frame: Any, predicted: Array, classes: tuple[str, ...], notes: list[str]
) -> nw.DataFrame[Any]:
    """A frame with `probability_CLASS` for each class and `prediction` as its last columns."""
    added: dict[str, Any] = {}
    if classes:
        added = {f"probability_{name}": predicted[:, i] for i, name in enumerate(classes)}
        added["prediction"] = [classes[code] for code in predicted.argmax(1)]
    else:
        added["prediction"] = predicted
    table: pa.Table = frame.to_native()
    taken = [name for name in added if name in table.column_names]
    if taken:
        notes.append(f"The prediction replaces the table's own column {taken[0]!r}.")
        table = table.drop_columns(taken)
    for name, values in added.items():
        table = table.append_column(name, pa.array(values))
    return nw.from_native(table, eager_only=True)
