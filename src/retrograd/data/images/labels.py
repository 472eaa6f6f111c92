"""What images show: the classes, as codes, or numbers to learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from retrograd.data.images.sets import ImageSet
from retrograd.data.labels import codes_among, spelled
from retrograd.data.tables.arrow import mask
from retrograd.data.tables.cells import normalized
from retrograd.data.tables.facts import gather
from retrograd.data.tables.target import Target, judge_target, read_target
from retrograd.errors import DataError
from retrograd.wording import count, listed, shown

__all__ = ["FOLDER", "codes_of", "judge_labels", "with_labels"]

Array = np.ndarray[Any, Any]

FOLDER = "class"  # the name of the target where it has none of its own


def judge_labels(images: ImageSet, column: str | None, task: str | None) -> Target:
    """The target: the table's `column`, judged like any table's, or else classes by name.

    Array labels that have fractional parts are numbers to learn. Raises DataError for fewer than
    two classes, and for what `judge_target` refuses.
    """
    assert images.labels is not None
    if column is not None or task == "regression" or _has_fractions(images.labels):
        return judge_target(gather(column or FOLDER, pa.chunked_array([images.labels])), task)
    texts = sorted({spelled(label) for label in images.labels.to_pylist()})
    if len(texts) < 2:
        raise DataError(
            f"All {count(len(images), 'image')} belong to one class, {listed(map(shown, texts))}: "
            "there is nothing to learn. Give each class its own folder or label."
        )
    try:
        classes = sorted(texts, key=float)
    except ValueError:
        classes = texts
    reason = count(len(classes), "class", "classes")
    return Target(FOLDER, "classification", reason, len(images), 0, classes=tuple(classes))


def with_labels(images: ImageSet, target: Target, notes: list[str]) -> ImageSet:
    """The images that have a target value; a table may lack some."""
    if images.frame is None or images.labels is None:
        return images
    has_value = mask(normalized(pa.chunked_array([images.labels])).is_valid())
    if has_value.all():
        return images
    without = count(int((~has_value).sum()), "row")
    notes.append(f"{without} without a value of {shown(target.name)}: left out.")
    return images.take(np.flatnonzero(has_value))


def codes_of(images: ImageSet, target: Target) -> Array:
    """(rows,) float64 numbers, or int64 codes of the classes.

    Raises DataError for images without labels, and for a class that was not in the training data.
    """
    if images.labels is None:
        raise DataError("The images have no labels to compare the predictions with.")
    if images.frame is not None or target.task == "regression":
        return read_target(target, normalized(pa.chunked_array([images.labels])))
    return codes_among(images.labels.to_pylist(), target.classes)


def _has_fractions(labels: pa.Array) -> bool:
    if not pa.types.is_floating(labels.type):
        return False
    values = labels.to_numpy(zero_copy_only=False)
    return bool((values != np.round(values)).any())
