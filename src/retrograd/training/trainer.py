"""The training loop: epochs of shuffled mini-batches, many steps per call into XLA."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np

from retrograd import nn, optim
from retrograd.compiler import Compiled, compile
from retrograd.random import default_key
from retrograd.tensor import Tensor
from retrograd.training.callbacks import Callback
from retrograd.training.history import Epoch, History, Verdict
from retrograd.training.objective import LossFunction, Objective
from retrograd.training.predictor import ROWS_PER_CALL, Predictor
from retrograd.training.sources import Source, Stack

__all__ = ["Trainer"]

Array = np.ndarray[Any, Any]


class Trainer:
    """Fits a model to examples: epochs of mini-batches, each validated, with callbacks.

    `objective` is an Objective, or a loss `(output, target) -> one number`. `scheduler` steps with
    each optimizer step; `average`, if given, holds the weights that are validated; the norm of the
    whole gradient is clipped to `clip_norm`.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective | Callable[[Tensor, Tensor], Tensor],
        optimizer: optim.Optimizer,
        *,
        scheduler: optim.lr_scheduler.LRScheduler | None = None,
        average: optim.ExponentialMovingAverage | None = None,
        clip_norm: float | None = None,
    ) -> None:
        self.model = model
        self.objective: Objective = LossFunction(objective) if callable(objective) else objective
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.average = average
        self.clip_norm = clip_norm
        self.history = History()
        self.steps = 0  # of the optimizer, so far
        self.best_weights: dict[str, Array] = {}  # see BestWeights
        self.validation: Source | None = None  # the validation data
        self.predict = Predictor(model)
        self._programs: dict[Hashable, Compiled] = {}  # for the source `_trained_on`
        self._trained_on: Source | None = None
        self._started = time.monotonic()
        self._verdict: Verdict | None = None

    # The run --------------------------------------------------------------------------------------

    def fit(
        self,
        train: Source,
        validation: Source | None = None,
        *,
        epochs: int,
        batch_size: int,
        seed: int,
        callbacks: Sequence[Callback] = (),
    ) -> History:
        """Train until `epochs` have passed in total, or until a callback calls `stop`.

        A history that has epochs (see `load_state`) is resumed. Ctrl-C ends the run and keeps what
        was reached.
        """
        history = self.history
        history.verdict = self._verdict = None
        self.validation = validation
        if train is not self._trained_on:
            self._programs, self._trained_on = {}, train
        self._started = time.monotonic() - (history.epochs[-1].seconds if history.epochs else 0.0)
        # An earlier gradient must not enter the first step.
        self.model.zero_grad()
        try:
            for callback in callbacks:
                callback.on_train_begin(self, epochs, train.steps(batch_size))
            for number in range(len(history.epochs) + 1, epochs + 1):
                # Seeded by its number: a resumed run repeats an uninterrupted one.
                rng = np.random.default_rng((seed, number))
                losses = self._run_epoch(train, train.calls(batch_size, rng), callbacks)
                self._end_epoch(float(losses.mean()), callbacks)
                if self._verdict is not None:
                    break
            history.verdict = self._verdict or Verdict.OUT_OF_EPOCHS
        except KeyboardInterrupt:
            history.verdict = Verdict.INTERRUPTED
        finally:
            # Each is called, even if another one fails.
            with ExitStack() as ends:
                for callback in callbacks:
                    ends.callback(callback.on_train_end, self, history)
        return history

    def stop(self, verdict: Verdict) -> None:
        """For callbacks: training ends with this epoch, which is cut short and validated."""
        self._verdict = verdict

    @property
    def seconds(self) -> float:
        """The time that the run has trained, including the time before a resume."""
        return time.monotonic() - self._started

    def _run_epoch(
        self, source: Source, stacks: Iterable[Stack], callbacks: Sequence[Callback]
    ) -> Array:
        """Run an epoch's steps; return their losses (steps,)."""
        self.model.train()
        losses: list[Array] = []
        with ExitStack() as around:
            for callback in callbacks:
                callback.on_epoch_begin(self, around)
            for stack in stacks:
                for callback in callbacks:
                    callback.on_batch_begin(self, source, stack)
                losses.append(self.run(source, stack))
                self.steps += len(losses[-1])
                for callback in callbacks:
                    callback.on_batch_end(self, losses[-1])
                if self._verdict is not None:
                    break
        return np.concatenate(losses)

    def _end_epoch(self, train_loss: float, callbacks: Sequence[Callback]) -> None:
        """Validate, and add the epoch to the history."""
        validation_loss = math.nan if self.validation is None else self.validate(self.validation)
        best = self.history.best
        epoch = Epoch(
            epoch=len(self.history.epochs) + 1,
            step=self.steps,
            seconds=self.seconds,
            train_loss=train_loss,
            validation_loss=validation_loss,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            best=validation_loss < (math.inf if best is None else best.validation_loss),
        )
        self.history.epochs.append(epoch)
        for callback in callbacks:
            callback.on_epoch_end(self, epoch)

    # Steps ----------------------------------------------------------------------------------------

    def run(self, source: Source, stack: Stack) -> Array:
        """Run the compiled steps of a stack of batches; returns their losses (steps,)."""
        if stack.form not in self._programs:
            self._programs[stack.form] = compile(partial(self.step, source, stack.form))
        losses: Array = self._programs[stack.form].over(*stack.arrays).numpy()
        return losses

    def step(self, source: Source, form: Hashable, *arrays: Tensor) -> Tensor:
        """One step on its batch of a stack; returns its loss."""
        inputs, target = source.batch(form, *arrays)
        loss = self.objective.loss(self.model(*inputs), target)
        loss.backward()
        if self.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        # Cleared after use, so that the compiled step returns no gradients, including those of
        # parameters that the optimizer does not have.
        self.model.zero_grad()
        if self.scheduler is not None:
            self.scheduler.step()
        if self.average is not None:
            self.average.update()
        return loss

    # Resuming -------------------------------------------------------------------------------------

    def state(self) -> dict[str, Array]:
        """Everything that `load_state` needs to resume exactly: arrays by name."""
        arrays = {f"model/{name}": value for name, value in self._weights().items()}
        arrays |= {f"best/{name}": value for name, value in self.best_weights.items()}
        for position, slots in self.optimizer.state_dict()["state"].items():
            arrays |= {f"optimizer/{position}/{n}": np.asarray(v) for n, v in slots.items()}
        arrays["random"] = np.array(default_key.data)
        if self.scheduler is not None:
            arrays["schedule"] = np.asarray(self.scheduler.last_epoch)
        if self.average is not None:
            averaged = self.average.state_dict()
            arrays["average/step"] = np.asarray(averaged["step"])
            arrays |= {f"average/{i}": each for i, each in enumerate(averaged["averages"])}
        for field in dataclasses.fields(Epoch):
            column = [getattr(epoch, field.name) for epoch in self.history.epochs]
            arrays[f"history/{field.name}"] = np.asarray(column)
        return arrays

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        """Restore what `state` returned, in a trainer built the same way.

        Raises ValueError or KeyError if it was built differently.
        """

        def part(prefix: str) -> dict[str, Array]:
            return {
                name.removeprefix(prefix): array
                for name, array in arrays.items()
                if name.startswith(prefix)
            }

        self.model.load_state_dict(part("model/"))
        self.best_weights = part("best/")
        saved = self.optimizer.state_dict()
        slots: dict[int, dict[str, Array]] = {}
        for name, array in part("optimizer/").items():
            position, _, slot = name.partition("/")
            slots.setdefault(int(position), {})[slot] = array
        self.optimizer.load_state_dict({**saved, "state": slots})
        default_key.data = arrays["random"]
        if self.scheduler is not None:
            saved = self.scheduler.state_dict()
            self.scheduler.load_state_dict({**saved, "last_epoch": int(arrays["schedule"])})
        if self.average is not None:
            averages = [arrays[f"average/{i}"] for i in range(len(self.average.averages))]
            step = int(arrays["average/step"])
            self.average.load_state_dict({"step": step, "averages": averages})
        columns = part("history/")
        self.history.epochs = [
            Epoch(**dict(zip(columns, row, strict=True)))
            for row in zip(*(column.tolist() for column in columns.values()), strict=True)
        ]
        self.steps = self.history.epochs[-1].step if self.history.epochs else 0

    def _weights(self) -> dict[str, Array]:
        return {name: np.array(value) for name, value in self.model.state_dict().items()}

    def validated_weights(self) -> dict[str, Array]:
        """A copy of the validated weights: the averaged ones if there are any."""
        with self._averaged():
            return self._weights()

    # Without learning -----------------------------------------------------------------------------

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        with self.average.applied() if self.average is not None else nullcontext():
            yield

    def validate(self, source: Source) -> float:
        """The score on `source` in evaluation mode, with the averaged weights if there are any."""
        return self.objective.score(*self.outputs(source))

    def outputs(self, source: Source) -> tuple[Array, Any]:
        """The model's outputs for all of `source`, likewise, and the targets."""
        outputs, targets = [], []
        with self._averaged():
            for inputs, target in source.parts(ROWS_PER_CALL):
                outputs.append(self.predict(inputs))
                targets.append(target)
        return np.concatenate(outputs), _joined(targets)


def _joined(parts: Sequence[Any]) -> Any:
    """Arrays, or named tuples of them, one after the other."""
    if isinstance(parts[0], tuple):
        return type(parts[0])(*map(_joined, zip(*parts, strict=True)))
    return np.concatenate(parts)
