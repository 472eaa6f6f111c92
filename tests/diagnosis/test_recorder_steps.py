"""What a recorded step is: its backward passes together, of this model, in a record of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, ops, optim
from retrograd.diagnosis.record.record import Record
from retrograd.diagnosis.recorder import Recorder
from retrograd.errors import UsageError

X = np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32)
Y = 2 * X[:, :1]


def made(inputs: int = 5) -> tuple[nn.Module, optim.Optimizer]:
    model = nn.Sequential(nn.Linear(inputs, 8), nn.ReLU(), nn.Linear(8, 1))
    return model, optim.Adam(model.parameters(), lr=1e-2)


@pytest.mark.parametrize("run", [lambda step: step, rg.compile], ids=["eager", "compiled"])
def test_two_losses_of_a_step_are_one(run: Callable[..., Any]) -> None:
    model, optimizer = made()

    @run
    def step(x: Any, y: Any) -> Any:
        fit = nn.mse_loss(model(x), y)
        size = 1e-3 * sum((ops.sum(p * p) for p in model.parameters()), start=rg.Tensor(0.0))
        fit.backward()
        size.backward()
        optimizer.step()
        optimizer.zero_grad()
        return fit + size

    with rg.record(model, optimizer) as record:
        losses = [float(step(X, Y)) for _ in range(6)]
    np.testing.assert_allclose(record.series("loss"), losses, rtol=1e-6)
    assert record.series("batch_size").tolist() == [64] * 6
    assert not record.facts.kept_gradients


def test_a_batch_in_parts_is_one_step_of_all_its_rows() -> None:
    model, optimizer = made()
    losses = []
    with rg.record(model, optimizer) as record:
        for _ in range(6):
            optimizer.zero_grad()
            parts = [nn.mse_loss(model(X[i::4]), Y[i::4]) / 4 for i in range(4)]
            for each in parts:
                each.backward()
            losses.append(sum(map(float, parts)))
            optimizer.step()
    np.testing.assert_allclose(record.series("loss"), losses, rtol=1e-6)


def test_rows_of_parts_are_added_up() -> None:
    model, optimizer = made()
    with rg.record(model, optimizer) as record:
        for _ in range(3):
            optimizer.zero_grad()
            for i in range(4):
                nn.mse_loss(model(X[i::4]), Y[i::4]).backward()
            optimizer.step()
    assert record.series("batch_size").tolist() == [64] * 3


@pytest.mark.parametrize("whose", ["generator", "discriminator"])
def test_what_another_models_loss_leaves_is_not_kept_from_step_to_step(whose: str) -> None:
    generator, generate = made()
    discriminator, judge = made(inputs=1)
    watched = {"generator": (generator, generate), "discriminator": (discriminator, judge)}[whose]
    losses = []
    with rg.record(*watched) as record:
        for _ in range(12):
            fake = generator(X)
            judge.zero_grad()
            told = nn.mse_loss(discriminator(fake.detach()), Y)
            told.backward()
            judge.step()
            generate.zero_grad()
            fooled = ops.mean(discriminator(fake) ** 2)
            fooled.backward()  # reaches the discriminator too
            generate.step()
            losses.append(float(fooled if whose == "generator" else told))
    np.testing.assert_allclose(record.series("loss"), losses, rtol=1e-6)
    assert not record.facts.kept_gradients


def test_an_optimizer_that_holds_nothing_of_the_model_is_named() -> None:
    model, _ = made()
    _, others = made()
    for steps in (0, 12):
        recorder = Recorder()
        with recorder.watching(model, others):
            for _ in range(steps):
                nn.mse_loss(model(X), Y).backward()
                others.step()
                model.zero_grad()
        codes = [each.code for each in recorder.findings()]
        assert "RG213" in codes
        assert "RG603" not in codes  # there is no gradient, not one that is no number


def made_alike() -> tuple[nn.Module, optim.Optimizer]:
    rg.manual_seed(0)
    return made()


@pytest.mark.parametrize("compiled", [False, True])
def test_records_nest_and_each_is_what_it_is_alone(compiled: bool) -> None:
    def step_of(model: nn.Module, optimizer: optim.Optimizer) -> Any:
        def step() -> None:
            optimizer.zero_grad()
            nn.mse_loss(model(X), Y).backward()
            optimizer.step()

        return rg.compile(step) if compiled else step

    alone, first, second = (made_alike() for _ in range(3))
    with rg.record(*alone) as expected:
        step = step_of(*alone)
        for _ in range(4):
            step()
    with rg.record(*first) as outer, rg.record(*second) as inner:
        for step in (step_of(*first), step_of(*second)):
            for _ in range(4):
                step()
    for found in (outer, inner):
        for name in ("loss", "gradient_norm"):
            np.testing.assert_allclose(found.series(name), expected.series(name), rtol=1e-5)


def test_a_recorder_that_is_recording_is_not_begun_again() -> None:
    recorder, (model, optimizer) = Recorder(), made()
    with (
        recorder.watching(model, optimizer),
        pytest.raises(UsageError, match="is already recording"),
        recorder.watching(model, optimizer),
    ):
        pass


def test_the_record_of_another_training_is_kept(tmp_path: Path) -> None:
    def train(model: nn.Module, optimizer: optim.Optimizer) -> list[float]:
        with rg.record(model, optimizer, tmp_path / "record") as record:
            for _ in range(5):
                optimizer.zero_grad()
                nn.mse_loss(model(X), Y).backward()
                optimizer.step()
            return record.series("loss").tolist()

    first = train(*made())
    with pytest.raises(UsageError, match="holds the record of another training"):
        train(*made())
    assert Record.open(tmp_path / "record").series("loss").tolist() == first
