"""Ctrl-C while a Trainer trains: what was reached is kept whole, and a resumed run is exact."""

from __future__ import annotations

import copy
import signal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from retrograd import nn, optim
from retrograd.random import manual_seed
from retrograd.training import interrupts
from retrograd.training.callbacks import BestWeights, Callback, EarlyStopping
from retrograd.training.history import Verdict
from retrograd.training.objective import Regression
from retrograd.training.sources import Rows, Stack
from retrograd.training.trainer import Trainer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 3)).astype(np.float32)
Y = (X @ [1.0, -2.0, 0.5] + 1).astype(np.float32)
OPTIONS: dict[str, Any] = {"epochs": 3, "batch_size": 8, "seed": 5}


def net() -> Trainer:
    manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.3), nn.Linear(4, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    return Trainer(
        model,
        Regression(),
        optimizer,
        scheduler=optim.lr_scheduler.OneCycleLR(optimizer, 0.05, 24),
        average=optim.ExponentialMovingAverage(model.parameters(), 0.9),
    )


class Seen(Callback):
    """How many steps were made, and how training ended."""

    def __init__(self) -> None:
        self.steps = 0

    def on_batch_end(self, trainer: Trainer, losses: Any) -> None:
        self.steps += len(losses)

    def on_train_end(self, trainer: Trainer, history: Any) -> None:
        self.verdict = history.verdict


class Pieces(Rows):
    """A call for each of the four steps of an epoch."""

    def calls(self, batch_size: int, rng: Any) -> Any:
        for batch in rng.permutation(32).reshape(4, 1, 8):
            yield Stack(None, (batch,))


TRAIN, VALIDATION = Pieces((X[:32],), Y[:32]), Rows((X[32:],), Y[32:])


class Press(Callback):
    """Ctrl-C in or after the step `number`: while it is made, or told of, or validated."""

    def __init__(self, number: int, where: str) -> None:
        self.number = number
        self.where = where

    def on_batch_end(self, trainer: Trainer, losses: Any) -> None:
        if trainer.steps == self.number and self.where == "told":
            signal.raise_signal(signal.SIGINT)

    def on_train_begin(self, trainer: Trainer, epochs: int, steps_per_epoch: int) -> None:
        def pressed(work: Any) -> Any:
            def call(*arguments: Any) -> Any:
                found = work(*arguments)
                if trainer.steps == self.number - (self.where == "made"):
                    signal.raise_signal(signal.SIGINT)
                return found

            return call

        if self.where == "made":
            trainer.run = pressed(trainer.run)
        if self.where == "validated":
            trainer.validate = pressed(trainer.validate)


class Kept(Callback):
    """The state when training ends, as a checkpoint has it."""

    def on_train_end(self, trainer: Trainer, history: Any) -> None:
        self.state = {name: copy.copy(each) for name, each in trainer.state().items()}


@pytest.mark.parametrize(
    ("number", "where"), [(1, "made"), (6, "made"), (7, "told"), (8, "made"), (8, "validated")]
)
def test_ctrl_c_within_an_epoch_loses_no_step_and_repeats_none(number: int, where: str) -> None:
    whole, kept = net(), Kept()
    whole.fit(TRAIN, VALIDATION, callbacks=[BestWeights(), kept], **OPTIONS)
    expected, stopped = kept.state, net()
    stopped.fit(TRAIN, VALIDATION, callbacks=[BestWeights(), kept, Press(number, where)], **OPTIONS)
    assert stopped.history.verdict is Verdict.INTERRUPTED
    assert stopped.steps == number
    manual_seed(99)
    resumed = net()
    resumed.load_state(kept.state)
    assert resumed.steps == number
    seen = Seen()
    resumed.fit(TRAIN, VALIDATION, callbacks=[BestWeights(), kept, seen], **OPTIONS)
    assert seen.steps == 12 - number
    for name, each in expected.items():
        if not name.endswith("seconds"):
            np.testing.assert_array_equal(kept.state[name], each, err_msg=name)


def test_a_second_ctrl_c_tears_the_call_and_keeps_nothing_of_it(monkeypatch) -> None:
    clock = iter([10.0, 10.5, 11.5])
    monkeypatch.setattr(interrupts, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    presses = []

    class Impatient(Callback):
        def on_batch_end(self, trainer: Trainer, losses: Any) -> None:
            for _ in range(3):  # the second, half a second later, is no second one
                presses.append(1)
                signal.raise_signal(signal.SIGINT)

    trainer, seen = net(), Seen()
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(TRAIN, VALIDATION, callbacks=[seen, Impatient()], **OPTIONS)
    assert len(presses) == 3
    assert seen.verdict is None  # so that no checkpoint is made


def test_a_run_that_had_converged_trains_no_more() -> None:
    options = {**OPTIONS, "epochs": 60}
    trainer = net()
    trainer.fit(TRAIN, VALIDATION, callbacks=[EarlyStopping(2)], **options)
    epochs, steps = len(trainer.history.epochs), trainer.steps
    assert epochs < 60
    trainer.fit(TRAIN, VALIDATION, callbacks=[EarlyStopping(2), BestWeights()], **options)
    assert trainer.history.verdict is Verdict.CONVERGED
    assert (len(trainer.history.epochs), trainer.steps) == (epochs, steps)
