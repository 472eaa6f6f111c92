"""What a run folder receives while training goes on: epochs as they end, and checkpoints."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retrograd.data.files import plain_reason
from retrograd.diagnosis.record.form import check
from retrograd.errors import UsageError
from retrograd.store.folder import RunFolder
from retrograd.training import Callback, Epoch, History

if TYPE_CHECKING:
    from retrograd.training import Trainer

__all__ = ["RunLog", "read_epochs"]

_LOG = "metrics.jsonl"

# At most this much training is lost by a crash.
_SECONDS_BETWEEN_CHECKPOINTS = 30.0


def read_epochs(folder: RunFolder) -> list[Epoch]:
    """The epochs that a run has logged; DataError for a line that holds something else."""
    lines = folder.read_lines(_LOG)
    for place, line in enumerate(lines, 1):
        check(Epoch, line, f"{folder.path / _LOG}, line {place},")
    return [Epoch(**line) for line in lines]


class RunLog(Callback):
    """Writes each epoch to metrics.jsonl, and every half minute weights and a checkpoint.

    `facts` are what the manifest says of the run besides its verdict.
    """

    def __init__(self, folder: RunFolder, facts: Mapping[str, Any]) -> None:
        self.folder = folder
        self.facts = facts
        self._written = time.monotonic()

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        path = self.folder.path / _LOG
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(epoch.as_dict()) + "\n")
        except OSError as error:
            raise UsageError(f"Cannot write {path}: {plain_reason(error)}.") from error
        if time.monotonic() - self._written > _SECONDS_BETWEEN_CHECKPOINTS:
            self.checkpoint(trainer)

    def on_train_end(self, trainer: Trainer, history: History) -> None:
        if history.verdict is not None:
            self.checkpoint(trainer)

    def checkpoint(self, trainer: Trainer) -> None:
        """Write the best weights, what is needed to go on, and the manifest for both."""
        if trainer.best_weights:
            self.folder.write_arrays("weights.safetensors", trainer.best_weights)
        try:
            self.folder.write_arrays("checkpoint.safetensors", trainer.state())
        finally:
            self.close(trainer)  # also if the disk is full now, the weights are good
        self._written = time.monotonic()

    def close(self, trainer: Trainer) -> None:
        """Write the manifest for the files as they are now."""
        verdict = trainer.history.verdict
        self.folder.write_manifest(**self.facts, verdict=verdict and verdict.value)
