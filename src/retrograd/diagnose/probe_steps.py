"""One step's numbers, put together within the step, for `digest` to make a row of the record.

They are one float32 vector, and the latest vectors lie in a ring, a Buffer: so a compiled step has
one more array to carry, and the host fetches many steps at once. For what is measured on a schedule
there are two programs, and the host chooses; the one that measures it has a second ring, of short
vectors. Within one call of many steps it is a branch, and its numbers end every vector. (Alone, a
program with a branch is no longer run by the calling thread, which took 100 µs more a step.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from retrograd import nn, optim
from retrograd.arrays import Array, Namespace, namespace, state
from retrograd.diagnose.probe_layers import Call, LayerProbes
from retrograd.diagnose.probes import (
    active_rows,
    element_count,
    elements,
    layer_sums,
    square_sum,
    sum_count,
)
from retrograd.diagnose.record import Layer
from retrograd.tensor import Tensor
from retrograd.variable import Buffer, Parameter

__all__ = ["CLOCK", "EVERY", "Form", "Ring", "StepProbes", "next_due"]

EVERY = 256
_EARLY = (1, 9, 17, 33)
_APART = 8  # so many steps, at least, lie between two of them
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
# A weight is looked at whole up to this many elements; of many weights, fewer of each. What is
# copied leaves the cache before it is looked at: the 13-64-64-1 network's step took 1.47 times the
# plain one with 4096, and the MNIST MLP's, which then takes three kernels less, gained nothing by
# 1024 or 2048. The norms of a small network's weights and gradients are known to 6 % (root mean
# square; 30 % at worst).
_ELEMENTS = 1 << 9
_ELEMENTS_IN_ALL = 1 << 15
_LEAST = 1 << 7


def is_due(step: int) -> bool:
    """Whether what is scheduled is measured in this step, the first being 1."""
    return step in _EARLY or step % EVERY == 1


def next_due(step: int) -> int:
    """The first step from this one on in which it is."""
    return min([s for s in _EARLY if s >= step], default=step + (1 - step) % EVERY)


def element_limit(parameters: int) -> int:
    """Up to how many elements of each of so many parameters are looked at in a step."""
    return max(_LEAST, min(_ELEMENTS, _ELEMENTS_IN_ALL // max(1, parameters)))


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
            self.buffers.append(_buffer(_MOST_ROWS // _APART, 1 + more))
        self._spare: list[Array] | None = None

    def put(self, clock: Array, vectors: Sequence[Array]) -> None:
        """Add a step, within a compiled one."""
        import jax

        for buffer, vector, apart in zip(self.buffers, vectors, (1, _APART), strict=False):
            place = (clock.astype(np.int32) - np.int32(1)) // np.int32(apart)
            place %= np.int32(len(buffer.data))
            buffer.data = jax.lax.dynamic_update_slice(
                buffer.data, vector[None], (place, np.int32(0))
            )

    def take(self) -> list[Array]:
        """The arrays as they are now, or will be once steps under way are; it goes on with others.

        Hand them to `give` when they have been looked at: their rows are then known to be old.
        """
        taken = [buffer._held for buffer in self.buffers]
        for place, buffer in enumerate(self.buffers):
            empty = _no_steps(*buffer.shape) if self._spare is None else self._spare[place]
            buffer._replace(empty)
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


@dataclass
class _Step:
    """What is known of the step that goes on."""

    trace: Any = None
    loss: Array | None = None
    squares: dict[str, Array] = field(default_factory=dict)  # of gradients, before clipping
    factors: dict[str, Array] = field(default_factory=dict)  # what clipping multiplied them by
    gradients: dict[str, Array] = field(default_factory=dict)  # as the optimizer got them
    weights: dict[str, Array] = field(default_factory=dict)  # as it left them


class StepProbes:
    """Told by the engine of backward passes, clipping and updates; puts steps into rings.

    `take(form, vector, scheduled)` receives the steps that run eagerly; `scheduled` is None in
    those in which no more is measured.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: optim.Optimizer,
        take: Callable[[Form, Array, Array | None], None],
        ran: Callable[[int], None],
    ) -> None:
        self.layers = LayerProbes(model, self._begins)
        self.optimizer = optimizer
        self.take = take
        self.ran = ran  # told by a compiled function that it has run so many steps
        self.names = {id(parameter): name for name, parameter in model.named_parameters()}
        self.limit = element_limit(len(self.names))
        self.rings: dict[Form, Ring] = {}
        self.clock = Buffer(np.zeros((), np.float32))
        self.clipping: float | None = None
        self.no_gradient: set[str] = set()
        self.had_gradient: set[str] = set()
        self.kept_gradients = False
        self.full = (
            True  # whether the next step, where the host chooses, measures what is scheduled
        )
        self._step = _Step()

    def _begins(self) -> None:
        # Before anything else that a program is traced for, so that the wrong one is soon passed.
        if state.trace is not None and not state.trace.looped:
            state.trace.guard(self, "full", self.full)

    # What the engine calls ------------------------------------------------------------------------

    def backward(self, tensor: Tensor) -> None:
        """`backward()` begins from `tensor`."""
        if self._step.trace is not state.trace:
            self._step = _Step(state.trace)  # the step before was left, by an error in a trace
        if self._step.loss is None and any(
            _has_gradient(parameter)
            for group in self.optimizer.param_groups
            for parameter in group.params
        ):
            self.kept_gradients = True
        self._step.loss = namespace(tensor.data).sum(tensor.data)

    def clipped(
        self,
        parameters: Sequence[Tensor],
        squares: Sequence[Array] | None,
        factor: Array | None,
        limit: float,
    ) -> None:
        """Gradients are about to be multiplied by `factor`, or where that is None held in bounds.

        `squares` are their sums of squares, if the clipping needed them.
        """
        self.clipping = max(limit, self.clipping or 0.0)
        step = self._step
        for place, parameter in enumerate(parameters):
            name = self.names.get(id(parameter))
            if name is None or name in step.squares or parameter.grad is None:
                continue  # what is clipped a second time is no longer the gradient
            gradient = parameter.grad.data
            step.squares[name] = square_sum(gradient) if squares is None else squares[place]
            if factor is not None:
                step.factors[name] = factor

    def updated(
        self, optimizer: optim.Optimizer, parameter: Parameter, gradient: Array, weight: Array
    ) -> None:
        """The optimizer has moved `parameter` to `weight`."""
        name = self.names.get(id(parameter))
        if optimizer is self.optimizer and name is not None:
            self._step.gradients[name] = gradient
            self._step.weights[name] = weight

    def stepped(self, optimizer: optim.Optimizer) -> None:
        """The optimizer has updated its parameters: the step is complete."""
        step = self._step
        if optimizer is not self.optimizer or step.loss is None or step.trace is not state.trace:
            return
        self.had_gradient |= step.gradients.keys()
        for group in optimizer.param_groups:
            names = {self.names.get(id(p), "") for p in group.params if p.requires_grad}
            self.no_gradient |= names - step.gradients.keys() - {""}
        form, clock, vector, scheduled = self._vectors(step)
        if state.trace is None:
            self.take(form, np.asarray(vector), scheduled)
        else:
            if form not in self.rings:
                self.rings[form] = Ring(form)
            more = [] if scheduled is None else [namespace(clock).append(clock, scheduled)]
            self.rings[form].put(clock, [vector, *more])
        self._step = _Step(state.trace)
        self.layers.clear()

    # The vector -----------------------------------------------------------------------------------

    def _vectors(self, step: _Step) -> tuple[Form, Array, Array, Array | None]:
        """The form, the clock, what is measured in every step, and what in a scheduled one."""
        loss = step.loss
        xp = namespace(loss, *step.weights.values())
        clock = xp.asarray(xp.fmod(self.clock.data + np.float32(1), np.float32(CLOCK)))
        self.clock.data = clock
        calls = list(self.layers.calls.values())
        numbers: list[tuple[str, str, Any]] = [
            ("clock", "", clock),
            ("loss", "", loss),
            ("learning_rate", "", self.optimizer.param_groups[0].lr.data),
        ]
        numbers += [("square", name, square) for name, square in step.squares.items()]
        factors = {id(factor): factor for factor in step.factors.values()}
        places = {key: str(place) for place, key in enumerate(factors)}
        numbers += [("factor", places[key], factor) for key, factor in factors.items()]
        fields = [Field(kind, subject, 1) for kind, subject, _ in numbers]
        parts = [_vector(xp, [x for *_, x in numbers])]
        for kind, arrays in ("gradient", step.gradients), ("weight", step.weights):
            for name, array in arrays.items():
                parts.append(elements(array, self.limit))
                fields.append(Field(kind, name, parts[-1].size))
        for call in calls:
            if call.layer.rectifies or call.layer.bounds is not None:
                parts.append(active_rows(call.layer, call.output))
                fields.append(Field("active", call.layer.name, parts[-1].size))
        looped = state.trace is not None and state.trace.looped
        more, measure = self._schedule(xp, step, calls)
        form = Form(
            fields=tuple(fields),
            scheduled=tuple(more),
            looped=looped,
            layers=tuple(call.layer for call in calls),
            shapes=tuple((name, array.shape) for name, array in step.weights.items()),
            factors=tuple((name, places[id(each)]) for name, each in step.factors.items()),
            batch_size=self.layers.batch_size,
            limit=self.limit,
        )
        measured = None
        if more and looped:
            nothing = partial(xp.full, form.scheduled_size, np.nan, np.float32)
            parts.append(_if_due(clock, measure, nothing))
        elif more and self._is_due(clock):
            measured = measure()
        return form, clock, xp.concatenate(parts), measured

    def _is_due(self, clock: Array) -> bool:
        """Whether a step that is not looped measures what is scheduled."""
        if state.trace is None:
            return is_due(int(clock))
        state.trace.guard(self, "full", self.full)
        return self.full

    def _schedule(
        self, xp: Namespace, step: _Step, calls: Sequence[Call]
    ) -> tuple[list[Field], Callable[[], Array]]:
        """What is not measured in every step: its fields, and what measures it."""
        sampled = {
            name: array
            for name, array in step.gradients.items()
            if name not in step.squares and element_count(array.shape, self.limit) < array.size
        }
        fields = [Field("exact", name, 1) for name in sampled]
        for call in calls:
            count = sum_count(call.layer, call.cotangent is not None)
            fields.append(Field("sums", call.layer.name, count))

        def measure() -> Array:
            numbers = [square_sum(array) for array in sampled.values()]
            for call in calls:
                numbers += layer_sums(call.layer, call.output, call.cotangent)
            return _vector(xp, numbers)

        return fields, measure


def _vector(xp: Namespace, numbers: Sequence[Any]) -> Array:
    """A float32 vector of numbers: each as it is, since `stack` first copies each by itself."""
    return xp.concatenate([xp.asarray(x).astype(np.float32).reshape(1) for x in numbers])


def _if_due(clock: Array, measure: Callable[[], Array], nothing: Callable[[], Array]) -> Array:
    """Within a loop: what is measured where the step of this clock is due."""
    import jax

    due = clock % EVERY == 1
    for early in _EARLY:
        due |= clock == early
    return jax.lax.cond(due, measure, nothing)


@contextmanager
def _outside_of_the_step() -> Any:
    """A Variable made here outlives a compiled step, which meets it as one that was there."""
    trace, state.trace = state.trace, None
    try:
        yield
    finally:
        state.trace = trace


def _has_gradient(parameter: Parameter) -> bool:
    """Whether there is a gradient; asking the trace itself would make it an input of the step."""
    trace = state.trace
    if trace is not None and parameter in trace.grads:
        return trace.grads[parameter] is not None
    return parameter._has_grad
