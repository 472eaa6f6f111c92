"""The hooks of the training loop. A callback fills in the ones it needs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from retrograd.training.history import Epoch, History

if TYPE_CHECKING:
    from retrograd.training.loop import Trainer
    from retrograd.training.sources import Call, Source

__all__ = ["Callback"]


class Callback:
    """Told about a run as it goes; every hook does nothing until it is overridden."""

    def on_begin(self, trainer: Trainer, epochs: int, steps_per_epoch: int) -> None:
        """Training starts, or goes on: at most `epochs` epochs in all."""

    def around_steps(self, trainer: Trainer) -> AbstractContextManager[object]:
        """A context within which the steps of an epoch run, and nothing else."""
        return nullcontext()

    def before_call(self, trainer: Trainer, source: Source, call: Call) -> None:
        """The steps of `call` run next, compiled."""

    def on_failure(self, trainer: Trainer) -> str:
        """A loss of the latest call is no number; what is known of why, for the message."""
        return ""

    def on_steps(self, trainer: Trainer, step: int) -> None:
        """Some steps have run in one call; `step` is how many in all."""

    def on_epoch(self, trainer: Trainer, epoch: Epoch) -> None:
        """An epoch has ended and was validated."""

    def on_end(self, trainer: Trainer, history: History) -> None:
        """Training has ended; the model still has its last weights, and gets its best ones next."""
