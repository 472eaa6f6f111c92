"""The sources of a training loop's batches."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np

from retrograd import ops
from retrograd.data import Batches
from retrograd.tensor import Tensor
from retrograd.variable import Buffer

__all__ = ["OneBatch", "Rows", "Source", "Stack", "in_calls"]

Array = np.ndarray[Any, Any]

# A call into XLA cannot be interrupted, and reports nothing until it returns.
STEPS_PER_CALL = 64


class Stack(NamedTuple):
    """The batches of the steps that run in one call into XLA: `arrays`, each (steps, batch, ...).

    Each `form` is compiled once: it tells in Python what shapes do not, such as a bucket's length.
    """

    form: Hashable
    arrays: tuple[Array, ...]


class Source(Protocol):
    """Examples to train on or to score."""

    def __len__(self) -> int:
        """The number of examples."""

    def steps(self, batch_size: int) -> int:
        """The number of steps in an epoch."""

    def calls(self, batch_size: int, rng: np.random.Generator) -> Iterator[Stack]:
        """One epoch, in an order drawn from `rng`."""

    def batch(self, form: Hashable, *arrays: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Within the compiled step: the model's inputs and its targets.

        `arrays` are those of the call for one step, each (batch, ...).
        """

    def parts(self, rows: int) -> Iterator[tuple[tuple[Array, ...], Array]]:
        """All examples in order, at most `rows` at a time: inputs and targets."""


@dataclass
class Rows:
    """Examples in memory: the model's inputs and targets, each `(rows, ...)`.

    They are passed to the steps once and stay on their device; a call carries only row numbers.
    `names` are the names of the first input's columns, if it has any, and of the next ones'.
    """

    inputs: tuple[Array, ...]
    target: Array
    names: tuple[str, ...] = ()
    _columns: list[Buffer] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._columns = [Buffer(column) for column in (*self.inputs, self.target)]

    def __len__(self) -> int:
        return len(self.target)

    def steps(self, batch_size: int) -> int:
        return len(self) // min(batch_size, len(self))

    def calls(self, batch_size: int, rng: np.random.Generator) -> Iterator[Stack]:
        order = Batches((self.target,), batch_size, rng, drop_last=True).epoch_indices()
        for batches in in_calls(order):
            yield Stack(None, (batches,))

    def batch(self, form: Hashable, *arrays: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        (rows,) = arrays
        *inputs, target = (ops.take(column, rows, 0) for column in self._columns)
        return tuple(inputs), target

    def parts(self, rows: int) -> Iterator[tuple[tuple[Array, ...], Array]]:
        for start in range(0, len(self), rows):
            piece = slice(start, start + rows)
            yield tuple(each[piece] for each in self.inputs), self.target[piece]


class OneBatch(Rows):
    """The same batch in every step: all rows, in order."""

    @staticmethod
    def stack(steps: int) -> Stack:
        """The batches of the given number of steps."""
        return Stack(None, (np.arange(steps),))

    def batch(self, form: Hashable, *arrays: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        # Constants of the step, so that a loss may look at its targets in Python.
        return tuple(map(Tensor, self.inputs)), Tensor(self.target)


def in_calls(order: Array) -> Array:
    """(steps, ...) -> (calls, steps a call, ...): calls of one size share one program.

    The few remaining steps are left out; thanks to shuffling, their rows come up in other epochs.
    """
    calls = math.ceil(len(order) / STEPS_PER_CALL)
    return order[: len(order) // calls * calls].reshape(calls, -1, *order.shape[1:])
