"""`Recorder` and `record`: measure the steps of a training run and write them as it goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd import nn, optim
from retrograd.arrays import state
from retrograd.autodiff.hooks import hooks
from retrograd.diagnosis.arguments import (
    check_loss,
    check_model,
    check_optimizer,
    checked_data,
)
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.examine import examined
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.probes.arrays import element_count, elements
from retrograd.diagnosis.probes.digest import WINDOW, Behind, Digest
from retrograd.diagnosis.probes.epochs import EpochProbes
from retrograd.diagnosis.probes.ring import CLOCK, Form, Ring
from retrograd.diagnosis.probes.steps import EVERY, StepProbes, next_due
from retrograd.diagnosis.record.record import Part, Record, RecordFacts, Weights
from retrograd.diagnosis.record.store import FolderStore, MemoryStore, Store, row_type
from retrograd.errors import UsageError
from retrograd.training.callbacks import Callback
from retrograd.training.history import Epoch, History
from retrograd.training.sources import Source, Stack

if TYPE_CHECKING:
    from retrograd.training.trainer import Trainer

__all__ = ["LiveRecord", "Recorder", "record"]

Array = np.ndarray[Any, Any]

# This many eager steps are collected before they are digested.
_EAGER_STEPS = 64
# Measurements are written at least this often.
_SECONDS = 1.0


class Recorder(Callback):
    """Records every layer of a run: a callback for a Trainer, or around your own loop.

        recorder = Recorder("runs/houses-1/record")
        with recorder.watching(model, optimizer):
            for x, y in batches:
                step(x, y)                  # eager or compiled
        recorder.record.series("gradient_norm")

    `record.SERIES` lists what is measured. With a folder, the record is written there as it grows,
    and memory stays bounded; without one it stays in memory. A step ends when `optimizer` steps. If
    one call of `Compiled.over` makes more than 64 steps, only the last 64 are recorded.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        known: Mapping[str, Any] | None = None,
    ) -> None:
        self._known = dict(known or {})  # more of the Case that `findings` examines
        # Set until the first steps are recorded: the folder may already hold a record.
        self._folder = None if folder is None else FolderStore(Path(folder))
        self._store: Store = self._folder or MemoryStore()
        self._run: _Run | None = None
        self._recording = False
        self._first_step = 0
        self._between: EpochProbes | None = None

    @property
    def record(self) -> LiveRecord:
        """The measurements so far; the record grows while steps run."""
        return LiveRecord(self, self._store)

    def findings(self, ignore: Iterable[str] = ()) -> list[Finding]:
        """The findings so far, the likeliest cause first.

        They are of the record and the model, and of the loss and the data if known, see `record`.
        """
        record, run = self.record, self._run
        if run is None:
            return examined(Case(record=record), ignore)
        case = Case(record=record, model=run.model, optimizer=run.optimizer, **self._known)
        return examined(case, ignore)

    def watching(
        self, model: nn.Module, optimizer: optim.Optimizer
    ) -> AbstractContextManager[LiveRecord]:
        """Record the steps of `optimizer` on `model` within the block.

        Records nest. Raises TypeError if `model` or `optimizer` is of the wrong type, UsageError
        within another block of this recorder or if the folder already holds a record.
        """
        check_model("Recorder", model)
        check_optimizer("Recorder", optimizer)
        self._begin(self._first_step)
        run = self._run
        if run is None or run.model is not model or run.optimizer is not optimizer:
            self.settle()
            first = self._first_step if run is None else run.last
            self._run = run = _Run(self._store, model, optimizer, first)
        return self._watching(run)

    def _begin(self, first: int) -> None:
        """Prepare the folder; a run resumed after step `first` deletes the record of later steps.

        Raises UsageError if the folder holds another run's record.
        """
        self._first_step, self._folder, folder = first, None, self._folder
        if folder is None:
            return
        if first == 0 and folder.parts():
            raise UsageError(
                f"record: {folder.path} already holds the record of another training. Choose "
                "another folder, or remove that one first."
            )
        folder.cut(first)

    @contextmanager
    def _watching(self, run: _Run) -> Iterator[LiveRecord]:
        if self._recording:
            raise UsageError("record: this recorder is already recording; leave its block first.")
        self._recording = True
        try:
            with hooks(**run.probes.events()):
                yield self.record
        finally:
            self._recording = False
            self.settle()

    def settle(self) -> None:
        """Bring the measurements of the latest steps into the record."""
        if self._run is not None:
            self._run.settle()

    def add_epoch(self, epoch: int, train_loss: float, validation_loss: float, **more: Any) -> None:
        """Add a completed epoch; see `Record.epochs` for the other values it may have."""
        self.settle()
        step = self._run.last if self._run is not None else 0
        losses = {"train_loss": train_loss, "validation_loss": validation_loss}
        self._store.add_line("epochs", {"epoch": epoch, "step": step, **losses, **more})

    # As a callback --------------------------------------------------------------------------------

    def on_train_begin(self, trainer: Trainer, epochs: int, steps_per_epoch: int) -> None:
        if self._run is None:
            self._begin(trainer.steps)
        self._between = EpochProbes(trainer)

    def on_batch_begin(self, trainer: Trainer, source: Source, stack: Stack) -> None:
        if self._between is None:
            return
        is_first = self._between.batch is None
        self._between.batch = source, stack
        if is_first:
            self._add_histograms(trainer.steps)

    def on_epoch_begin(self, trainer: Trainer, steps: ExitStack) -> None:
        steps.enter_context(self.watching(trainer.model, trainer.optimizer))

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        more: dict[str, Any] = {"learning_rate": epoch.learning_rate, "best": epoch.best}
        if self._between is not None and self._between.is_due(epoch.epoch):
            self._add_histograms(epoch.step)
            more |= self._between.validation_scores()
            if curvature := self._between.curvature():
                more["curvature"] = curvature
        self.add_epoch(epoch.epoch, epoch.train_loss, epoch.validation_loss, **more)

    def _add_histograms(self, step: int) -> None:
        assert self._between is not None
        for histogram in self._between.histograms(step):
            self._store.add_line("histograms", asdict(histogram))

    def on_train_end(self, trainer: Trainer, history: History) -> None:
        self.settle()


