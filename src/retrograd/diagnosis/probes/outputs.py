"""The classes that a classifier's outputs predict, decided in one place."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["predicted_classes"]

Array = np.ndarray[Any, Any]

# Operations whose results are probabilities.
_PROBABILITIES = frozenset({"sigmoid", "softmax"})


def predicted_classes(outputs: Array, last_operation: str) -> Array:
    """The predicted class codes (rows,) for outputs (rows, ...).

    With several outputs per row, the largest one wins. A single output predicts class 1 if that is
    the likelier of two: above 0.5 if the `last_operation` of the model gives probabilities, above 0
    otherwise, as for a logit or a score with a margin.
    """
    flat = outputs.reshape(len(outputs), -1)
    if flat.shape[1] > 1:
        return flat.argmax(1)
    threshold = 0.5 if last_operation in _PROBABILITIES else 0.0
    return (flat[:, 0] > threshold).astype(np.int64)
