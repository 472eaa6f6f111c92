"""Splits the examples of a data set into training, validation and test rows."""

from __future__ import annotations

from typing import Any, Protocol, Self, TypeVar

import numpy as np

from retrograd.data.split import split_rows
from retrograd.errors import about
from retrograd.kinds.base.kind import Dataset, Parts, Split

__all__ = ["Examples", "split_examples"]

Array = np.ndarray[Any, Any]


class Examples(Dataset, Protocol):
    """A data set whose rows may be in any order."""

    @property
    def codes(self) -> Array | None:
        """(rows,) classes whose shares every part keeps; None if the target is not a class."""

    def take(self, rows: Array) -> Self:
        """The rows at these indices, in that order."""


E = TypeVar("E", bound=Examples)


def split_examples(parts: Parts[E], share: float, seed: int) -> Split[E]:
    """Take the parts that are shares out of the training rows: first test, then validation.

    `share` is the validation share if `parts` gives none. Raises DataError if a part would be
    empty.
    """
    notes = list(parts.notes)
    train, test, validation = parts.train, parts.test, parts.validation
    with about(parts.name):
        if isinstance(test, float):
            train, test = _taken_out(train, test, seed, notes)
        if validation is None:
            validation = share
        if isinstance(validation, float):
            train, validation = _taken_out(train, validation, seed, notes)
    return Split(train, validation, test, tuple(notes), parts.name)


def _taken_out(data: E, share: float, seed: int, notes: list[str]) -> tuple[E, E]:
    kept, out = split_rows(len(data), share, seed, data.codes, notes)
    return data.take(kept), data.take(out)
