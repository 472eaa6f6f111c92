"""`Recorder` and `record`: measure the steps of a training run and write them as it goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd import nn, optim
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
from retrograd.diagnosis.probes.epochs import EpochProbes
from retrograd.diagnosis.probes.recorded import RecordedSteps
from retrograd.diagnosis.record.record import Record
from retrograd.diagnosis.record.store import FolderStore, MemoryStore, Store
from retrograd.errors import UsageError
from retrograd.training.callbacks import Callback
from retrograd.training.history import Epoch, History, Verdict, part_of
from retrograd.training.sources import Source, Stack

if TYPE_CHECKING:
    from retrograd.training.trainer import Trainer

__all__ = ["LiveRecord", "Recorder", "record"]

Array = np.ndarray[Any, Any]


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
        self._run: RecordedSteps | None = None
        self._recording = False
        self._first_step = 0
        self._has_begun = False  # whether the first histograms are made
        self._between: EpochProbes | None = None
        self._restored: dict[str, Array] = {}  # of a run that is resumed

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
            self._run = run = RecordedSteps(self._store, model, optimizer, first)
            if self._restored:
                run.restore(part_of(self._restored, "steps/"))
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
        if sizes := part_of(self._restored, "size/"):
            folder.cut_to({name: int(size) for name, size in sizes.items()})
        else:
            folder.cut(first)

    @contextmanager
    def _watching(self, run: RecordedSteps) -> Iterator[LiveRecord]:
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
        self._between.restore(part_of(self._restored, "between/"))
        self._has_begun = bool(self._restored)

    def on_batch_begin(self, trainer: Trainer, source: Source, stack: Stack) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._add_histograms(trainer.steps)

    def on_epoch_begin(self, trainer: Trainer, steps: ExitStack) -> None:
        steps.enter_context(self.watching(trainer.model, trainer.optimizer))

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        more: dict[str, Any] = {}
        if self._between is not None and self._between.is_due(epoch.epoch):
            self._add_histograms(epoch.step)
            more |= self._between.validation_scores() | self._between.curvature()
        self._keep(epoch, more)

    def _keep(self, epoch: Epoch, more: dict[str, Any]) -> None:
        more = {"learning_rate": epoch.learning_rate, "best": epoch.best, **more}
        self.add_epoch(epoch.epoch, epoch.train_loss, epoch.validation_loss, **more)

    def _add_histograms(self, step: int) -> None:
        assert self._between is not None
        for histogram in self._between.histograms(step):
            self._store.add_line("histograms", asdict(histogram))

    def on_train_end(self, trainer: Trainer, history: History) -> None:
        # The scores of the last epoch too, unless training ended within one.
        whole = history.verdict not in (None, Verdict.INTERRUPTED)
        if self._between is not None and whole and not self._between.is_due(len(history.epochs)):
            self._keep(history.epochs[-1], self._between.validation_scores())
        self.settle()

    def state(self) -> dict[str, Array]:
        """How far the record has come, and what the steps to come are measured against.

        Empty before the first step, and without a folder.
        """
        self.settle()
        if self._between is None or not isinstance(self._store, FolderStore):
            return {}
        if self._run is None:  # no step was to be made
            return {f"recorder/{name}": each for name, each in self._restored.items()}
        sizes = {f"size/{name}": np.asarray(size) for name, size in self._store.sizes().items()}
        parts = {"steps/": self._run.state(), "between/": self._between.state()}
        found = {prefix + n: each for prefix, part in parts.items() for n, each in part.items()}
        return {f"recorder/{name}": each for name, each in {**sizes, **found}.items()}

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        """Go on exactly from what `state` returned; does nothing if nothing is there."""
        self._restored = part_of(arrays, "recorder/")


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
