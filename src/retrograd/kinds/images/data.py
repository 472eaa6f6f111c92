"""Labeled images as they were read, and what they show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from retrograd.data.images import ImageSet, PixelFormat, format_of, read_parts, to_set
from retrograd.data.images.labels import codes_of, judge_labels, with_labels
from retrograd.data.tables.target import Target
from retrograd.errors import about
from retrograd.kinds.base.kind import DataSpec, Parts, path_of
from retrograd.kinds.images.options import ImagesOptions

__all__ = ["ImagesData", "read_images"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ImagesData:
    """Images of one format, and the target of their labels."""

    kind: ClassVar[str] = "images"
    images: ImageSet
    target: Target
    form: PixelFormat

    def __len__(self) -> int:
        return len(self.images)

    @property
    def codes(self) -> Array | None:
        """(rows,) class codes of a classification."""
        return self.truth if self.target.task == "classification" else None

    @property
    def truth(self) -> Array:
        """(rows,) class codes or numbers; DataError for a class not in the training data."""
        return codes_of(self.images, self.target)

    def take(self, rows: Array) -> Self:
        return replace(self, images=self.images.take(rows))


def read_images(spec: DataSpec, options: ImagesOptions) -> Parts[ImagesData]:
    """The labeled images that `spec` names, or the data's own parts if it names none.

    The training images decide the format of all images, and the classes.
    """
    notes: list[str] = []
    with about(spec.name):
        parts = read_parts(spec.data, options.image, options.target, notes)
        form = format_of(parts["train"], options.image_size)
        images = to_set(parts["train"], form, options.broken, notes)
        column = options.target if images.frame is not None else None
        target = judge_labels(images, column, options.task)
        train = ImagesData(with_labels(images, target, notes), target, form)

    def other(part: str, given: Any) -> ImagesData | float | None:
        """Another part of the data, or the images given for it."""
        if isinstance(given, float):
            return given
        found = parts.get(part)
        if given is not None:
            with about(path_of(given) or ""):
                others = read_parts(given, options.image, options.target, notes)
            found = others.get("test", others["train"])
        if found is None:
            return None
        with about(found.source):
            images = with_labels(to_set(found, form, options.broken, notes), target, notes)
            data = ImagesData(images, target, form)
            _ = data.truth  # raises for unknown classes
        return data

    test, validation = other("test", spec.test), other("valid", spec.validation)
    return Parts(train, validation, test, tuple(notes), spec.name)
