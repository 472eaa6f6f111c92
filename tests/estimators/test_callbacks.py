"""When a fit ends, and who is told."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

from retrograd.errors import RunError
from retrograd.estimators.callbacks import Diverged, NoImprovement
from retrograd.training import Epoch, Verdict
from retrograd.training.trainer import Trainer

from .conftest import Data, small_regressor


class Told:
    """A trainer that notes whether it was stopped."""

    steps = 7

    def __init__(self) -> None:
        self.verdict: Verdict | None = None

    def stop(self, verdict: Verdict) -> None:
        self.verdict = verdict


def epoch(train: float, validation: float) -> Epoch:
    return Epoch(1, 1, 0.0, train, validation, 0.1, False)


@pytest.mark.parametrize("validated", [True, False])
def test_it_stops_after_so_many_epochs_without_enough_improvement(validated: bool) -> None:
    rule, told = NoImprovement(tol=0.1, epochs=2, validated=validated), Told()
    # The other loss falls all the time; this one by 0.2, then twice by less than 0.1.
    for number, loss in enumerate([1.0, 0.8, 0.75, 0.71]):
        assert told.verdict is None
        falling = -float(number)
        losses = (falling, loss) if validated else (loss, falling)
        rule.on_epoch_end(cast(Trainer, told), epoch(*losses))
    assert told.verdict is Verdict.CONVERGED


def test_a_loss_that_is_not_finite_is_an_error_with_a_way_out() -> None:
    trainer = cast(Trainer, Told())
    Diverged().on_batch_end(trainer, np.array([1.0, 2.0]))
    with pytest.raises(RunError, match=r"by step 7: .* a tenth of learning_rate_init"):
        Diverged().on_batch_end(trainer, np.array([1.0, np.nan]))


class Listener:
    """A callback of scikit-learn's: notes each task, and ends the fit after `epochs`."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.heard: list[str] = []
        self.errors: list[float] = []

    def setup(self, estimator: Any, context: Any) -> None:
        self.heard.append("setup")

    def teardown(self, estimator: Any, context: Any) -> None:
        self.heard.append("teardown")

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        self.heard.append(f"begin {context.task_name}")

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, X: Any, y: Any, fitted_estimator: Any
    ) -> bool:
        self.heard.append(f"end {context.task_name}")
        self.errors.append(float(np.mean((fitted_estimator.predict(X) - y) ** 2)))
        return self.heard.count("end epoch") == self.epochs


def test_scikit_learns_callbacks_are_told_and_may_end_the_fit(numbers: Data) -> None:
    listener = Listener(epochs=3)
    model = small_regressor().set_callbacks(listener).fit(*numbers)
    each = ["begin epoch", "end epoch"]
    assert listener.heard == ["setup", "begin fit", *each * 3, "end fit", "teardown"]
    assert model.n_iter_ == 3
    assert listener.errors[2] < listener.errors[0]
