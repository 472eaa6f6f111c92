"""Weighted rows as a training loop's source, and as a set that no order or repetition changes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from retrograd import ops
from retrograd.data.tables.arrow import floats
from retrograd.data.tables.cells import normalized
from retrograd.estimators.fitting.objective import WeightedTarget
from retrograd.estimators.fitting.sizes import few_more, rounded_up
from retrograd.tensor import Tensor
from retrograd.training.sources import STEPS_PER_CALL, Rows, Stack
from retrograd.variable import Buffer

__all__ = ["Batching", "WeightedRows", "distinct"]

Array = np.ndarray[Any, Any]

# A batch of fewer rows takes as long.
_SLOTS = 32


def distinct(table: pa.Table, target: Array, weight: Array) -> tuple[pa.Table, Array, Array]:
    """The distinct pairs of a row and its target, in order of their values, with summed weights.

    Rows of weight 0 are left out. So a row of weight 2 and the same row twice make the same fit to
    the last bit, as do rows in another order; and no row is trained on and validated by.
    """
    columns = [normalized(column) for column in table.columns]
    targets = target.reshape(len(target), -1)
    columns += [pa.array(targets[:, place]) for place in range(targets.shape[1])]
    keys = [str(place) for place in range(len(columns))]
    counted = pa.table(
        [*columns, pa.array(np.arange(len(target))), pa.array(weight)],
        names=[*keys, "row", "weight"],
    )
    counted = counted.filter(pa.array(weight > 0))
    merged = counted.group_by(keys, use_threads=False).aggregate(
        [("row", "min"), ("weight", "sum")]
    )
    merged = merged.sort_by([(key, "ascending") for key in keys])
    rows = floats(merged["row_min"].combine_chunks()).astype(np.int64)
    return table.take(pa.array(rows)), target[rows], floats(merged["weight_sum"].combine_chunks())


class Batching:
    """How an epoch of n rows is cut: `calls` into XLA of `steps` batches of `slots` rows.

    The rows are spread evenly; the slots left over hold a row of weight 0.
    """

    def __init__(self, rows: int, batch_size: int) -> None:
        steps = math.ceil(rows / batch_size)
        self.calls = math.ceil(steps / STEPS_PER_CALL)
        self.steps = few_more(math.ceil(steps / self.calls))
        self.slots = rounded_up(math.ceil(rows / (self.calls * self.steps)), least=_SLOTS)

    @property
    def epoch(self) -> int:
        """The steps of an epoch."""
        return self.calls * self.steps


class WeightedRows(Rows):
    """Rows with weights; the arrays that the steps read are rounded up, and hold new rows at will.

    Weights are scaled for `WeightedObjective.loss`, to sum to the slots of an epoch.
    """

    def __init__(
        self,
        inputs: tuple[Array, ...],
        target: Array,
        weight: Array,
        names: tuple[str, ...],
        batching: Batching,
        shuffle: bool,
    ) -> None:
        self.batching, self.shuffle = batching, shuffle
        self.weight = weight
        super().__init__(inputs, target, names)
        slots = batching.epoch * batching.slots
        scaled = (weight * (slots / weight.sum())).astype(np.float32)
        self._size = rounded_up(len(target) + 1, least=2 * _SLOTS)
        self._columns = [Buffer(self._filled(each)) for each in (*inputs, target, scaled)]

    @property
    def shapes(self) -> tuple[Any, ...]:
        """What the compiled steps depend on."""
        columns = tuple((each.shape, each.dtype.str) for each in self._columns)
        return (self.batching.steps, self.batching.slots, columns)

    def lend(self, other: WeightedRows) -> None:
        """Have `other`, of the same `shapes`, hold these rows."""
        other.inputs, other.target, other.weight = self.inputs, self.target, self.weight
        other.batching, other.shuffle = self.batching, self.shuffle
        for mine, its in zip(self._columns, other._columns, strict=True):
            its.data = mine.data

    def forget(self) -> None:
        """Hold no rows, and no memory for them."""
        self.inputs, self.target, self.weight = (), np.empty(0), np.empty(0)
        for column in self._columns:
            column.data = np.broadcast_to(np.zeros((), column.dtype), column.shape)

    def steps(self, batch_size: int) -> int:
        return self.batching.epoch

    def calls(self, batch_size: int, rng: np.random.Generator) -> Iterator[Stack]:
        rows = len(self)
        order = rng.permutation(rows) if self.shuffle else np.arange(rows)
        epoch = np.full(self.batching.epoch * self.batching.slots, rows, np.int32)
        epoch[:rows] = order
        batches = epoch.reshape(self.batching.slots, self.batching.epoch).T
        for start in range(0, self.batching.epoch, self.batching.steps):
            yield Stack(None, (np.ascontiguousarray(batches[start : start + self.batching.steps]),))

    def batch(self, form: Any, *arrays: Tensor) -> tuple[tuple[Tensor, ...], Any]:
        (rows,) = arrays
        *inputs, values, weight = (ops.take(column, rows, 0) for column in self._columns)
        return tuple(inputs), WeightedTarget(values, weight)

    def parts(self, rows: int) -> Iterator[tuple[tuple[Array, ...], Any]]:
        for start in range(0, len(self), rows):
            piece = slice(start, start + rows)
            target = WeightedTarget(self.target[piece], self.weight[piece])
            yield tuple(each[piece] for each in self.inputs), target

    def _filled(self, column: Array) -> Array:
        missing = self._size - len(column)
        return np.pad(column, [(0, missing)] + [(0, 0)] * (column.ndim - 1))
