"""A Trainer's steps are PyTorch's; it stops, resumes and keeps weights as it says."""

from __future__ import annotations

import copy
import dataclasses
import math
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn, optim
from retrograd.errors import RunError
from retrograd.random import manual_seed
from retrograd.training import trainer as room
from retrograd.training.callbacks import (
    BestWeights,
    Callback,
    EarlyStopping,
    FiniteLoss,
    TimeLimit,
)
from retrograd.training.history import Verdict
from retrograd.training.objective import Regression
from retrograd.training.sources import Rows, Stack
from retrograd.training.trainer import Trainer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(48, 3)).astype(np.float32)
Y = (X @ [1.0, -2.0, 0.5] + 1).astype(np.float32)
TRAIN, VALIDATION = Rows((X[:32],), Y[:32]), Rows((X[32:],), Y[32:])


def line() -> nn.Module:
    manual_seed(0)
    return nn.Linear(3, 1)


def of(model: nn.Module, lr: float = 0.05, **more: Any) -> Trainer:
    return Trainer(model, Regression(), optim.SGD(model.parameters(), lr=lr), **more)


def fitted(trainer: Trainer, *callbacks: Callback, epochs: int = 4, **more: Any) -> Trainer:
    trainer.fit(TRAIN, VALIDATION, epochs=epochs, batch_size=8, seed=5, callbacks=callbacks, **more)
    return trainer


def weights(model: nn.Module) -> dict[str, np.ndarray]:
    return {name: np.array(each) for name, each in model.state_dict().items()}


class Seen(Callback):
    """Notes each hook, and the weights that were validated after each epoch."""

    def __init__(self) -> None:
        self.hooks: list[Any] = []
        self.validated: list[dict[str, np.ndarray]] = []
        self.losses: list[np.ndarray] = []

    def on_train_begin(self, trainer, epochs, steps_per_epoch):
        self.hooks.append(("train", epochs, steps_per_epoch))

    def on_epoch_begin(self, trainer, steps):
        self.hooks.append("epoch")
        steps.enter_context(self._steps())

    @contextmanager
    def _steps(self):
        self.hooks.append("steps")
        try:
            yield
        finally:
            self.hooks.append("no more steps")

    def on_batch_begin(self, trainer, source, stack):
        self.hooks.append(("batch", source, len(stack.arrays[0])))

    def on_batch_end(self, trainer, losses):
        self.hooks.append(("batch ended", trainer.steps))
        self.losses.append(losses)

    def on_epoch_end(self, trainer, epoch):
        self.hooks.append(("epoch ended", epoch.epoch))
        self.validated.append(trainer.validated_weights())

    def on_train_end(self, trainer, history):
        self.hooks.append(("train ended", history.verdict))


# Steps --------------------------------------------------------------------------------------------


def test_an_epoch_is_pytorchs_steps_clipping_schedule_and_average_included() -> None:
    model = line()
    twin = torch.nn.Linear(3, 1)
    twin.load_state_dict({name: torch.tensor(each) for name, each in weights(model).items()})
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    trainer = Trainer(
        model,
        Regression(),
        optimizer,
        scheduler=optim.lr_scheduler.StepLR(optimizer, 3, 0.5),
        average=optim.ExponentialMovingAverage(model.parameters(), 0.8),
        clip_norm=0.5,
    )
    seen = Seen()
    fitted(trainer, seen, epochs=1)

    descent = torch.optim.SGD(twin.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.StepLR(descent, 3, 0.5)
    average = torch.optim.swa_utils.AveragedModel(
        twin, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.8)
    )
    average.update_parameters(twin)  # the first takes the weights over
    order = np.random.default_rng((5, 1)).permutation(32).reshape(4, 8)
    losses = []
    for batch in order:
        loss = torch.nn.functional.mse_loss(
            twin(torch.tensor(X[batch]))[:, 0], torch.tensor(Y[batch])
        )
        descent.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(twin.parameters(), 0.5)
        descent.step()
        schedule.step()
        average.update_parameters(twin)
        losses.append(loss.item())
    np.testing.assert_allclose(np.concatenate(seen.losses), losses, rtol=1e-5)
    for name, each in twin.state_dict().items():
        np.testing.assert_allclose(weights(model)[name], each, rtol=1e-5)
    for name, each in average.module.state_dict().items():
        np.testing.assert_allclose(seen.validated[0][name], each, rtol=1e-5)
    (epoch,) = trainer.history.epochs
    assert epoch.train_loss == pytest.approx(np.mean(losses), rel=1e-5)
    with torch.no_grad():
        answer = average(torch.tensor(X[32:]))[:, 0].numpy()
    assert epoch.validation_loss == pytest.approx(np.mean((answer - Y[32:]) ** 2), rel=1e-4)
    assert epoch.learning_rate == pytest.approx(0.05)
    assert (epoch.epoch, epoch.step, trainer.steps) == (1, 4, 4)


