"""A training described so that it can be run again, with other seeds or changed in one place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from retrograd import nn, optim
from retrograd.diagnosis.probes.operations import operations
from retrograd.diagnosis.probes.outputs import said_classes
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

# So many rows show which operations a model runs.
_FEW = 4


class Samples(NamedTuple):
    """Inputs `(rows, ...)` and their right answers `(rows, ...)`, NumPy arrays."""

    inputs: Array
    target: Array


class Instruments(Protocol):
    """What watches a run: a Recorder."""

    def watching(
        self, model: nn.Module, optimizer: optim.Optimizer
    ) -> AbstractContextManager[object]:
        """Steps of `optimizer` on `model` are recorded within the block."""

    def add_epoch(self, epoch: int, train_loss: float, validation_loss: float, **more: Any) -> None:
        """An epoch is over."""


@dataclass
class Result:
    """What a run of a Program came to.

    `score` is the held-out one, `train_score` that of the training examples, each NaN if the model
    gives no finite numbers. `train_loss` and `validation_loss` have a number an epoch; with a loop
    of the user's own they are empty.
    """

    score: float
    train_score: float
    model: nn.Module
    optimizer: optim.Optimizer
    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Program:
    """A training: data, model, loss, optimizer and loop; `dataclasses.replace` changes one of them.

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

    `model()` builds a network anew, with weights drawn from `random.host_rng()`; it is given inputs
    `(batch, ...)`. `loss(output, target)` is one number to minimize. The optimizer is
    `optimizer(model.parameters(), **options)`. An epoch has whole batches only, in a new order each
    time unless `shuffle` is off. `clip_norm` is the largest norm of the whole gradient. With
    `patience` training ends once the validation loss has not fallen for so many epochs, and the
    weights that were best on `valid` are put back; without, the last ones stay.

    The score is R² (regression) or accuracy, or with `balanced` the mean over classes of the share
    found of each, on `test`, or on `valid` if that is None. A classifier with one output says 1
    where it is above 0, or above 0.5 if the model ends with a sigmoid; one with several, the
    largest (see `said_classes`).

    `fit(program, model, optimizer, rng)` is a loop of the user's own that takes the place of the
    one here, with `rng` for the order of rows; faults in it can be found, and not mended by a
    change to the Program.
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
        """Train with all random numbers from `seed`, watched by `recorder`, and score the model.

        A run whose loss is not finite ends after that epoch.
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
            # Where no epoch is best, the first weights are.
            trainer.best_weights = trainer.validated_weights()
            callbacks = [BestWeights(), EarlyStopping(self.patience), *callbacks]
        trainer.fit(
            _InOrder((self.train.inputs,), self.train.target, order=rng if self.shuffle else None),
            Rows((self.valid.inputs,), self.valid.target),
            epochs=self.epochs,
            batch_size=self.batch_size,
            seed=0,  # not drawn from: the order of rows is the generator's
            callbacks=callbacks,
        )

    def score(self, predict: Predictor, examples: Samples) -> float:
        """The score of what `predict` answers; NaN if that is not finite."""
        output = predict((examples.inputs,)).astype(np.float64)
        truth = np.asarray(examples.target)
        if not np.isfinite(output).all():
            return math.nan
        if self.task == "regression":
            truth = truth.reshape(len(truth), -1)
            error = (truth - output.reshape(len(truth), -1)[:, : truth.shape[1]]) ** 2
            return float(1 - error.sum() / ((truth - truth.mean(0)) ** 2).sum())
        # Classes may come one-hot, as some losses want them.
        truth = truth.argmax(1) if truth.ndim > 1 and truth.shape[1] > 1 else truth.reshape(-1)
        few = (examples.inputs[:_FEW],)
        right = said_classes(output, operations(predict.model, few)[-1]) == truth
        if not self.balanced:
            return float(right.mean())
        return float(np.mean([right[truth == each].mean() for each in np.unique(truth)]))


@dataclass
class _InOrder(Rows):
    """Rows in the order that one generator draws for all epochs, or as they stand without."""

    order: np.random.Generator | None = None

    def calls(self, batch_size: int, rng: np.random.Generator) -> Iterator[Stack]:
        count, steps = len(self), self.steps(batch_size)
        rows = np.arange(count) if self.order is None else self.order.permutation(count)
        size = min(batch_size, count)
        for batches in in_calls(rows[: steps * size].reshape(steps, size)):
            yield Stack(None, (batches,))


@dataclass
class _Listening(Callback):
    """Tells `recorder` of each epoch, and ends training when the loss is not finite."""

    recorder: Instruments | None

    def on_epoch_end(self, trainer: Trainer, epoch: Epoch) -> None:
        if self.recorder is not None:
            self.recorder.add_epoch(epoch.epoch, epoch.train_loss, epoch.validation_loss)
        if not math.isfinite(epoch.train_loss):
            trainer.stop(Verdict.DIVERGED)
