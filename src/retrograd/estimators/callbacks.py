"""When a fit ends, and what it prints: callbacks of the training loop."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from retrograd.errors import RunError
from retrograd.training import Callback, Epoch, History, Verdict
from retrograd.training.callbacks import Array
from retrograd.training.trainer import Trainer

__all__ = ["Diverged", "FitTasks", "NoImprovement", "Printed"]


class NoImprovement(Callback):
    """Ends training once `epochs` in a row have not lowered the loss by more than `tol`.

    That is the validation loss if there is one, else the training loss.
    """

    def __init__(self, tol: float, epochs: int, validated: bool) -> None:
        self.tol, self.epochs, self.validated = tol, epochs, validated
        self._best = math.inf
        self._since = 0

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        loss = epoch.validation_loss if self.validated else epoch.train_loss
        self._since = 0 if loss < self._best - self.tol else self._since + 1
        self._best = min(self._best, loss)
        if self._since >= self.epochs:
            trainer.stop(Verdict.CONVERGED)


class Printed(Callback):
    """Prints a line for each epoch."""

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        validated = math.isfinite(epoch.validation_loss)
        beside = f", validation loss = {epoch.validation_loss:.6f}" if validated else ""
        print(f"Epoch {epoch.epoch}, loss = {epoch.train_loss:.6f}{beside}")


class Diverged(Callback):
    """Ends training with a RunError when a loss is not finite."""

    def on_batch_end(self, trainer: Trainer, losses: Array) -> None:
        if not np.isfinite(losses).all():
            raise RunError(
                f"The loss stopped being finite by step {trainer.steps}: the learning rate is too "
                "high for this data. Try a tenth of learning_rate_init."
            )


class FitTasks(Callback):
    """Tells scikit-learn's callbacks of a fit and of each epoch, which any of them may end.

    `fitted` gives the attributes of an estimator that predicts with the weights so far.
    """

    def __init__(
        self, estimator: Any, data: dict[str, Any], fitted: Callable[[Trainer], dict[str, Any]]
    ) -> None:
        self._data = {"estimator": estimator, **data}
        self._fitted = fitted
        self._fit: Any = None
        self._epoch: Any = None

    def on_train_begin(self, trainer: Trainer, epochs: int, steps_per_epoch: int) -> None:
        estimator = self._data["estimator"]
        self._fit = estimator._init_callback_context(max_subtasks=epochs)
        self._fit.call_on_fit_task_begin(**self._data)

    def on_epoch_begin(self, trainer: Trainer, steps: ExitStack) -> None:
        self._epoch = self._fit.subcontext("epoch").call_on_fit_task_begin(**self._data)

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        if self._ended(self._epoch, trainer):
            trainer.stop(Verdict.CONVERGED)

    def on_train_end(self, trainer: Trainer, history: History) -> None:
        self._ended(self._fit, trainer)

    def _ended(self, task: Any, trainer: Trainer) -> bool:
        stops: bool = task.call_on_fit_task_end(
            **self._data, reconstruction_attributes=lambda: self._fitted(trainer)
        )
        return stops
