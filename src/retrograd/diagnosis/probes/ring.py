"""The rings in which a compiled step leaves its numbers until the host fetches them.

The latest vectors are in a Buffer, so a compiled step carries only one more array, and the host
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

# Two steps with scheduled measurements are at least this far apart.
APART = 8
# The clock is a float32, exact up to 2**24; the host reconstructs the number of the step.
CLOCK = 1 << 20

# A ring has at least as many rows as the training loop runs steps in one call, and more if the rows
# are short: each fetch has a fixed cost, since the steps have emptied the cache. With 512 rows
# rather than 256, and no blocks of one step, the host needs 2.9 instead of 4.4 µs per step of the
# MNIST MLP, and 2.6 instead of 3.3 per looped step of the 13-64-64-1 network.
_LEAST_ROWS = 64
_MOST_ROWS = 512
_RING_ELEMENTS = 1 << 20
# An array with more elements than this is not packed with others, which would copy it.
_PACKED = 1 << 14


class Field(NamedTuple):
    """A part of a step's vector: its kind, its layer or parameter, and how many numbers it has."""

    kind: str
    subject: str
    size: int


@dataclass(frozen=True)
class Form:
    """The layout of a step's vector; steps of one form share a ring.

    `scheduled` lists the scheduled measurements. If the steps are `looped`, these are at the end of
    every vector, NaN in steps that are not due; else they have a vector of their own, which only
    due steps have. `factors` says which "factor" field scaled a parameter's gradient.
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
        """How many numbers a vector has, not counting the scheduled ones."""
        return sum(each.size for each in self.fields)

    @property
    def scheduled_size(self) -> int:
        """How many scheduled numbers there are."""
        return sum(each.size for each in self.scheduled)


class Ring:
    """The vectors of the latest steps of one form, and the scheduled measurements.

    Each row begins with the clock of its step.
    """

    def __init__(self, form: Form) -> None:
        self.form = form
        more = form.scheduled_size
        width = form.size + (more if form.looped else 0)
        # A multiple of the steps in one call, so that the ring does not wrap around within a call.
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
        """The arrays, once pending steps have finished; the ring continues with others.

        Return them with `give` after reading them, so that their memory is reused.
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
    """A Variable created here outlives a compiled step, which treats it as an existing one."""
    trace, state.trace = state.trace, None
    try:
        yield
    finally:
        state.trace = trace
