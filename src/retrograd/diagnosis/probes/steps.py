"""The numbers of one step, collected within the step; `digest` turns them into a row of the record.

They form one float32 vector, and the latest vectors are in a ring. For scheduled measurements there
are two programs, and the host chooses; the one that makes them has a second ring, of short vectors.
Within one call of many steps the choice is a branch, and its numbers are at the end of every
vector. (For single steps, a program with a branch does not run in the calling thread, which took
100 µs more per step.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from retrograd import nn, optim
from retrograd.arrays import Array, Namespace, namespace, state
from retrograd.autodiff.tape import Leaf, reached
from retrograd.diagnosis.probes.arrays import (
    active_rows,
    element_count,
    elements,
    layer_sums,
    square_sum,
    sum_count,
)
from retrograd.diagnosis.probes.layers import LayerCall, LayerProbes
from retrograd.diagnosis.probes.ring import CLOCK, Field, Form, Ring
from retrograd.tensor import Tensor
from retrograd.variable import Buffer, Parameter

__all__ = ["EVERY", "StepProbes", "next_due"]

EVERY = 256
_EARLY = (1, 9, 17, 33)
# Up to this many elements of a weight are copied; with many weights, fewer of each. A copy leaves
# the cache before it is used: with 4096 the 13-64-64-1 network's step took 1.47 times the plain
# one, and the MNIST MLP's, which then needs three kernels less, gained nothing with 1024 or 2048.
# The norms of a small network's weights and gradients are accurate to 6 % (root mean square; 30 %
# at worst).
_ELEMENTS = 1 << 9
_ELEMENTS_IN_ALL = 1 << 15
_LEAST = 1 << 7


def is_due(step: int) -> bool:
    """Whether this step makes the scheduled measurements; the first step is 1."""
    return step in _EARLY or step % EVERY == 1


def next_due(step: int) -> int:
    """The first step from `step` on that is due."""
    return min([s for s in _EARLY if s >= step], default=step + (1 - step) % EVERY)


def element_limit(parameters: int) -> int:
    """How many elements of each parameter are copied in a step, at most, given their number."""
    return max(_LEAST, min(_ELEMENTS, _ELEMENTS_IN_ALL // max(1, parameters)))


@dataclass
class _Step:
    """What is known about the current step."""

    trace: Any = None
    loss: Array | None = None  # the sum over its backward passes, as their gradients add up
    rows: int = 0
    keeps: bool = False  # whether it adds to the gradients of the step before
    squares: dict[str, Array] = field(default_factory=dict)  # of gradients, before clipping
    factors: dict[str, Array] = field(default_factory=dict)  # that clipping multiplied them by
    gradients: dict[str, Array] = field(default_factory=dict)  # as the optimizer received them
    weights: dict[str, Array] = field(default_factory=dict)  # after the update


class StepProbes:
    """Receives backward passes, clipping and updates from the engine; puts steps into rings.

    `take(form, vector, scheduled)` receives the steps that run eagerly; `scheduled` is None if the
    step makes no scheduled measurements.
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
        self.ran = ran  # called by a compiled function with the number of steps it has run
        self.names = {id(parameter): name for name, parameter in model.named_parameters()}
        self.limit = element_limit(len(self.names))
        self.rings: dict[Form, Ring] = {}
        self.clock = Buffer(np.zeros((), np.float32))
        self.clipping: float | None = None
        self.no_gradient: set[str] = set()
        self.had_gradient: set[str] = set()
        self.kept_gradients = False
        # Whether the next step makes the scheduled measurements, if the host chooses.
        self.full = True
        self._step = _Step()

    def _begins(self) -> None:
        # The first guard of the program, so that the wrong one is rejected quickly.
        if state.trace is not None and not state.trace.looped:
            state.trace.guard(self, "full", self.full)

    # What the engine calls ------------------------------------------------------------------------

    def events(self) -> dict[str, Any]:
        """The events to receive from `hooks`, including those of the layers."""
        return {
            **self.layers.events(),
            "backward": self.backward,
            "clip": self.clipped,
            "update": self.updated,
            "step": self.stepped,
            "ran": self.ran,
        }

    def backward(self, tensor: Tensor) -> None:
        """`backward()` begins from `tensor`."""
        parameters = [each for group in self.optimizer.param_groups for each in group.params]
        assert tensor._node is not None
        leaves = {id(n.tensor()) for n in reached(tensor._node) if isinstance(n, Leaf)}
        if leaves.isdisjoint([*self.names, *map(id, parameters)]):
            return  # of another model
        step, adds = self._step, any(map(_has_gradient, parameters))
        # Gradients were cleared since the last pass, or an error in a trace left an old step.
        if not adds or step.loss is None or step.trace is not state.trace:
            step = self._step = _Step(state.trace, keeps=adds)
        loss = namespace(tensor.data).sum(tensor.data)
        step.loss = loss if step.loss is None else step.loss + loss
        step.rows += self.layers.batch_size
        self.layers.batch_size = 0  # a second loss of the same pass has no rows of its own

    def clipped(
        self,
        parameters: Sequence[Tensor],
        squares: Sequence[Array] | None,
        factor: Array | None,
        limit: float,
    ) -> None:
        """Gradients are about to be multiplied by `factor`, or clipped by value if that is None.

        `squares` are their sums of squares, if clipping computed them.
        """
        self.clipping = max(limit, self.clipping or 0.0)
        step = self._step
        for place, parameter in enumerate(parameters):
            name = self.names.get(id(parameter))
            if name is None or name in step.squares or parameter.grad is None:
                continue  # clipped a second time, it is no longer the gradient
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
        self.kept_gradients |= step.keeps
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
        """The form, the clock, the vector of every step, and the scheduled values if due."""
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
            batch_size=step.rows,
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
        """Whether a step that is not looped makes the scheduled measurements."""
        if state.trace is None:
            return is_due(int(clock))
        state.trace.guard(self, "full", self.full)
        return self.full

    def _schedule(
        self, xp: Namespace, step: _Step, calls: Sequence[LayerCall]
    ) -> tuple[list[Field], Callable[[], Array]]:
        """The scheduled measurements: their fields, and the function that makes them."""
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
    """A float32 vector of numbers, without `stack`, which would first copy each separately."""
    return xp.concatenate([xp.asarray(x).astype(np.float32).reshape(1) for x in numbers])


def _if_due(clock: Array, measure: Callable[[], Array], nothing: Callable[[], Array]) -> Array:
    """Within a loop: the measurements if the step with this clock is due, else nothing."""
    import jax

    due = clock % EVERY == 1
    for early in _EARLY:
        due |= clock == early
    return jax.lax.cond(due, measure, nothing)


def _has_gradient(parameter: Parameter) -> bool:
    """Whether there is a gradient; reading it in a trace would make it an input of the step."""
    trace = state.trace
    if trace is not None and parameter in trace.grads:
        return trace.grads[parameter] is not None
    return parameter.has_grad