def test_a_loss_function_serves_as_the_objective() -> None:
    one, other = of(line()), line()
    loss = Trainer(
        other,
        lambda output, target: nn.mse_loss(output[:, 0], target),
        optim.SGD(other.parameters(), lr=0.05),
    )
    losses = [
        [(each.train_loss, each.validation_loss) for each in fitted(trainer).history.epochs]
        for trainer in (one, loss)
    ]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_without_validation_rows_the_last_weights_stay() -> None:
    trainer = of(line())
    trainer.fit(TRAIN, epochs=3, batch_size=8, seed=5, callbacks=[BestWeights(), EarlyStopping(9)])
    last = fitted(of(line()), epochs=3)
    for name, each in weights(trainer.model).items():
        np.testing.assert_array_equal(each, weights(last.model)[name])
    assert [each.best for each in trainer.history.epochs] == [False] * 3
    assert all(math.isnan(each.validation_loss) for each in trainer.history.epochs)


def test_a_gradient_from_before_and_one_that_no_optimizer_uses_are_dropped() -> None:
    frozen, plain = line(), line()
    nn.mse_loss(frozen(rg.Tensor(X)), Y[:, None]).backward()
    only_bias = [Trainer(m, Regression(), optim.SGD([m.bias], lr=0.05)) for m in (frozen, plain)]
    for trainer in only_bias:
        fitted(trainer, epochs=1)
        assert all(each.grad is None for each in trainer.model.parameters())
    np.testing.assert_array_equal(frozen.bias.numpy(), plain.bias.numpy())
    np.testing.assert_array_equal(frozen.weight.numpy(), line().weight.numpy())


def test_a_step_by_itself_is_the_compiled_one() -> None:
    (stack,) = TRAIN.calls(8, np.random.default_rng(0))
    eager, compiled = of(line()), of(line())
    one = [eager.step(TRAIN, stack.form, rg.Tensor(batch)).item() for batch in stack.arrays[0]]
    np.testing.assert_allclose(compiled.run(TRAIN, stack), one, rtol=1e-5)
    np.testing.assert_allclose(eager.model.weight.numpy(), compiled.model.weight.numpy(), 1e-5)


def test_training_is_in_training_mode_and_validation_is_not() -> None:
    class Mode(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 1)

        def forward(self, x):
            seen.append(self.training)
            return self.inner(x)

    seen: list[bool] = []
    model = Mode()
    model.eval()
    fitted(of(model), epochs=1)
    assert seen[0] is True
    assert seen[-1] is False


# The course of a run ------------------------------------------------------------------------------


def test_callbacks_are_told_in_order_and_of_the_end_in_reverse() -> None:
    seen, other = Seen(), Seen()
    other.hooks = seen.hooks
    fitted(of(line()), seen, epochs=2)
    one_epoch = [
        "epoch",
        "steps",
        ("batch", TRAIN, 4),
        ("batch ended", 4),
        "no more steps",
        ("epoch ended", 1),
    ]
    assert seen.hooks[0] == ("train", 2, 4)
    assert seen.hooks[1:7] == one_epoch
    assert seen.hooks[-2:] == [("epoch ended", 2), ("train ended", Verdict.OUT_OF_EPOCHS)]

    ends: list[int] = []

    class Ends(Callback):
        def __init__(self, number):
            self.number = number

        def on_train_end(self, trainer, history):
            ends.append(self.number)
            if self.number == 2:
                raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fitted(of(line()), Ends(1), Ends(2), Ends(3), epochs=1)
    assert ends == [3, 2, 1]


def test_a_callback_ends_training_with_its_epoch() -> None:
    class Stop(Callback):
        def on_epoch_end(self, trainer, epoch):
            if epoch.epoch == 2:
                trainer.stop(Verdict.DIVERGED)

    trainer = fitted(of(line()), Stop(), epochs=9)
    assert len(trainer.history.epochs) == 2
    assert trainer.history.verdict is Verdict.DIVERGED
    # The next fit is asked anew.
    assert fitted(trainer, epochs=4).history.verdict is Verdict.OUT_OF_EPOCHS
    assert [each.epoch for each in trainer.history.epochs] == [1, 2, 3, 4]