def record(
    model: nn.Module,
    optimizer: optim.Optimizer,
    folder: str | os.PathLike[str] | None = None,
    *,
    loss: Callable[..., Any] | None = None,
    data: Sequence[Any] | None = None,
    valid: Sequence[Any] | None = None,
    task: str | None = None,
    batch_size: int | None = None,
) -> AbstractContextManager[LiveRecord]:
    """Record the steps of `optimizer` on `model` within the block: `with ... as record:`.

        with rg.record(model, optimizer, loss=nn.cross_entropy, data=(x, y)) as record:
            for rows in batches:
                step(x[rows], y[rows])
        record.findings()

    See `Recorder`; `record.series("gradient_norm")` works within the block and after it.
    `record.findings()` checks what it is given, as `rg.diagnose` does: the loss, the data and the
    validation rows, each pair `(inputs, target)`. Without them it knows the model and the steps
    alone, and finds far less.
    """
    check_loss("record", loss)
    known = {
        "loss": loss,
        "train": None if data is None else checked_data("record", "data", data),
        "valid": None if valid is None else checked_data("record", "valid", valid),
        "task": task,
        "batch_size": batch_size,
    }
    return Recorder(folder, known).watching(model, optimizer)


class LiveRecord(Record):
    """The record of a run in progress: each read first fetches the latest steps."""

    def __init__(self, recorder: Recorder, store: Store) -> None:
        super().__init__(store, recorder.settle)
        self._recorder = recorder

    def findings(self, ignore: Iterable[str] = ()) -> list[Finding]:
        """See `Recorder.findings`."""
        return self._recorder.findings(ignore)

    def add_epoch(self, epoch: int, train_loss: float, validation_loss: float, **more: Any) -> None:
        """See `Recorder.add_epoch`."""
        self._recorder.add_epoch(epoch, train_loss, validation_loss, **more)


class _Run:
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
        self._behind = Behind()
        self._digests: dict[Form, tuple[Digest, int]] = {}
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
        if form not in self._digests:
            digest = Digest(form)
            self._digests[form] = digest, self.store.begin(asdict(self._part(digest)))
        digest, part = self._digests[form]
        if self.last == self.first:
            self._behind.names = tuple(name for name, _ in form.shapes)
            weights = [self._start[name] for name in self._behind.names]
            self._behind.weights = np.concatenate(weights) if weights else None
        rows = np.empty(len(vectors), row_type(len(digest.columns)))
        rows["step"] = np.arange(step, step + len(vectors))
        rows["values"] = digest.rows(vectors, scheduled, step - self.first - 1, self._behind)
        self.store.append(part, rows)
        self.last = step + len(vectors) - 1

    def _part(self, digest: Digest) -> Part:
        group = self.optimizer.param_groups[0]
        return Part(
            columns=digest.columns,
            layers=digest.form.layers,
            parameters=self.parameters,
            optimizer=type(self.optimizer).__name__,
            options={name: value for name, value in group.items() if name != "params"},
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
