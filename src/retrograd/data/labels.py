"""Labels of examples that are not in a table: as texts, and as class codes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from retrograd.errors import DataError
from retrograd.wording import listed, shown

__all__ = ["codes_among", "spelled"]


def spelled(label: Any) -> str:
    """A label as text, one spelling per value: 3 and 3.0 are both "3"."""
    if isinstance(label, bytes):
        return label.decode("utf-8", "replace")
    return str(int(label) if isinstance(label, bool | float) else label)


def codes_among(labels: Iterable[Any], classes: Sequence[str]) -> np.ndarray[Any, Any]:
    """int64 (n,): the index of each label in `classes`; DataError for an unknown label."""
    place = {name: code for code, name in enumerate(classes)}
    texts = [spelled(label) for label in labels]
    if unknown := sorted({text for text in texts if text not in place}):
        raise DataError(
            f"Found the classes {listed(map(shown, unknown))}, which are not in the training data; "
            f"expected {listed(map(shown, classes))}."
        )
    return np.array([place[text] for text in texts], np.int64)
