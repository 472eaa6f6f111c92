"""What images show, as codes: the classes or numbers that are to be learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from retrograd.data.images.sets import ImageSet
from retrograd.data.labels import codes_among, spelled
from retrograd.data.tables.arrow import mask
from retrograd.data.tables.cells import normalised
from retrograd.data.tables.facts import gather
from retrograd.data.tables.target import Target, judge_target, read_target
from retrograd.errors import DataError
from retrograd.wording import count, listed, shown

__all__ = ["FOLDER", "codes_of", "judge_labels", "with_labels"]

Array = np.ndarray[Any, Any]

FOLDER = "class"  # what is predicted where it has no name of its own


def judge_labels(images: ImageSet, column: str | None, task: str | None) -> Target:
    """The target: the table's `column`, judged as any table's, or else classes by name.

    Labels of arrays that are numbers with fractions are numbers to learn. Raises DataError for
    fewer than two classes, and for what `judge_target` refuses.
    """
    assert images.labels is not None
    if column is not None or task == "regression" or _has_fractions(images.labels):
        return judge_target(gather(column or FOLDER, pa.chunked_array([images.labels])), task)
    texts = sorted({spelled(label) for label in images.labels.to_pylist()})
    if len(texts) < 2:
        raise DataError(
            f"All {count(len(images), 'image')} are of one class, {listed(map(shown, texts))}: "
            "there is nothing to learn. Give every class a folder or a label of its own."
        )
    try:
        classes = sorted(texts, key=float)
    except ValueError:
        classes = texts
    reason = count(len(classes), "class", "classes")
    return Target(FOLDER, "classification", reason, len(images), 0, classes=tuple(classes))


def with_labels(images: ImageSet, target: Target, notes: list[str]) -> ImageSet:
    """The images that have a value of the target; a table may lack some."""
    if images.frame is None or images.labels is None:
        return images
    has_value = mask(normalised(pa.chunked_array([images.labels])).is_valid())
    if has_value.all():
        return images
    without = count(int((~has_value).sum()), "row")
    notes.append(f"{without} without a value of {shown(target.name)}: left out.")
    return images.take(np.flatnonzero(has_value))


def codes_of(images: ImageSet, target: Target) -> Array:
    """(rows,) float64 numbers, or int64 codes of the classes.

    Raises DataError for images without labels, and for a class that training did not know.
    """
    if images.labels is None:
        raise DataError("The images have no labels to be compared with.")
    if images.frame is not None or target.task == "regression":
        return read_target(target, normalised(pa.chunked_array([images.labels])))
    return codes_among(images.labels.to_pylist(), target.classes)


def _has_fractions(labels: pa.Array) -> bool:
    if not pa.types.is_floating(labels.type):
        return False
    values = labels.to_numpy(zero_copy_only=False)
    return bool((values != np.round(values)).any())