def test_early_stopping_ends_where_the_validation_loss_no_longer_falls() -> None:
    """At so high a rate it soon rises."""
    trainer = of(line(), lr=0.6)
    fitted(trainer, EarlyStopping(2), BestWeights(), epochs=40)
    losses = [each.validation_loss for each in trainer.history.epochs]
    assert trainer.history.verdict is Verdict.CONVERGED
    assert len(losses) < 40
    assert int(np.argmin(losses)) == len(losses) - 3
    assert trainer.validate(VALIDATION) == pytest.approx(min(losses), rel=1e-5)
    assert [each.best for each in trainer.history.epochs] == [
        loss < min(losses[:place], default=math.inf) for place, loss in enumerate(losses)
    ]


def test_of_a_run_with_an_average_the_averaged_weights_are_kept() -> None:
    model = line()
    average = optim.ExponentialMovingAverage(model.parameters(), 0.9)
    seen = Seen()
    raw: list[dict[str, np.ndarray]] = []

    class Raw(Callback):
        def on_epoch_end(self, trainer, epoch):
            raw.append(weights(trainer.model))

    trainer = fitted(of(model, average=average), seen, Raw(), BestWeights(), epochs=3)
    assert trainer.history.epochs[-1].best
    for name, each in weights(model).items():
        np.testing.assert_array_equal(each, seen.validated[-1][name])
        assert (each != raw[-1][name]).any()


