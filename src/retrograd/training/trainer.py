"""The training loop: epochs of shuffled mini-batches, many steps per call into XLA."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from retrograd import nn, optim
from retrograd.compiler import Compiled, CtrlCWaits, compile
from retrograd.random import default_key
from retrograd.tensor import Tensor
from retrograd.training.callbacks import Callback
from retrograd.training.history import Epoch, History, Verdict, part_of
from retrograd.training.interrupts import TornCall, whole_call
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
        self.batch: tuple[Source, Stack] | None = None  # the latest that was trained on
        self._programs: dict[Hashable, Compiled] = {}  # for the source `_trained_on`
        self._trained_on: Source | None = None
        self._started = time.monotonic()
        self._seconds = 0.0  # that a resumed run had trained
        self._verdict: Verdict | None = None
        # Of the epoch that runs: the calls that have been made, and the losses of their steps.
        self._calls = 0
        self._losses: list[Array] = []

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

        A history that has epochs (see `load_state`) is resumed, also within an epoch. Ctrl-C ends
        the run after the call into XLA that is running and keeps what was reached; a second one, a
        second later, ends it at once and keeps nothing of it.
        """
        history = self.history
        history.verdict = self._verdict = None
        self.validation = validation
        if train is not self._trained_on:
            self._programs, self._trained_on = {}, train
        reached = history.epochs[-1].seconds if history.epochs else 0.0
        self._started = time.monotonic() - max(self._seconds, reached)
        # An earlier gradient must not enter the first step.
        self.model.zero_grad()
        try:
            for callback in callbacks:
                callback.on_train_begin(self, epochs, train.steps(batch_size))
            for number in range(len(history.epochs) + 1, epochs + 1):
                if self._verdict is not None:
                    break
                # Seeded by its number: a resumed run repeats an uninterrupted one.
                rng = np.random.default_rng((seed, number))
                self._run_epoch(train, train.calls(batch_size, rng), callbacks)
                self._end_epoch(callbacks)
            history.verdict = self._verdict or Verdict.OUT_OF_EPOCHS
        except TornCall:
            raise KeyboardInterrupt from None  # the state is that of no step
        except KeyboardInterrupt:
            history.verdict = Verdict.INTERRUPTED
        finally:
            # Each is called, even if another one fails, and Ctrl-C waits for what they write.
            with CtrlCWaits(), ExitStack() as ends:
                for callback in callbacks:
                    ends.callback(callback.on_train_end, self, history)
            self.forget_epoch()
        return history

    def stop(self, verdict: Verdict) -> None:
        """For callbacks: training ends with this epoch, which is cut short and validated."""
        self._verdict = verdict

    @property
    def seconds(self) -> float:
        """The time that the run has trained, including the time before a resume."""
        return time.monotonic() - self._started

    def forget_epoch(self) -> None:
        """The next epoch is run from its start, whatever was run of it."""
        self._calls, self._losses, self._seconds = 0, [], 0.0

    def _run_epoch(
        self, source: Source, stacks: Iterable[Stack], callbacks: Sequence[Callback]
    ) -> None:
        """Run the steps of an epoch that are still to be run."""
        self.model.train()
        stacks = iter(stacks)
        # A resumed epoch draws what it drew, for the order and the random numbers of the rest.
        for stack in islice(stacks, self._calls):
            self.batch = source, stack
        with ExitStack() as around:
            for callback in callbacks:
                callback.on_epoch_begin(self, around)
            for stack in stacks:
                self.batch = source, stack
                for callback in callbacks:
                    callback.on_batch_begin(self, source, stack)
                self._program(source, stack)  # Ctrl-C may come while it compiles
                with whole_call():  # the steps, their count and what is told of them
                    losses = self.run(source, stack)
                    self.steps += len(losses)
                    self._calls += 1
                    self._losses.append(losses)
                    for callback in callbacks:
                        callback.on_batch_end(self, losses)
                if self._verdict is not None:
                    break

    def _end_epoch(self, callbacks: Sequence[Callback]) -> None:
        """Validate, and add the epoch to the history."""
        validation_loss = math.nan if self.validation is None else self.validate(self.validation)
        best = self.history.best
        epoch = Epoch(
            epoch=len(self.history.epochs) + 1,
            step=self.steps,
            seconds=self.seconds,
            train_loss=float(np.concatenate(self._losses).mean()),
            validation_loss=validation_loss,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            best=validation_loss < (math.inf if best is None else best.validation_loss),
        )
        with CtrlCWaits():
            self.history.epochs.append(epoch)
            self.forget_epoch()
            for callback in callbacks:
                callback.on_epoch_end(self, epoch)

    # Steps ----------------------------------------------------------------------------------------

    def run(self, source: Source, stack: Stack) -> Array:
        """Run the compiled steps of a stack of batches; returns their losses (steps,)."""
        losses: Array = self._program(source, stack).over(*stack.arrays).numpy()
        return losses

    def _program(self, source: Source, stack: Stack) -> Compiled:
        """The steps of such a stack, compiled."""
        if stack.form not in self._programs:
            self._programs[stack.form] = compile(partial(self.step, source, stack.form))
        self._programs[stack.form].prepare_over(*stack.arrays)
        return self._programs[stack.form]

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
        rates = [group["lr"] for group in self.optimizer.param_groups]
        arrays["learning_rates"] = np.array(rates, np.float64)
        if self.scheduler is not None:
            arrays["schedule"] = np.asarray(self.scheduler.last_epoch)
        if self.average is not None:
            averaged = self.average.state_dict()
            arrays["average/step"] = np.asarray(averaged["step"])
            arrays |= {f"average/{i}": each for i, each in enumerate(averaged["averages"])}
        for field in dataclasses.fields(Epoch):
            column = [getattr(epoch, field.name) for epoch in self.history.epochs]
            arrays[f"history/{field.name}"] = np.asarray(column)
        arrays["epoch/calls"] = np.asarray(self._calls)
        arrays["epoch/losses"] = np.concatenate([np.zeros(0, np.float32), *self._losses])
        arrays["seconds"] = np.asarray(self.seconds)
        return arrays

    def load_state(self, arrays: Mapping[str, Array]) -> None:
        """Restore what `state` returned, in a trainer built the same way.

        Raises ValueError or KeyError if it was built differently.
        """

        self.model.load_state_dict(part_of(arrays, "model/"))
        self.best_weights = part_of(arrays, "best/")
        saved = self.optimizer.state_dict()
        slots: dict[int, dict[str, Array]] = {}
        for name, array in part_of(arrays, "optimizer/").items():
            position, _, slot = name.partition("/")
            slots.setdefault(int(position), {})[slot] = array
        self.optimizer.load_state_dict({**saved, "state": slots})
        default_key.data = arrays["random"]
        if self.scheduler is not None:
            saved = self.scheduler.state_dict()
            self.scheduler.load_state_dict({**saved, "last_epoch": int(arrays["schedule"])})
        # After the schedule, whose formula gives the last digit otherwise here than in a program.
        rates = arrays["learning_rates"].tolist()
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        if self.average is not None:
            averages = [arrays[f"average/{i}"] for i in range(len(self.average.averages))]
            step = int(arrays["average/step"])
            self.average.load_state_dict({"step": step, "averages": averages})
        columns = part_of(arrays, "history/")
        self.history.epochs = [
            Epoch(**dict(zip(columns, row, strict=True)))
            for row in zip(*(column.tolist() for column in columns.values()), strict=True)
        ]
        self._calls, self._losses = int(arrays["epoch/calls"]), [arrays["epoch/losses"]]
        self._seconds = float(arrays["seconds"])
        last = self.history.epochs[-1].step if self.history.epochs else 0
        self.steps = last + len(arrays["epoch/losses"])

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
