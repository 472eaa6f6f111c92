"""Signals as they were read, and the names of their classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from retrograd.data.arrays import read_arrays
from retrograd.data.labels import codes_among, spelled
from retrograd.errors import DataError, about
from retrograd.kinds.base.kind import DataSpec, Parts, path_of
from retrograd.wording import count

__all__ = ["Signals", "as_signals", "in_words", "read_signals"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Signals:
    """float32 `(n, channels, time)`, and (n,) codes of `classes`, empty if none are known.

    `places` (n,) are their numbers in what was read, from 1.
    """

    kind: ClassVar[str] = "signals"
    x: Array
    codes: Array
    classes: tuple[str, ...]
    places: Array

    @classmethod
    def whole(cls, x: Array, codes: Array, classes: tuple[str, ...]) -> Self:
        """All signals of a part of the data."""
        return cls(x, codes, classes, np.arange(1, len(x) + 1))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, int]:
        """Channels and time."""
        return self.x.shape[1], self.x.shape[2]

    def take(self, rows: Array) -> Self:
        return type(self)(self.x[rows], self.codes[rows], self.classes, self.places[rows])


def read_signals(spec: DataSpec) -> Parts[Signals]:
    """The labeled signals that `spec` names, or the file's own parts if it names none.

    The classes are those of the training part. Raises DataError for what cannot be used.
    """
    found = read_arrays(spec.data)
    classes = _class_names(found.train[1], spec.name or "the labels")

    def signals(data: Any, part: tuple[Array, Array]) -> Signals:
        with about(path_of(data) or "the data in memory"):
            x = as_signals(part[0])
            return Signals.whole(x, codes_among(part[1].tolist(), classes), classes)

    def other(given: Any, part: tuple[Array, Array] | None) -> Signals | float | None:
        if isinstance(given, float):
            return given
        if given is None:
            return None if part is None else signals(spec.data, part)
        arrays = read_arrays(given)
        return signals(given, arrays.test or arrays.train)

    train = signals(spec.data, found.train)
    test, validation = other(spec.test, found.test), other(spec.validation, found.valid)
    for part in (validation, test):
        if isinstance(part, Signals) and part.shape != train.shape:
            raise DataError(
                f"Signals of {in_words(part.shape)} cannot score a network that learns from "
                f"{in_words(train.shape)}."
            )
    return Parts(train, validation, test, found.notes, spec.name)


def as_signals(x: Array) -> Array:
    """float32 (n, channels, time) of (n, time) or (n, channels, time) numbers."""
    if x.ndim not in (2, 3):
        raise DataError(
            f"Found examples of shape {x.shape[1:]}; a signal is (time,) or (channels, time)."
        )
    return np.asarray(x[:, None] if x.ndim == 2 else x, np.float32)


def _class_names(y: Array, source: str) -> tuple[str, ...]:
    """The distinct labels, sorted, as texts; DataError if they cannot be classes."""
    names, counts = np.unique(y, return_counts=True)
    if y.dtype.kind == "f" and not np.array_equal(names, np.round(names)):
        raise DataError(
            f"{source}: the labels are numbers with fractions; expected classes, as whole numbers "
            "or texts. To learn numbers, put the signals' values into the columns of a table."
        )
    if len(names) < 2 or counts.max() == 1:
        raise DataError(
            f"{source}: {count(len(names), 'class', 'classes')} for {count(len(y), 'example')}; "
            "expected at least two classes, and several examples of each."
        )
    return tuple(map(spelled, names.tolist()))


def in_words(shape: Sequence[int]) -> str:
    return f"{count(shape[0], 'channel')} and {count(shape[1], 'step')}"
