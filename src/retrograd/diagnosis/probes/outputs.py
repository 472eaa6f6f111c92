"""What a classifier's outputs say, decided in one place."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["said_classes"]

Array = np.ndarray[Any, Any]

# Operations whose results are probabilities.
_PROBABILITIES = frozenset({"sigmoid", "softmax"})


def said_classes(outputs: Array, last_operation: str) -> Array:
    """The class codes (rows,) that outputs (rows, ...) mean.

    Of several outputs a row, the largest. A single one means class 1 where that is the likelier of
    two: above 0.5 if the `last_operation` of the model makes probabilities, above 0 otherwise, as
    for a logit or a score with a margin.
    """
    flat = outputs.reshape(len(outputs), -1)
    if flat.shape[1] > 1:
        return flat.argmax(1)
    threshold = 0.5 if last_operation in _PROBABILITIES else 0.0
    return (flat[:, 0] > threshold).astype(np.int64)
