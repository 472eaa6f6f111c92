"""When training ends and what is kept: each callback beside a stand-in for a Trainer."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from retrograd.errors import RunError
from retrograd.training.callbacks import BestWeights, EarlyStopping, FiniteLoss, TimeLimit
from retrograd.training.history import Epoch, History, Verdict

FINITE = np.zeros(3)


class StandIn:
    """What callbacks ask of a trainer."""

    def __init__(self, *validation: float) -> None:
        self.history = History()
        for loss in validation:
            number = len(self.history.epochs) + 1
            best = number == 1 or loss < min(validation[: number - 1])
            self.history.epochs.append(Epoch(number, number, 0.0, 1.0, loss, 0.1, best))
        self.verdicts: list[Verdict] = []
        self.seconds = 0.0
        self.steps = 12
        self.best_weights: dict[str, Any] = {}
        self.loaded: list[Any] = []
        self.model = self

    def stop(self, verdict: Verdict) -> None:
        self.verdicts.append(verdict)

    def validated_weights(self) -> dict[str, Any]:
        return {"epoch": len(self.history.epochs)}

    def load_state_dict(self, weights: Any) -> None:
        self.loaded.append(weights)


@pytest.mark.parametrize(
    ("validation", "stops"),
    [
        ((3.0,), False),
        ((1.0, 2.0), False),
        ((1.0, 2.0, 2.0), True),
        ((1.0, 2.0, 0.5), False),
        ((1.0, 1.0, 1.0), True),  # no fall
        ((math.nan, math.nan), True),
    ],
)
def test_training_converges_after_epochs_without_a_fall(validation, stops) -> None:
    trainer = StandIn(*validation)
    EarlyStopping(2).on_epoch_end(trainer, trainer.history.epochs[-1])
    assert trainer.verdicts == [Verdict.CONVERGED] * stops


@pytest.mark.parametrize(("seconds", "stops"), [(9.99, False), (10.0, True), (11.0, True)])
def test_the_time_is_looked_at_after_each_call_and_each_epoch(seconds, stops) -> None:
    trainer = StandIn(1.0)
    trainer.seconds = seconds
    TimeLimit(10.0).on_batch_end(trainer, FINITE)
    TimeLimit(10.0).on_epoch_end(trainer, trainer.history.epochs[-1])
    assert trainer.verdicts == [Verdict.OUT_OF_TIME] * 2 * stops


def test_the_weights_of_the_best_epoch_are_kept_and_put_back() -> None:
    trainer, best = StandIn(2.0, 1.0, 3.0), BestWeights()
    epochs = trainer.history.epochs
    for number in (1, 2, 3):
        trainer.history.epochs = epochs[:number]
        best.on_epoch_end(trainer, epochs[number - 1])
    assert trainer.loaded == []
    best.on_train_end(trainer, trainer.history)
    assert trainer.loaded == [{"epoch": 2}]


def test_without_a_best_epoch_the_weights_stay() -> None:
    trainer = StandIn()
    BestWeights().on_train_end(trainer, trainer.history)
    assert trainer.loaded == []


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_ends_the_run_and_says_where(bad: float) -> None:
    FiniteLoss().on_batch_end(StandIn(), FINITE)
    with pytest.raises(RunError) as error:
        FiniteLoss().on_batch_end(StandIn(), np.array([1.0, bad]))
    said = str(error.value)
    assert said.startswith("the loss stopped being finite within the 2 steps up to step 12: ")
    assert said.endswith("(--set learning_rate=...).")


def test_what_is_known_of_the_cause_stands_below() -> None:
    class Knows(FiniteLoss):
        def why(self, trainer):
            return f"step {trainer.steps - 1}: log of 0"

    with pytest.raises(RunError, match=r"\)\.\nstep 11: log of 0$"):
        Knows().on_batch_end(StandIn(), np.array([math.nan]))
