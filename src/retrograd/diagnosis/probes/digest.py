"""Turn the vectors of many steps into rows of the record, on the host: norms, ratios, shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.diagnosis.probes.arrays import COTANGENT, OUTPUT, layer_series, sum_count
from retrograd.diagnosis.probes.ring import Form
from retrograd.diagnosis.record.record import Layer

__all__ = ["PAIRS", "WINDOW", "Behind", "Digest"]

Array = np.ndarray[Any, Any]

# A unit must be idle for this many steps to count as dead or saturated.
WINDOW = 32
# In one of this many steps, gradients are compared with those of the step before.
PAIRS = 16

_OF_A_PAIR = ("gradient_cosine", "gradient_dot", "gradient_square")
_OF_THE_STEP = (
    *("loss", "gradient_norm", "clipped_norm", "learning_rate", "batch_size"),
    *_OF_A_PAIR,
)


@dataclass
class Behind:
    """The state after the latest step: its clock, its weights (as in the vector), its gradients if
    they will be compared with the next, and for how many steps each unit has been idle."""

    clock: int = 0
    names: tuple[str, ...] = ()
    weights: Array | None = None
    gradients: Array | None = None
    layers: tuple[str, ...] = ()  # the layers whose units are counted
    idle: Array | None = None


class Digest:
    """Turns the vectors of one form into rows."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self._at: dict[tuple[str, str], slice] = {}
        start = 0
        for kind, subject, size in form.fields:
            self._at[kind, subject] = slice(start, start + size)
            start += size
        self._names = tuple(name for name, _ in form.shapes)
        self._gradients = self._together("gradient", self._names)
        self._weights = self._together("weight", self._names)
        first = self._weights.start
        # The slice of each weight, and how many elements each sampled element represents.
        self._parts = [
            slice(at.start - first, at.stop - first)
            for at in (self._at["weight", name] for name in self._names)
        ]
        self._scales = np.array(
            [
                np.prod(shape, dtype=np.float64) / (part.stop - part.start)
                for (_, shape), part in zip(form.shapes, self._parts, strict=True)
            ],
            np.float32,
        )
        active = {each.subject: each.size for each in form.fields if each.kind == "active"}
        self._layers = tuple(active)
        self._active = self._together("active", self._layers)
        # (units, layers): which layer a unit is of, and how many units that has.
        sizes = list(active.values())
        self._members = np.repeat(np.eye(len(sizes), dtype=np.float32), sizes, axis=0)
        self._units = np.maximum(sizes, 1).astype(np.float32)
        rectifies = {layer.name: layer.rectifies for layer in form.layers}
        columns = [(name, "") for name in _OF_THE_STEP]
        columns += [("dead" if rectifies[name] else "saturated", name) for name in active]
        for series in ("gradient_norm", "weight_norm", "update_norm"):
            columns += [(series, name) for name in self._names]
        # Scheduled measurements: exact squares of gradients, then sums over layers.
        self._exact = [x.subject for x in form.scheduled if x.kind == "exact"]
        self._sums: list[tuple[Layer, slice, slice]] = []  # (layer, its sums, its columns)
        layers = {layer.name: layer for layer in form.layers}
        start = len(self._exact)
        for field in form.scheduled[start:]:
            layer = layers[field.subject]
            names = OUTPUT + (COTANGENT if field.size > sum_count(layer, False) else ())
            at = slice(start, start := start + field.size)
            self._sums.append((layer, at, slice(len(columns), len(columns) + len(names))))
            columns += [(name, layer.name) for name in names]
        self.columns = tuple(columns)
        self._changes = np.empty((0, 0), np.float32)
        self._place = {column: i for i, column in enumerate(columns)}

    def _together(self, kind: str, names: tuple[str, ...]) -> slice:
        """The slice of all fields of one kind, which are contiguous."""
        at = [self._at[kind, name] for name in names]
        return slice(at[0].start, at[-1].stop) if at else slice(0, 0)

    def rows(self, vectors: Array, scheduled: Array, steps_before: int, behind: Behind) -> Array:
        """The values (steps, columns) of successive steps; `behind` is the state before them.

        `scheduled` has the scheduled values, (steps, values), NaN where nothing was measured.
        `steps_before` steps were recorded so far. Updates `behind` for the next steps.
        """
        out = np.full((len(vectors), len(self.columns)), np.nan, np.float32)
        out[:, self._place["batch_size", ""]] = self.form.batch_size
        for name in ("loss", "learning_rate"):
            out[:, self._place[name, ""]] = vectors[:, self._at[name, ""].start]
        exact = scheduled[:, : len(self._exact)]
        clock = int(vectors[0, 0])
        follows = behind.clock == clock - 1 and behind.names == self._names
        with np.errstate(all="ignore"):
            if self._names:
                squares = self._gradient_norms(vectors, exact, out)
                self._pairs(vectors, squares, out, behind if follows else Behind())
                self._weight_norms(vectors, out, behind.weights if follows else None)
            self._layer_series(scheduled, out)
            if self._layers:
                self._idle_units(vectors, out, steps_before, behind)
        behind.clock = int(vectors[-1, 0])
        behind.names = self._names
        # Copies, since the next steps reuse the memory of the vectors.
        behind.weights = vectors[-1, self._weights].copy()
        due = behind.clock % PAIRS == 1
        behind.gradients = self._unclipped(vectors[-1]) if due else None
        return out

    # Gradients ------------------------------------------------------------------------------------

    def _gradient_norms(self, vectors: Array, exact: Array, out: Array) -> Array:
        """Write the gradient norms; return the sampled sums of squares (steps, parameters)."""
        gradients = vectors[:, self._gradients]
        seen = self._by_part(gradients, gradients)
        arrived = seen * self._scales
        before = arrived.copy()
        for name, known in zip(self._exact, exact.T, strict=True):
            i = self._names.index(name)
            arrived[:, i] = before[:, i] = np.where(np.isnan(known), arrived[:, i], known)
        for i, name in enumerate(self._names):
            if ("square", name) in self._at:
                before[:, i] = vectors[:, self._at["square", name].start]
        for name, place in self.form.factors:
            i = self._names.index(name)
            arrived[:, i] = before[:, i] * vectors[:, self._at["factor", place].start] ** 2
        first = self._place["gradient_norm", self._names[0]]
        out[:, first : first + len(self._names)] = np.sqrt(before)
        out[:, self._place["gradient_norm", ""]] = np.sqrt(before.sum(axis=1, dtype=np.float64))
        out[:, self._place["clipped_norm", ""]] = np.sqrt(arrived.sum(axis=1, dtype=np.float64))
        return seen

    def _pairs(self, vectors: Array, squares: Array, out: Array, behind: Behind) -> None:
        """Compare gradients with those of the step before, both before clipping."""
        second = np.flatnonzero(vectors[:, 0] % PAIRS == 2)
        second = second[(second > 0) | (behind.gradients is not None)]
        if not len(second):
            return
        gradients, factors = vectors[:, self._gradients], self._factors(vectors)
        squares = squares / factors**2
        now, before, other = gradients[second], gradients[second - 1], squares[second - 1]
        scale = factors[second] * factors[second - 1]
        if second[0] == 0:
            before[0], scale[0] = behind.gradients, factors[0]
            other[0] = self._by_part(before[:1], before[:1])[0]
        # Row by row, so that a step's numbers do not depend on the steps that come with it.
        dot = np.vecdot(self._by_part(now, before) / scale, self._scales)
        one, other = (np.vecdot(each, self._scales) for each in (squares[second], other))
        for name, values in zip(
            _OF_A_PAIR, (dot / np.sqrt(one * other), dot, (one + other) / 2), strict=True
        ):
            out[second, self._place[name, ""]] = values

    def _by_part(self, one: Array, other: Array) -> Array:
        """Sums of products (steps, parameters) of two arrays (steps, elements)."""
        parts = self._parts
        return np.stack([np.vecdot(one[:, part], other[:, part]) for part in parts], axis=1)

    def _factors(self, vectors: Array) -> Array:
        """The factors that clipping multiplied the gradients by, (steps, parameters)."""
        factors = np.ones((len(vectors), len(self._names)), np.float32)
        for name, place in self.form.factors:
            factors[:, self._names.index(name)] = vectors[:, self._at["factor", place].start]
        return factors

    def _unclipped(self, vector: Array) -> Array:
        """The sampled gradients of a step, with clipping undone."""
        gradients = vector[self._gradients].copy()
        for part, factor in zip(self._parts, self._factors(vector[None])[0], strict=True):
            gradients[part] /= factor
        return gradients

    # Weights --------------------------------------------------------------------------------------

    def _weight_norms(self, vectors: Array, out: Array, before: Array | None) -> None:
        after = vectors[:, self._weights]
        if len(after) > len(self._changes):  # reused, since fresh memory costs more than the sums
            self._changes = np.empty_like(after)
        changes = self._changes[: len(after)]
        np.subtract(after[1:], after[:-1], out=changes[1:])
        changes[0] = np.nan if before is None else after[0] - before
        updates = self._by_part(changes, changes)
        norms = np.full_like(updates, np.nan)
        norms[1:] = self._by_part(after[:-1], after[:-1])
        if before is not None:
            norms[:1] = self._by_part(before[None], before[None])
        for series, squares in ("weight_norm", norms), ("update_norm", updates):
            first = self._place[series, self._names[0]]
            out[:, first : first + len(self._names)] = np.sqrt(squares * self._scales)

    # Layers ---------------------------------------------------------------------------------------

    def _layer_series(self, scheduled: Array, out: Array) -> None:
        measured = ~np.isnan(scheduled).all(axis=1)
        for layer, at, columns in self._sums:
            out[measured, columns] = layer_series(layer, scheduled[measured, at])

    # Units ----------------------------------------------------------------------------------------

    def _idle_units(self, vectors: Array, out: Array, steps_before: int, behind: Behind) -> None:
        number = np.arange(1, len(vectors) + 1)[:, None]
        window = np.minimum(steps_before + number, WINDOW)
        idle = vectors[:, self._active] <= 0
        since = behind.idle
        if since is None or behind.layers != self._layers or len(since) != idle.shape[1]:
            since = np.zeros(idle.shape[1], np.int64)
        # Few units are ever idle, and only those need to be tracked from step to step.
        some = np.flatnonzero(idle.any(axis=0))
        last = np.maximum.accumulate(np.where(idle[:, some], 0, number), axis=0)
        age = number - last + np.where(last == 0, since[some], 0)
        behind.layers = self._layers
        behind.idle = np.zeros_like(since)
        behind.idle[some] = age[-1]
        first = len(_OF_THE_STEP)
        shares = (age >= window).astype(np.float32) @ self._members[some] / self._units
        out[:, first : first + len(self._layers)] = shares
