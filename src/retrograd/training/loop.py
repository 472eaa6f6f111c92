"""The training loop: epochs of shuffled mini-batches, many steps per call into XLA."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any, Protocol

import numpy as np

from retrograd import nn, optim
from retrograd.compiler import Compiled, compile
from retrograd.errors import RunError
from retrograd.random import default_key
from retrograd.tensor import Tensor
from retrograd.training.callbacks import Callback
from retrograd.training.history import Epoch, History, Verdict
from retrograd.training.predictor import ROWS_PER_CALL, Predictor
from retrograd.training.sources import Call, Source

__all__ = ["Objective", "Trainer"]

Array = np.ndarray[Any, Any]


class Objective(Protocol):
    """What outputs mean: the loss that trains, and the score that decides when to stop."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """One number to minimize, a mean over rows."""

    def score(self, output: Array, target: Array) -> float:
        """The error of the answers, lower is better, in the loss's own units."""


class Trainer:
    """Fits a model to examples, keeping the weights that were best on examples held out.

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
        self.valid: Source | None = None  # what the run is validated on
        self._steps: dict[Hashable, Compiled] = {}
        self._looped = _loops_well(model)
        self.predict = Predictor(model)

    # One step -------------------------------------------------------------------------------------

    def _train_step(self, source: Source, form: Hashable, *arrays: Tensor) -> Tensor:
        inputs, target = source.batch(form, *arrays)
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
        train: Source,
        valid: Source,
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
        self._steps = {}
        self.valid = valid
        history = self.history
        history.verdict = None
        elapsed = history.epochs[-1].seconds if history.epochs else 0.0
        started = time.monotonic() - elapsed
        done = len(history.epochs)
        for callback in callbacks:
            callback.on_begin(self, epochs, train.steps(batch_size))
        try:
            for number in range(done + 1, epochs + 1):
                # Seeded by its number, so that a run gone on with has the epochs that it would have
                # had.
                rng = np.random.default_rng((seed, number))
                calls = train.calls(batch_size, rng)
                with ExitStack() as around:
                    for callback in callbacks:
                        around.enter_context(callback.around_steps(self))
                    train_loss = self._run_epoch(train, calls, callbacks, started + time_limit)
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

    def _run_epoch(
        self,
        source: Source,
        calls: Iterator[Call],
        callbacks: Sequence[Callback],
        deadline: float,
    ) -> float:
        """Run the steps of `calls`; return the mean loss."""
        self.model.train()
        losses: list[Array] = []
        for call in calls:
            for callback in callbacks:
                callback.before_call(self, source, call)
            losses.append(self.run_call(source, call))
            steps = len(losses[-1])
            self.steps += steps
            if not np.isfinite(losses[-1]).all():
                why = [callback.on_failure(self) for callback in callbacks]
                raise RunError(
                    f"the loss stopped being a number within the {steps} steps up to step "
                    f"{self.steps}: the learning rate is too high for this data. The best weights "
                    "so far are kept; try a tenth of the learning rate (--set learning_rate=...)."
                    + "".join(f"\n{each}" for each in why if each)
                )
            for callback in callbacks:
                callback.on_steps(self, self.steps)
            if time.monotonic() >= deadline:
                break
        return float(np.concatenate(losses).mean())

    def run_call(self, source: Source, call: Call) -> Array:
        """The losses (steps,) of the steps of one call."""
        step = self._compiled(source, call.form)
        if self._looped:
            return step.over(*call.arrays).numpy()
        each = [step(*batch) for batch in zip(*call.arrays, strict=True)]
        return np.stack([loss.numpy() for loss in each])

    def step(self, source: Source, form: Hashable, *arrays: Tensor) -> Tensor:
        """One step, eagerly, on what one step of a call holds; its loss."""
        return self._train_step(source, form, *arrays)

    def _compiled(self, source: Source, form: Hashable) -> Compiled:
        if form not in self._steps:
            self._steps[form] = compile(partial(self._train_step, source, form))
        return self._steps[form]

    def _record(
        self,
        train_loss: float,
        valid: Source,
        started: float,
        callbacks: Sequence[Callback],
    ) -> None:
        validation_loss = self.validate(valid)
        best = self.history.best is None or validation_loss < self.history.best.validation_loss
        epoch = Epoch(
            epoch=len(self.history.epochs) + 1,
            step=self.steps,
            seconds=time.monotonic() - started,
            train_loss=train_loss,
            validation_loss=validation_loss,
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

    def validate(self, source: Source) -> float:
        """The score on `source` in evaluation mode, with the averaged weights if there are any."""
        return self.objective.score(*self.outputs(source))

    def outputs(self, source: Source) -> tuple[Array, Array]:
        """The model's outputs for all of `source`, likewise, and the right answers."""
        outputs, targets = [], []
        with self._validated_weights():
            for inputs, target in source.parts(ROWS_PER_CALL):
                outputs.append(self.predict(inputs))
                targets.append(target)
        return np.concatenate(outputs), np.concatenate(targets)


def _loops_well(model: nn.Module) -> bool:
    """Whether a loop within XLA runs the model's steps as fast as one call after another does.

    On a CPU convolutions in a loop do without their fast kernels: 4 gradients of a 3×3 convolution
    from 32 to 64 channels of 64 16×16 images took 81 ms one by one and 5.1 s in one `over`.
    """
    import jax

    convolves = any(isinstance(each, _CONVOLUTIONS) for each in model.modules())
    return not convolves or jax.default_backend() != "cpu"


_CONVOLUTIONS = (
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)
