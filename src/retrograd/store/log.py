"""What a run folder receives while training goes on: epochs as they end, and checkpoints."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from retrograd.data.files import plain_reason
from retrograd.data.form import check, restored
from retrograd.errors import UsageError
from retrograd.store.folder import RunFolder
from retrograd.store.kept import EPOCH
from retrograd.store.manifest import Manifest
from retrograd.store.names import CHECKPOINT, EPOCHS, WEIGHTS
from retrograd.training import Callback, Epoch, History

if TYPE_CHECKING:
    from retrograd.training import Trainer

__all__ = ["RunLog", "read_history", "write_epochs"]

# At most this much training is lost by a crash.
_SECONDS_BETWEEN_CHECKPOINTS = 30.0


def read_history(folder: RunFolder) -> History:
    """The epochs that a run has logged, and how it ended; DataError for a damaged line."""
    lines = folder.read_lines(EPOCHS)
    for number, line in enumerate(lines, 1):
        check(Epoch, line, f"{folder.path / EPOCHS}, line {number},")
    return History([restored(Epoch, line) for line in lines], folder.manifest().verdict)


def write_epochs(folder: RunFolder, epochs: Iterable[Epoch]) -> None:
    """Replace the log by these epochs."""
    folder.write_lines(EPOCHS, [epoch.as_dict() for epoch in epochs])


class RunLog(Callback):
    """Appends each epoch to the log, and every half minute writes weights and a checkpoint.

    `manifest` is what the run is; its verdict is the trainer's. A checkpoint holds the state of the
    trainer and of the callbacks `also`.
    """

    def __init__(
        self, folder: RunFolder, manifest: Manifest, also: Sequence[Callback] = ()
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.also = also
        self._written = math.inf  # counted from the first steps on, which have been compiled

    def on_batch_end(self, trainer: Trainer, losses: Any) -> None:
        self._checkpoint_if_due(trainer)

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        path = self.folder.path / EPOCHS
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(epoch.as_dict()) + "\n")
        except OSError as error:
            raise UsageError(f"Cannot write {path}: {plain_reason(error)}.") from error
        self._checkpoint_if_due(trainer)

    def on_train_end(self, trainer: Trainer, history: History) -> None:
        if history.verdict is not None and trainer.steps:
            self.checkpoint(trainer)

    def _checkpoint_if_due(self, trainer: Trainer) -> None:
        self._written = min(self._written, time.monotonic())
        if time.monotonic() - self._written > _SECONDS_BETWEEN_CHECKPOINTS:
            self.checkpoint(trainer)

    def checkpoint(self, trainer: Trainer) -> None:
        """Write the best weights and what resuming needs, as one.

        If only the weights can be written, they are kept. Raises UsageError then.
        """
        best = trainer.history.best
        if best is not None and trainer.best_weights:
            self.folder.stage_arrays(WEIGHTS, trainer.best_weights, {EPOCH: str(best.epoch)})
        try:
            state = trainer.state()
            for callback in self.also:
                state |= callback.state()
            self.folder.stage_arrays(CHECKPOINT, state)
        finally:
            self.close(trainer)  # also if the disk is full now, the weights are good
        self._written = time.monotonic()

    def close(self, trainer: Trainer) -> None:
        """Commit the files as they are now."""
        self.folder.write_manifest(replace(self.manifest, verdict=trainer.history.verdict))
