"""The steps of one model and optimizer, on their way from the probes into a record."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from retrograd import nn, optim
from retrograd.arrays import state
from retrograd.data.form import restored
from retrograd.diagnosis.probes.arrays import element_count, elements
from retrograd.diagnosis.probes.digest import WINDOW, Behind, Digest
from retrograd.diagnosis.probes.ring import CLOCK, Form, Ring
from retrograd.diagnosis.probes.steps import EVERY, StepProbes, next_due
from retrograd.diagnosis.record.record import Part, RecordFacts, Weights
from retrograd.diagnosis.record.store import Store, row_type

__all__ = ["RecordedSteps"]

Array = np.ndarray[Any, Any]

# This many eager steps are collected before they are digested.
_EAGER_STEPS = 64
# Measurements are written at least this often.
_SECONDS = 1.0


class RecordedSteps:
    """The steps of one model and optimizer on their way into the store."""

    def __init__(
        self, store: Store, model: nn.Module, optimizer: optim.Optimizer, first: int
    ) -> None:
        self.store = store
        self.model = model
        self.optimizer = optimizer
        self.probes = StepProbes(model, optimizer, self._take, self._ran)
        self.first = first
        self.last = first  # the number of the latest step in the store
        optimized = {id(p) for group in optimizer.param_groups for p in group.params}
        limit = self.probes.limit
        named = list(model.named_parameters())
        self.parameters = tuple(
            Weights.of(n, p, id(p) in optimized, element_count(p.shape, limit)) for n, p in named
        )
        self._start = {n: elements(np.asarray(p.data), limit) for n, p in named}
        # As they are now: steps change the learning rate.
        group = optimizer.param_groups[0]
        self._options = {name: value for name, value in group.items() if name != "params"}
        self._behind = Behind()
        self._digests: dict[Form, tuple[Digest, int]] = {}
        self._known: dict[str, int] = {}  # the parts of the forms that a resumed run had
        self._waiting: list[tuple[Form, Array, Array | None]] = []  # eager steps
        self._begun = 0  # upper bound of the steps that compiled functions have run
        self._fetched = 0  # how many of them were taken out of the rings
        self._taken: list[tuple[Ring, list[Any]]] = []  # contents of rings, perhaps still pending
        self._fetch_at = 0
        self._due = 1
        self._time = time.monotonic() + _SECONDS
        self._noted: tuple[object, ...] = ()

    def _take(self, form: Form, vector: Array, scheduled: Array | None) -> None:
        if len(self._waiting) >= _EAGER_STEPS:
            self.settle()
        self._waiting.append((form, vector, scheduled))

    def _ran(self, steps: int) -> None:
        # Called after every step, which may have taken only 20 µs.
        self._begun += steps
        if self._begun + steps > self._fetch_at or time.monotonic() > self._time:
            self._fetch()
        if self._begun >= self._due:
            self._due = next_due(self._begun + 1)
        self.probes.full = self._begun + 1 == self._due

    def settle(self) -> None:
        """Digest all steps so far; does nothing while a step is being traced."""
        if state.trace is not None:
            return
        self._fetch()
        self._fetch()
        self._begun = self._fetched = self.last - self.first
        self._fetch_at = 0
        self._due = next_due(self._begun + 1)
        self.probes.full = self._due == self._begun + 1

    def _fetch(self) -> None:
        """Digest what was last taken out of the rings, and take out what is there now.

        The host thus works on some steps while the device already runs the next ones.
        """
        blocks: list[tuple[int, Form, Array, Array]] = []
        for form, group in groupby(self._waiting, key=itemgetter(0)):
            _, waiting, measured = zip(*group, strict=True)
            nothing = np.full(form.scheduled_size, np.nan, np.float32)
            some = np.stack([nothing if each is None else each for each in measured])
            blocks.append((self._number(waiting[0][0]), form, np.stack(waiting), some))
        self._waiting = []
        for ring, arrays in self._taken:
            blocks += self._blocks(ring.form, *map(np.asarray, arrays))
        for step, form, vectors, scheduled in sorted(blocks, key=itemgetter(0)):
            self._add(step, form, vectors, scheduled)
        for ring, arrays in self._taken:
            ring.give(arrays)
        self._taken = []
        if self._begun > self._fetched:
            self._taken = [(ring, ring.take()) for ring in self.probes.rings.values()]
        self._fetched = self._begun
        rows = min((ring.rows for ring in self.probes.rings.values()), default=0)
        # Fetch at the end of a ring, so that its content is one block.
        self._fetch_at = (self._begun // rows + 1) * rows if rows else 0
        self._time = time.monotonic() + _SECONDS
        self._note()

    def _blocks(
        self, form: Form, vectors: Array, *measured: Array
    ) -> Iterator[tuple[int, Form, Array, Array]]:
        """New steps in a ring's arrays: the first step's number, the vectors, the scheduled values.

        Successive rows with successive clocks form one block. There are several if the ring wraps
        around or steps of another form came between.
        """
        clocks = vectors[:, 0].astype(np.int64)
        ahead = (clocks - (self.last - self.first)) % CLOCK
        new = np.flatnonzero((clocks >= 0) & (ahead > 0) & (ahead <= CLOCK // 2))
        breaks = np.flatnonzero((np.diff(new) != 1) | (np.diff(ahead[new]) != 1)) + 1
        for rows in np.split(new, breaks) if len(new) else ():
            block = vectors[rows[0] : rows[-1] + 1]
            scheduled = block[:, form.size :]
            for some in measured:
                scheduled = np.full((len(block), form.scheduled_size), np.nan, np.float32)
                place = some[:, 0].astype(np.int64) - clocks[rows[0]]
                here = (some[:, 0] >= 0) & (place >= 0) & (place < len(block))
                scheduled[place[here]] = some[here, 1:]
            yield self._number(block[0, 0]), form, block, scheduled

    def _number(self, clock: float) -> int:
        """The number of a step after the latest in the store, from its clock."""
        return self.last + (int(clock) - (self.last - self.first)) % CLOCK

    def _add(self, step: int, form: Form, vectors: Array, scheduled: Array) -> None:
        digest, part = self._digest(form)
        if self.last == self.first:
            self._behind.names = tuple(name for name, _ in form.shapes)
            weights = [self._start[name] for name in self._behind.names]
            self._behind.weights = np.concatenate(weights) if weights else None
        rows = np.empty(len(vectors), row_type(len(digest.columns)))
        rows["step"] = np.arange(step, step + len(vectors))
        rows["values"] = digest.rows(vectors, scheduled, step - self.first - 1, self._behind)
        self.store.append(part, rows)
        self.last = step + len(vectors) - 1

    def _digest(self, form: Form) -> tuple[Digest, int]:
        """What turns vectors of this form into rows, and the number of the part for them."""
        if form not in self._digests:
            digest, part = Digest(form), self._known.get(_name(form))
            if part is None:
                part = self.store.begin(asdict(self._part(digest)))
            self._digests[form] = digest, part
        return self._digests[form]

    def _part(self, digest: Digest) -> Part:
        return Part(
            columns=digest.columns,
            layers=digest.form.layers,
            parameters=self.parameters,
            optimizer=type(self.optimizer).__name__,
            options=self._options,
            window=WINDOW,
            every=EVERY,
        )

    def _note(self) -> None:
        probes = self.probes
        layers = probes.layers
        sets = probes.no_gradient, probes.had_gradient
        modes = layers.trained_in_eval, layers.evaluated_in_train
        noted = (*map(len, (*sets, *modes)), probes.kept_gradients, probes.clipping)
        if not self._digests or noted == self._noted:
            return
        self._noted = noted
        facts = RecordFacts(
            no_gradient=tuple(sorted(probes.no_gradient)),
            never=tuple(sorted(probes.no_gradient - probes.had_gradient)),
            kept_gradients=probes.kept_gradients,
            trained_in_eval=tuple(sorted(layers.trained_in_eval)),
            evaluated_in_train=tuple(sorted(layers.evaluated_in_train)),
            clipping=probes.clipping,
        )
        self.store.write_facts(asdict(facts))

    # Resuming -------------------------------------------------------------------------------------

    def state(self) -> dict[str, Array]:
        """What the steps to come are measured against; all steps so far are in the store."""
        behind = self._behind
        named = {
            "first": self.first,
            "last": self.last,
            "clock": behind.clock,
            "names": behind.names,
            "layers": behind.layers,
            "forms": {**self._known, **{_name(f): part for f, (_, part) in self._digests.items()}},
        }
        arrays = {
            "counted": np.asarray(self.probes.clock.data),
            "weights": behind.weights,
            "gradients": behind.gradients,
            "idle": behind.idle,
        }
        packed = np.frombuffer(json.dumps(named).encode(), np.uint8)
        return {"named": packed, **{n: each for n, each in arrays.items() if each is not None}}

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Go on from what `state` returned, in a store that holds the record up to there."""
        named = json.loads(arrays["named"].tobytes())
        self.first, self.last = named["first"], named["last"]
        self._known = named["forms"]
        self._behind = Behind(
            clock=named["clock"],
            names=tuple(named["names"]),
            weights=arrays.get("weights"),
            gradients=arrays.get("gradients"),
            layers=tuple(named["layers"]),
            idle=arrays.get("idle"),
        )
        self.probes.clock.data = arrays["counted"]
        if parts := self.store.parts():
            begun = Part.from_json(parts[0])
            self.parameters, self._options = begun.parameters, begun.options
        self._restore_facts(restored(RecordFacts, self.store.facts()))
        self.settle()

    def _restore_facts(self, facts: RecordFacts) -> None:
        probes, layers = self.probes, self.probes.layers
        probes.no_gradient |= set(facts.no_gradient)
        probes.had_gradient |= set(facts.no_gradient) - set(facts.never)
        probes.kept_gradients |= facts.kept_gradients
        probes.clipping = facts.clipping
        layers.trained_in_eval |= set(facts.trained_in_eval)
        layers.evaluated_in_train |= set(facts.evaluated_in_train)


def _name(form: Form) -> str:
    """A form's name in a checkpoint, the same in every process."""
    return hashlib.sha256(repr(form).encode()).hexdigest()
