"""The rings in which a compiled step leaves its numbers until the host fetches them.

The latest vectors lie in a Buffer: so a compiled step has one more array to carry, and the host
fetches many steps at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from retrograd.arrays import Array, state
from retrograd.diagnosis.record.record import Layer
from retrograd.variable import Buffer

__all__ = ["APART", "CLOCK", "Field", "Form", "Ring"]

# Of the steps in which more is measured two are at least so far apart.
APART = 8
# The clock is a float32, exact up to 2**24; the host puts the number of the step together again.
CLOCK = 1 << 20

# A ring has at least as many rows as the training loop runs steps in one call, and where they are
# short more: looking at them has a price of its own, with a cache that the steps have emptied. With
# 512 rather than 256 and no blocks of one step the host needs 2.9 instead of 4.4 µs for a step of
# the MNIST MLP, and for one of the 13-64-64-1 network's in a loop 2.6 instead of 3.3.
_LEAST_ROWS = 64
_MOST_ROWS = 512
_RING_ELEMENTS = 1 << 20
# An array of more elements than this does not travel packed with others, which would copy it.
_PACKED = 1 << 14


class Field(NamedTuple):
    """A part of a step's vector: what it is, of which layer or parameter, and how many numbers."""

    kind: str
    subject: str
    size: int


@dataclass(frozen=True)
class Form:
    """What stands where in the vector of a step; steps of one form share a ring.

    `scheduled` are the numbers of a step in which more is measured: NaN, in others, at the end of
    the vector where the steps are `looped`; else in a vector of their own, which only such steps
    have. `factors` says which of the fields "factor" scaled a parameter's gradient.
    """

    fields: tuple[Field, ...]
    scheduled: tuple[Field, ...]
    looped: bool
    layers: tuple[Layer, ...]
    shapes: tuple[tuple[str, tuple[int, ...]], ...]
    factors: tuple[tuple[str, str], ...]
    batch_size: int
    limit: int

    @property
    def size(self) -> int:
        """How many numbers a vector has, but for the scheduled ones."""
        return sum(each.size for each in self.fields)

    @property
    def scheduled_size(self) -> int:
        """How many numbers a scheduled step has more."""
        return sum(each.size for each in self.scheduled)


class Ring:
    """The vectors of the latest steps of one form, and what was measured in scheduled ones.

    Each row begins with the clock of its step.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        more = form.scheduled_size
        width = form.size + (more if form.looped else 0)
        # As many at a time as there may be in one call, so that it does not begin anew within one.
        calls = min(_MOST_ROWS, max(_LEAST_ROWS, _RING_ELEMENTS // width)) // _LEAST_ROWS
        self.buffers = [_buffer(calls * _LEAST_ROWS, width)]
        self.rows = self.buffers[0].shape[0]
        if more and not form.looped:
            self.buffers.append(_buffer(_MOST_ROWS // APART, 1 + more))
        self._spare: list[Array] | None = None

    def put(self, clock: Array, vectors: Sequence[Array]) -> None:
        """Add a step, within a compiled one."""
        import jax

        for buffer, vector, apart in zip(self.buffers, vectors, (1, APART), strict=False):
            place = (clock.astype(np.int32) - np.int32(1)) // np.int32(apart)
            place %= np.int32(len(buffer.data))
            buffer.data = jax.lax.dynamic_update_slice(
                buffer.data, vector[None], (place, np.int32(0))
            )

    def take(self) -> list[Array]:
        """The arrays as they are now, or will be once steps under way are; it goes on with others.

        Hand them to `give` when they have been looked at: their rows are then known to be old.
        """
        taken = [buffer.held for buffer in self.buffers]
        for place, buffer in enumerate(self.buffers):
            empty = _no_steps(*buffer.shape) if self._spare is None else self._spare[place]
            buffer.hold(empty)
        self._spare = None
        return taken

    def give(self, arrays: list[Array]) -> None:
        """Use the memory of `arrays` again."""
        self._spare = arrays


def _buffer(rows: int, width: int) -> Buffer:
    with _outside_of_the_step():
        return Buffer(_no_steps(max(rows, _PACKED // width + 1), width))


def _no_steps(rows: int, width: int) -> Array:
    return np.full((rows, width), -1, np.float32)


@contextmanager
def _outside_of_the_step() -> Iterator[None]:
    """A Variable made here outlives a compiled step, which meets it as one that was there."""
    trace, state.trace = state.trace, None
    try:
        yield
    finally:
        state.trace = trace
