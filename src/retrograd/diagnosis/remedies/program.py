"""A description of a training that can be run again, with other seeds or with one change."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from retrograd import nn, optim
from retrograd.diagnosis.probes.answers import how_answered
from retrograd.diagnosis.probes.operations import operations
from retrograd.errors import UsageError
from retrograd.random import manual_seed
from retrograd.tensor import Tensor
from retrograd.training.callbacks import BestWeights, Callback, EarlyStopping
from retrograd.training.history import Epoch, Verdict
from retrograd.training.predictor import Predictor
from retrograd.training.sources import Rows, Stack, in_calls
from retrograd.training.trainer import Trainer

__all__ = ["Instruments", "Program", "Result", "Samples"]

Array = np.ndarray[Any, Any]

# This many rows show which operations a model runs.
_FEW = 4


class Samples(NamedTuple):
    """Inputs `(rows, ...)` and their targets `(rows, ...)`, NumPy arrays."""

    inputs: Array
    target: Array


class Instruments(Protocol):
    """An observer of a run: a Recorder."""

    def watching(
        self, model: nn.Module, optimizer: optim.Optimizer
    ) -> AbstractContextManager[object]:
        """Record the steps of `optimizer` on `model` within the block."""

    def add_epoch(self, epoch: int, train_loss: float, validation_loss: float, **more: Any) -> None:
        """Add a completed epoch."""


@dataclass
class Result:
    """The result of running a Program.

    `score` is the held-out score, `train_score` that on the training examples; each is NaN if the
    model's outputs are not finite. `train_loss` and `validation_loss` have one number per epoch;
    they are empty if the Program has a loop of its own.
    """

    score: float
    train_score: float
    model: nn.Module
    optimizer: optim.Optimizer
    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Program:
    """A training: data, model, loss, optimizer and loop; change one with `dataclasses.replace`.

        program = Program(
            model=lambda: nn.Sequential(nn.Linear(13, 64), nn.ReLU(), nn.Linear(64, 1)),
            loss=lambda output, y: nn.mse_loss(output[:, 0], y),
            train=Samples(x, y),
            valid=Samples(x_valid, y_valid),
            task="regression",
            optimizer=optim.Adam,
            options={"lr": 1e-3},
            epochs=30,
        )
        program.run(seed=0).score
        dataclasses.replace(program, options={"lr": 1e-2}).run(seed=0).score

    `model()` builds a new network, with weights drawn from `random.host_rng()`; it takes inputs
    `(batch, ...)`. `loss(output, target)` is the scalar to minimize. The optimizer is
    `optimizer(model.parameters(), **options)`. An epoch has full batches only, shuffled anew each
    time unless `shuffle` is off. `clip_norm` limits the norm of the whole gradient. With
    `patience`, training stops once the validation loss has not fallen for that many epochs, and the
    weights that were best on `valid` are restored; without it, the last weights stay.

    The score is R² (regression) or accuracy, or with `balanced` the mean recall over classes. It is
    measured on `test`, or on `valid` if that is None. A classifier with one output predicts class 1
    above 0, or above 0.5 if the model ends in a sigmoid; with several outputs it predicts the
    largest (see `Answers`).

    `fit(program, model, optimizer, rng)` is a training loop of your own that replaces the built-in
    one; `rng` is for the order of rows. Faults in it can be found, but no change to the Program can
    fix them.
    """

    model: Callable[[], nn.Module]
    loss: Callable[[Tensor, Tensor], Tensor]
    train: Samples
    valid: Samples
    task: Literal["regression", "classification"]
    optimizer: Callable[..., optim.Optimizer] = optim.Adam
    options: Mapping[str, Any] = field(default_factory=lambda: {"lr": 1e-3})
    epochs: int = 20
    batch_size: int = 32
    shuffle: bool = True
    clip_norm: float | None = None
    patience: int | None = None
    balanced: bool = False
    test: Samples | None = None
    fit: Callable[[Program, nn.Module, optim.Optimizer, np.random.Generator], None] | None = None

    def __post_init__(self) -> None:
        for name in ("train", "valid", "test"):
            examples = getattr(self, name)
            if examples is not None and len(examples.inputs) != len(examples.target):
                raise UsageError(
                    f"Program: {name} has {len(examples.inputs)} inputs and "
                    f"{len(examples.target)} targets; expected one target for each input."
                )
        if len(self.train.target) == 0:
            raise UsageError("Program: train has no examples; expected at least one.")

    def run(self, seed: int = 0, recorder: Instruments | None = None) -> Result:
        """Train with all random numbers from `seed`, observed by `recorder`, and score the model.

        If the loss is not finite, the run ends after that epoch.
        """
        manual_seed(seed)
        rng = np.random.default_rng((seed, 1))
        model = self.model()
        optimizer = self.optimizer(model.parameters(), **self.options)
        trainer = Trainer(model, self.loss, optimizer, clip_norm=self.clip_norm)
        with nullcontext() if recorder is None else recorder.watching(model, optimizer):
            if self.fit is None:
                self._train(trainer, rng, recorder)
            else:
                self.fit(self, model, optimizer, rng)
        test = self.valid if self.test is None else self.test
        epochs = trainer.history.epochs
        return Result(
            score=self.score(trainer.predict, test),
            train_score=self.score(trainer.predict, self.train),
            model=model,
            optimizer=optimizer,
            train_loss=[each.train_loss for each in epochs],
            validation_loss=[each.validation_loss for each in epochs],
        )

    def _train(
        self, trainer: Trainer, rng: np.random.Generator, recorder: Instruments | None
    ) -> None:
        callbacks: list[Callback] = [_Listening(recorder)]
        if self.patience is not None:
            # If no epoch is best, the initial weights are.
            trainer.best_weights = trainer.validated_weights()
            callbacks = [BestWeights(), EarlyStopping(self.patience), *callbacks]
        trainer.fit(
            _InOrder((self.train.inputs,), self.train.target, order=rng if self.shuffle else None),
            Rows((self.valid.inputs,), self.valid.target),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=0,  # unused: `rng` decides the order of rows
            callbacks=callbacks,
        )

    def score(self, predict: Predictor, examples: Samples) -> float:
        """The score of the predictions on `examples`; NaN if the outputs are not finite."""
        output = predict((examples.inputs,)).astype(np.float64)
        truth = np.asarray(examples.target)
        if not np.isfinite(output).all():
            return math.nan
        if self.task == "regression":
            truth = truth.reshape(len(truth), -1)
            error = (truth - output.reshape(len(truth), -1)[:, : truth.shape[1]]) ** 2
            return float(1 - error.sum() / ((truth - truth.mean(0)) ** 2).sum())
        few = (examples.inputs[:_FEW],)
        last = operations(predict.model, few)[-1]
        answers = how_answered(output, truth, task=self.task, last_operation=last)
        if answers is None:
            return math.nan
        truth = answers.truth(truth)
        right = answers.predicted(output, last) == truth
        if not self.balanced:
            return float(right.mean())
        return float(np.mean([right[truth == each].mean() for each in np.unique(truth)]))


@dataclass
class _InOrder(Rows):
    """Rows in the order that one generator draws for all epochs; without it, in their own order."""

    order: np.random.Generator | None = None

    def calls(self, batch_size: int, rng: np.random.Generator) -> Iterator[Stack]:
        count, steps = len(self), self.steps(batch_size)
        rows = np.arange(count) if self.order is None else self.order.permutation(count)
        size = min(batch_size, count)
        for batches in in_calls(rows[: steps * size].reshape(steps, size)):
            yield Stack(None, (batches,))


@dataclass
class _Listening(Callback):
    """Reports each epoch to `recorder`, and ends training when the loss is not finite."""

    recorder: Instruments | None

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        if self.recorder is not None:
            self.recorder.add_epoch(epoch.epoch, epoch.train_loss, epoch.validation_loss)
        if not math.isfinite(epoch.train_loss):
            trainer.stop(Verdict.DIVERGED)
