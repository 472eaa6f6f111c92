"""The hooks of the training loop, and the callbacks that end training and keep the best weights."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd.errors import RunError
from retrograd.training.history import Epoch, History, Verdict

if TYPE_CHECKING:
    from retrograd.training.sources import Source, Stack
    from retrograd.training.trainer import Trainer

__all__ = ["BestWeights", "Callback", "EarlyStopping", "FiniteLoss", "TimeLimit"]

Array = np.ndarray[Any, Any]


class Callback:
    """Hooks called during a run; each does nothing unless it is overridden.

    Callbacks are called in order, at the end of training in reverse order.
    """

    def on_train_begin(self, trainer: Trainer, epochs: int, steps_per_epoch: int) -> None:
        """Training starts, or resumes: at most `epochs` epochs in all."""

    def on_epoch_begin(self, trainer: Trainer, steps: ExitStack) -> None:
        """An epoch starts; contexts entered into `steps` are exited before validation."""

    def on_batch_begin(self, trainer: Trainer, source: Source, stack: Stack) -> None:
        """The batches of `stack` run next, in one call."""

    def on_batch_end(self, trainer: Trainer, losses: Array) -> None:
        """The batches have run, with these `losses` (steps,)."""

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        """An epoch has ended and has been validated."""

    def on_train_end(self, trainer: Trainer, history: History) -> None:
        """Training has ended, with an error if `history.verdict` is None."""

    def state(self) -> dict[str, Array]:
        """What a checkpoint must hold of this callback, so that a resumed run goes on exactly."""
        return {}


class EarlyStopping(Callback):
    """Ends training when the validation loss has not fallen for `patience` epochs."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def on_train_begin(self, trainer: Trainer, epochs: int, steps_per_epoch: int) -> None:
        self._check(trainer)  # a run that was killed when it had converged

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        self._check(trainer)

    def _check(self, trainer: Trainer) -> None:
        if trainer.history.since_best() >= self.patience:
            trainer.stop(Verdict.CONVERGED)


class TimeLimit(Callback):
    """Ends training `seconds` after it has begun, or gone on.

    The current epoch is cut short, validated and counted.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = seconds

    def on_train_begin(self, trainer: Trainer, epochs: int, steps_per_epoch: int) -> None:
        self._end = trainer.seconds + self.seconds

    def on_batch_end(self, trainer: Trainer, losses: Array) -> None:
        self._check(trainer)

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        self._check(trainer)

    def _check(self, trainer: Trainer) -> None:
        if trainer.seconds >= self._end:
            trainer.stop(Verdict.OUT_OF_TIME)


class BestWeights(Callback):
    """Keeps the weights of the epoch with the lowest validation loss and restores them at the end.

    They are restored however training ends, even after Ctrl-C or an error. With an average, they
    are the averaged weights, which are the ones validated.
    """

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        if epoch.best:
            trainer.best_weights = trainer.validated_weights()

    def on_train_end(self, trainer: Trainer, history: History) -> None:
        if trainer.best_weights:
            trainer.model.load_state_dict(trainer.best_weights)


class FiniteLoss(Callback):
    """Ends training with a RunError when a loss is not finite."""

    def on_batch_end(self, trainer: Trainer, losses: Array) -> None:
        if np.isfinite(losses).all():
            return
        why = self.why(trainer)
        raise RunError(
            f"the loss stopped being finite within the {len(losses)} steps up to step "
            f"{trainer.steps}: the learning rate is too high for this data. The best weights so "
            "far are kept. Try a tenth of the learning rate (--set learning_rate=...)."
            + (f"\n{why}" if why else "")
        )

    def why(self, trainer: Trainer) -> str:
        """What is known of the cause, for the message."""
        return ""