def test_time_that_is_over_cuts_the_epoch_short_which_counts(monkeypatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(room.time, "monotonic", lambda: clock[0])
    rows = Rows((np.repeat(X, 5, 0),), np.repeat(Y, 5))

    class Tick(Callback):
        def on_batch_begin(self, trainer, source, stack):
            clock[0] += 2.0

    trainer = of(line())
    many = {"epochs": 9, "batch_size": 2, "seed": 0}  # 120 steps an epoch in two calls
    trainer.fit(rows, VALIDATION, callbacks=[Tick(), TimeLimit(6.0)], **many)
    assert trainer.history.verdict is Verdict.OUT_OF_TIME
    assert [each.seconds for each in trainer.history.epochs] == [4.0, 6.0]
    assert [each.step for each in trainer.history.epochs] == [120, 180]
    # Resumed, it has its own time.
    trainer.fit(rows, VALIDATION, callbacks=[Tick(), TimeLimit(2.0)], **many)
    assert [each.seconds for each in trainer.history.epochs] == [4.0, 6.0, 8.0]


class Bad(Callback):
    """Breaks the third epoch off: by Ctrl-C, or with a loss that is not finite."""

    def __init__(self, how: str) -> None:
        self.how = how

    def on_batch_begin(self, trainer, source, stack):
        if trainer.steps != 8:
            return
        if self.how == "Ctrl-C":
            raise KeyboardInterrupt
        trainer.model.bias.data = np.array([math.nan], np.float32)


def test_ctrl_c_puts_the_best_weights_back_and_says_so() -> None:
    seen = Seen()
    trainer = fitted(of(line()), BestWeights(), seen, Bad("Ctrl-C"))
    assert trainer.history.verdict is Verdict.INTERRUPTED
    assert trainer.history.epochs[-1].best
    assert seen.hooks[-2:] == ["no more steps", ("train ended", Verdict.INTERRUPTED)]
    for name, each in weights(trainer.model).items():
        np.testing.assert_array_equal(each, seen.validated[1][name])


def test_a_loss_that_is_not_finite_puts_the_best_weights_back_and_raises() -> None:
    seen, trainer = Seen(), of(line())
    with pytest.raises(RunError, match="up to step 12"):
        fitted(trainer, BestWeights(), seen, Bad("NaN"), FiniteLoss())
    assert trainer.history.verdict is None
    assert seen.hooks[-1] == ("train ended", None)
    assert len(trainer.history.epochs) == 2
    for name, each in weights(trainer.model).items():
        np.testing.assert_array_equal(each, seen.validated[1][name])


# Resuming -----------------------------------------------------------------------------------------


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


def test_a_resumed_run_has_exactly_the_epochs_it_would_have_had() -> None:
    class Checkpoint(Callback):
        def on_epoch_end(self, trainer, epoch):
            if epoch.epoch == 3:
                self.state = {name: copy.copy(each) for name, each in trainer.state().items()}

    checkpoint = Checkpoint()
    whole = fitted(net(), BestWeights(), checkpoint, epochs=6)
    resumed = net()
    manual_seed(99)  # the stream of random numbers is part of the state
    resumed.load_state(checkpoint.state)
    assert (resumed.steps, len(resumed.history.epochs)) == (12, 3)
    assert resumed.best_weights.keys() == resumed.model.state_dict().keys()
    fitted(resumed, BestWeights(), epochs=6)

    def facts(trainer: Trainer) -> list[Any]:
        return [{**each.as_dict(), "seconds": 0} for each in trainer.history.epochs]

    assert facts(resumed) == facts(whole)
    assert resumed.history.epochs[2].seconds == whole.history.epochs[2].seconds
    for name, each in whole.state().items():
        if not name.endswith("seconds"):
            np.testing.assert_array_equal(resumed.state()[name], each, err_msg=name)


def test_a_resumed_run_counts_on_from_the_seconds_of_its_last_epoch() -> None:
    trainer = fitted(of(line()), epochs=3)
    trainer.history.epochs[:] = [
        dataclasses.replace(each, seconds=seconds)
        for each, seconds in zip(trainer.history.epochs, (1e3, 1e6, 1e9), strict=True)
    ]
    fitted(trainer, epochs=4)
    assert 1e9 <= trainer.history.epochs[-1].seconds < 2e9


class Uneven(Rows):
    """Three steps in the first call of an epoch, and one in the second."""

    def calls(self, batch_size: int, rng: Any) -> Any:
        order = np.arange(32).reshape(4, 8)
        yield Stack(None, (order[:3],))
        yield Stack(None, (order[3:],))


def test_the_steps_of_each_call_are_counted_and_told() -> None:
    told: list[tuple[int, int]] = []

    class Told(Callback):
        def on_batch_end(self, trainer: Any, losses: Any) -> None:
            told.append((trainer.steps, len(losses)))

    trainer = of(line())
    trainer.fit(Uneven((X[:32],), Y[:32]), epochs=1, batch_size=8, seed=0, callbacks=[Told()])
    assert told == [(3, 3), (4, 1)]
    assert trainer.history.epochs[0].step == 4


def test_the_learning_rate_of_an_epoch_is_that_of_the_first_group() -> None:
    model = line()
    groups = [{"params": [model.weight], "lr": 0.1}, {"params": [model.bias], "lr": 0.2}]
    trainer = fitted(Trainer(model, Regression(), optim.SGD(groups, lr=0.3)), epochs=1)
    assert trainer.history.epochs[0].learning_rate == 0.1


def test_an_epoch_that_is_as_good_as_the_best_is_not_better() -> None:
    trainer = fitted(of(line(), lr=0.0), epochs=3)
    assert [each.best for each in trainer.history.epochs] == [True, False, False]


def test_a_state_before_the_first_epoch_has_none() -> None:
    trainer = of(line())
    trainer.load_state(of(line()).state())
    assert trainer.steps == 0
    assert trainer.history.epochs == []
    assert trainer.best_weights == {}


def test_outputs_are_of_all_rows_and_the_raw_weights_come_back() -> None:
    model = line()
    average = optim.ExponentialMovingAverage(model.parameters(), 0.9)
    trainer = fitted(of(model, average=average), epochs=1)
    before = weights(model)
    averaged = trainer.validated_weights()
    output, target = trainer.outputs(TRAIN)
    np.testing.assert_array_equal(target, Y[:32])
    expected = X[:32] @ averaged["weight"].T + averaged["bias"]
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)
    for name, each in weights(model).items():
        np.testing.assert_array_equal(each, before[name])


def test_the_optimizers_slots_are_saved_and_taken_on() -> None:
    def trainer() -> Trainer:
        model = line()
        return Trainer(model, Regression(), optim.SGD(model.parameters(), lr=0.1, momentum=0.9))

    one, other = trainer(), trainer()
    one.step(TRAIN, None, rg.Tensor(np.arange(8)))
    saved = one.state()
    assert "optimizer/0/momentum_buffer" in saved
    other.load_state(saved)
    for each in (one, other):
        each.step(TRAIN, None, rg.Tensor(np.arange(8)))
    for name, value in one.state().items():
        if name not in ("random", "seconds"):
            np.testing.assert_array_equal(other.state()[name], value)
