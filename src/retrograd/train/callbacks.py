"""The hooks of the training loop. A callback fills in the ones it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retrograd.train.history import Epoch, History

if TYPE_CHECKING:
    from retrograd.train.loop import Trainer

__all__ = ["Callback"]


class Callback:
    """Told about a run as it goes; every hook does nothing until it is overridden."""

    def on_begin(self, trainer: Trainer, epochs: int, steps_per_epoch: int) -> None:
        """Training starts, or goes on: at most `epochs` epochs in all."""

    def on_steps(self, trainer: Trainer, step: int) -> None:
        """Some steps have run in one call; `step` is how many in all."""

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        """An epoch has ended and was validated."""

    def on_end(self, trainer: Trainer, history: History) -> None:
        """Training has ended; the model still has its last weights, and gets its best ones next."""
