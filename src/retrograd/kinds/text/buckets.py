"""Examples of different lengths, batched with others of similar length."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.data.texts.ragged import Ragged
from retrograd.tensor import Tensor
from retrograd.training.sources import Stack
from retrograd.variable import Buffer

__all__ = ["Buckets", "by_length", "lengths_of", "rows_at_once"]

Array = np.ndarray[Any, Any]

# Half of the rows, most of the rest, then the few long ones: each bucket is a program to compile.
_SHARES = (0.5, 0.9, 1.0)
# The very longest are apart where they would make the bucket of the long ones twice as long.
_LONGEST, _MUCH_LONGER = 0.99, 2
_FEWEST_ROWS = 1000
_ROUND = 8
# Few enough that calls of different buckets can take turns within an epoch.
_STEPS_PER_CALL = 8
# A network without gradients holds a vector for each id: 4 million of 32 numbers are 0.5 GB.
_IDS_PER_CALL = 1 << 22


def by_length(lengths: Array) -> list[tuple[Array, Array]]:
    """Rows grouped by length: for each bucket the rows' numbers, and its lengths.

    `lengths` (rows, sequences): the number of elements in each sequence of each row. A bucket is as
    long in each sequence as its longest row, rounded up, so that few shapes occur.
    """
    order = np.argsort(lengths.sum(1), kind="stable")
    shares: tuple[float, ...] = _SHARES if len(lengths) >= _FEWEST_ROWS else _SHARES[-1:]
    if len(lengths) >= _FEWEST_ROWS:
        longest = lengths[order[round(_LONGEST * len(lengths)) - 1 :]].sum(1)
        if longest[-1] > _MUCH_LONGER * longest[0]:
            shares = (*_SHARES[:-1], _LONGEST, 1.0)
    ends = [round(share * len(lengths)) for share in shares]
    groups = [np.sort(rows) for rows in np.split(order, ends[:-1])]
    return [(rows, _rounded(lengths[rows].max(0, initial=0))) for rows in groups]


def _rounded(longest: Array) -> Array:
    return np.maximum(-(-longest // _ROUND), 1) * _ROUND


@dataclass
class Buckets:
    """Examples in memory whose last inputs are sequences, with a program for each bucket.

    `inputs` are (rows, ...) arrays and `sequences` ids of as many rows. The model takes the inputs,
    then the sequences, (rows, length), padded at the end. A form is the number of the bucket.
    """

    inputs: tuple[Array, ...]
    sequences: tuple[Ragged, ...]
    target: Array
    limits: list[Array] = field(init=False, repr=False)
    _rows: list[Array] = field(init=False, repr=False)
    _columns: list[list[Buffer]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        buckets = by_length(lengths_of(self.sequences))
        self._rows = [rows for rows, _ in buckets]
        self.limits = [limit for _, limit in buckets]
        self._columns = [
            [Buffer(each) for each in (*self._inputs(rows, limit), self.target[rows])]
            for rows, limit in buckets
        ]

    def _inputs(self, rows: Array, limit: Array) -> tuple[Array, ...]:
        sized = zip(self.sequences, limit, strict=True)
        return (
            *(each[rows] for each in self.inputs),
            *(each.padded(rows, int(length)) for each, length in sized),
        )

    def __len__(self) -> int:
        return len(self.target)

    def _plan(self, batch_size: int) -> list[tuple[int, int, int]]:
        """For each bucket: the rows of a batch, the steps of a call, and the calls of an epoch."""
        plan = []
        for rows in self._rows:
            batch = min(batch_size, len(rows))
            steps = len(rows) // batch
            calls = math.ceil(steps / _STEPS_PER_CALL)
            plan.append((batch, steps // calls, calls))
        return plan

    def steps(self, batch_size: int) -> int:
        return sum(steps * calls for _, steps, calls in self._plan(batch_size))

    def calls(self, batch_size: int, rng: np.random.Generator) -> Iterator[Stack]:
        """Batches of one bucket each; the buckets take turns in a random order."""
        found = []
        for form, (batch, steps, calls) in enumerate(self._plan(batch_size)):
            order = rng.permutation(len(self._rows[form]))[: batch * steps * calls]
            found += [Stack(form, (each,)) for each in order.reshape(calls, steps, batch)]
        for place in rng.permutation(len(found)):
            yield found[place]

    def batch(self, form: Hashable, *arrays: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        assert isinstance(form, int)
        (rows,) = arrays
        *inputs, target = (ops.take(column, rows, 0) for column in self._columns[form])
        return tuple(inputs), target

    def parts(self, rows: int) -> Iterator[tuple[tuple[Array, ...], Array]]:
        """All examples, those of a bucket together, the shortest first."""
        for of_bucket, limit in zip(self._rows, self.limits, strict=True):
            rows = min(rows, rows_at_once(limit))
            for start in range(0, len(of_bucket), rows):
                piece = of_bucket[start : start + rows]
                yield self._inputs(piece, limit), self.target[piece]


def lengths_of(sequences: Sequence[Ragged]) -> Array:
    """(rows, sequences): the number of ids in each row."""
    return np.stack([each.lengths for each in sequences], 1)


def rows_at_once(limit: Array) -> int:
    """How many rows of a bucket of these lengths may be in one call that predicts."""
    return max(1, _IDS_PER_CALL // int(limit.sum()))
