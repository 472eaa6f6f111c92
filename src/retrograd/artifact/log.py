"""What a run folder receives while training goes on: epochs as they end, and checkpoints."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from retrograd.artifact.folder import RunFolder
from retrograd.data.files import plain_reason
from retrograd.errors import UsageError
from retrograd.train import Callback, Epoch, History

if TYPE_CHECKING:
    from retrograd.train import Trainer

__all__ = ["RunLog"]

# At most this much training is lost by a crash.
_SECONDS_BETWEEN_CHECKPOINTS = 30.0


class RunLog(Callback):
    """Writes each epoch to metrics.jsonl, and every half minute a checkpoint to go on from."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self._written = time.monotonic()

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        path = self.folder.path / "metrics.jsonl"
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(epoch.as_dict()) + "\n")
        except OSError as error:
            raise UsageError(f"Cannot write {path}: {plain_reason(error)}.") from error
        if time.monotonic() - self._written > _SECONDS_BETWEEN_CHECKPOINTS:
            self._checkpoint(trainer)

    def on_end(self, trainer: Trainer, history: History) -> None:
        self._checkpoint(trainer)

    def _checkpoint(self, trainer: Trainer) -> None:
        self.folder.write_arrays("checkpoint.safetensors", trainer.state())
        self._written = time.monotonic()
