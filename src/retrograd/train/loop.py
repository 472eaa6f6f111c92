"""The training loop: epochs of shuffled mini-batches, many steps per call into XLA.

The training arrays are handed over once and stay where the steps run; a call carries only the row
numbers of its batches.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from retrograd import nn, ops, optim
from retrograd.compile import compile
from retrograd.data import Batches
from retrograd.errors import RunError
from retrograd.random import default_key
from retrograd.tensor import Tensor
from retrograd.train.callbacks import Callback
from retrograd.train.history import Epoch, History, Verdict
from retrograd.train.predictor import Predictor
from retrograd.variable import Buffer

__all__ = ["Rows", "Trainer"]

# One call into XLA cannot be interrupted, and reports nothing until it returns.
_STEPS_PER_CALL = 64

Array = np.ndarray[Any, Any]


class Objective(Protocol):
    """What outputs mean: the loss that trains, and the score that decides when to stop."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """One number to minimize, a mean over rows."""

    def score(self, output: Array, target: Array) -> float:
        """The error of the answers, lower is better, in the loss's own units."""


@dataclass(frozen=True)
class Rows:
    """Examples: the model's inputs and what it should answer, each `(rows, ...)`."""

    inputs: tuple[Array, ...]
    target: Array

    def __len__(self) -> int:
        return len(self.target)


class Trainer:
    """Fits a model to rows, keeping the weights that were best on rows held out.

    `scheduler` steps with each optimizer step; `average`, if given, holds the weights that are
    validated and kept; the norm of the whole gradient is clipped to `clip_norm`.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        optimizer: optim.Optimizer,
        *,
        scheduler: optim.lr_scheduler.LRScheduler | None = None,
        average: optim.ExponentialMovingAverage | None = None,
        clip_norm: float | None = None,
    ) -> None:
        self.model = model
        self.objective = objective
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.average = average
        self.clip_norm = clip_norm
        self.history = History()
        self.steps = 0  # of the optimizer, so far
        self.best_weights: dict[str, Array] = {}
        self._columns: list[Buffer] = []
        self._step = compile(self._train_step)
        self.predict = Predictor(model)

    # One step -------------------------------------------------------------------------------------

    def _train_step(self, rows: Tensor) -> Tensor:
        *inputs, target = (ops.take(column, rows, 0) for column in self._columns)
        loss = self.objective.loss(self.model(*inputs), target)
        loss.backward()
        if self.clip_norm is not None:
            optim.clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        # Cleared after use, so that the compiled step has no gradients to hand back.
        self.optimizer.zero_grad()
        if self.scheduler is not None:
            self.scheduler.step()
        if self.average is not None:
            self.average.update()
        return loss

    # The run --------------------------------------------------------------------------------------

    def fit(
        self,
        train: Rows,
        valid: Rows,
        *,
        epochs: int,
        batch_size: int,
        patience: int,
        seed: int,
        time_limit: float = math.inf,
        callbacks: Sequence[Callback] = (),
    ) -> History:
        """Train until `epochs` have passed, or the validation loss has not fallen for `patience` of
        them, or `time_limit` seconds are over; then put the best weights back.

        A history with epochs in it (see `load_state`) is gone on with. Ctrl-C ends the run as if
        the time were over. Raises RunError, with the best weights put back, if the loss is no
        longer a number.
        """
        columns = (*train.inputs, train.target)
        calls = math.ceil(len(train) // min(batch_size, len(train)) / _STEPS_PER_CALL)
        self._columns = [Buffer(column) for column in columns]
        history = self.history
        history.verdict = None
        elapsed = history.epochs[-1].seconds if history.epochs else 0.0
        started = time.monotonic() - elapsed
        done = len(history.epochs)
        for callback in callbacks:
            callback.on_begin(self, epochs, len(train) // batch_size)
        try:
            for number in range(done + 1, epochs + 1):
                # Seeded by its number, so that a run gone on with has the epochs that it would have
                # had.
                rng = np.random.default_rng((seed, number))
                order = Batches(columns, batch_size, rng, drop_last=True).epoch_indices()
                # Calls of one size share one program; the rows left over come up in other epochs.
                order = order[: len(order) // calls * calls].reshape(calls, -1, order.shape[1])
                train_loss = self._run_epoch(order, callbacks, started + time_limit)
                self._record(train_loss, valid, started, callbacks)
                if history.since_best() >= patience:
                    history.verdict = Verdict.CONVERGED
                    break
                if time.monotonic() - started >= time_limit:
                    history.verdict = Verdict.OUT_OF_TIME
                    break
            else:
                history.verdict = Verdict.OUT_OF_EPOCHS
            for callback in callbacks:
                callback.on_end(self, history)
        except KeyboardInterrupt:
            history.verdict = Verdict.INTERRUPTED
            for callback in callbacks:
                callback.on_end(self, history)
        finally:
            if self.best_weights:
                self.model.load_state_dict(self.best_weights)
        return history

    def _run_epoch(self, order: Array, callbacks: Sequence[Callback], deadline: float) -> float:
        """Run the batches whose rows `order` (calls, steps, batch) names; return the mean loss."""
        self.model.train()
        losses: list[Array] = []
        for batches in order:
            losses.append(self._step.over(batches).numpy())
            self.steps += len(batches)
            if not np.isfinite(losses[-1]).all():
                raise RunError(
                    f"the loss stopped being a number within the {len(batches)} steps up to step "
                    f"{self.steps}: the learning rate is too high for this data. The best weights "
                    "so far are kept; try a tenth of the learning rate (--set learning_rate=...)."
                )
            for callback in callbacks:
                callback.on_steps(self, self.steps)
            if time.monotonic() >= deadline:
                break
        return float(np.concatenate(losses).mean())

    def _record(
        self,
        train_loss: float,
        valid: Rows,
        started: float,
        callbacks: Sequence[Callback],
    ) -> None:
        valid_loss = self.validate(valid)
        best = self.history.best is None or valid_loss < self.history.best.valid_loss
        epoch = Epoch(
            epoch=len(self.history.epochs) + 1,
            step=self.steps,
            seconds=time.monotonic() - started,
            train_loss=train_loss,
            valid_loss=valid_loss,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            best=best,
        )
        self.history.epochs.append(epoch)
        if best:
            with self._validated_weights():
                self.best_weights = self._weights()
        for callback in callbacks:
            callback.on_epoch(self, epoch)

    # Going on after a stop ------------------------------------------------------------------------

    def state(self) -> dict[str, Array]:
        """All that `load_state` needs to go on exactly: arrays by name."""
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
        """Take on what `state` gave, for a trainer built the same way.

        Raises ValueError or KeyError if it was built another way.
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

    # Without learning -----------------------------------------------------------------------------

    @contextmanager
    def _validated_weights(self) -> Iterator[None]:
        with self.average.applied() if self.average is not None else nullcontext():
            yield

    def validate(self, rows: Rows) -> float:
        """The score on `rows` in evaluation mode, with the averaged weights where there are any."""
        with self._validated_weights():
            outputs = self.predict(rows.inputs)
        return self.objective.score(outputs, rows.target)
