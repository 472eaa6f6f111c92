"""A rehearsal trains a copy as the run would, and leaves what it copies as it was."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.checks.case import Data
from retrograd.diagnosis.outcome.rehearsal import rehearse
from retrograd.random import host_rng, normal

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 3)).astype(np.float32)
ROWS = Data((X,), X[:, 0] - 2 * X[:, 1])


def squared(output: Any, target: Any) -> Any:
    return nn.mse_loss(output[:, 0], target)


def values(state: Any) -> list[np.ndarray[Any, Any]]:
    """All arrays in a state, in order."""
    if isinstance(state, dict):
        return [each for key in sorted(state, key=str) for each in values(state[key])]
    if isinstance(state, list | tuple):
        return [each for part in state for each in values(part)]
    return [np.array(state)] if state is not None else []


def network() -> nn.Sequential:
    rg.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 1))


@pytest.mark.parametrize("make", [optim.Adam, optim.SGD, None])
@pytest.mark.parametrize("stepped", [False, True])
def test_the_model_and_the_optimizer_stay_as_they_were(make: Any, stepped: bool) -> None:
    model = network()
    optimizer = None if make is None else make(model.parameters(), lr=0.01)
    if stepped and optimizer is not None:
        squared(model(X), ROWS.target).backward()
        optimizer.step()
    model.eval()
    before = copy.deepcopy(model.state_dict())
    state = None if optimizer is None else copy.deepcopy(optimizer.state_dict())
    grads = [each.grad for each in model.parameters()]
    tried = rehearse(model, squared, ROWS, optimizer, 16)
    assert tried is not None
    assert tried.model is not model
    for one, two in zip(values(before), values(model.state_dict()), strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(grads, (each.grad for each in model.parameters()), strict=True):
        assert one is two
    assert not any(each.training for each in model.modules())
    if optimizer is not None:
        known = {id(each) for each in model.parameters()}
        assert {id(p) for group in optimizer.param_groups for p in group["params"]} == known
        for one, two in zip(values(state), values(optimizer.state_dict()), strict=True):
            np.testing.assert_array_equal(one, two)
    moved = [
        (one != two).any()
        for one, two in zip(values(before), values(tried.model.state_dict()), strict=True)
    ]
    assert sum(moved) >= 4
    # The copy is in training mode, whatever the model is in.
    assert all(each.training for each in tried.model.modules())
    assert (np.asarray(tried.model[1].running_mean.data) != before["1.running_mean"]).any()


def test_the_copy_is_trained_for_150_steps() -> None:
    for batch_size, rows in ((16, 100), (32, 100), (None, 100), (1000, 100), (1, 100), (7, 10)):
        tried = rehearse(nn.Linear(3, 1), squared, ROWS.rows(np.arange(rows)), None, batch_size)
        assert tried is not None
        assert tried.losses.shape == (150,)
        assert tried.losses.dtype == np.float64


def test_the_copys_optimizer_is_the_runs() -> None:
    """One step of SGD on all rows at rate 0.1, by hand; and 150 steps at rate 0 leave the loss."""
    model = nn.Linear(3, 1, bias=False)
    model.weight.data = np.zeros((1, 3), np.float32)
    tried = rehearse(model, squared, ROWS, optim.SGD(model.parameters(), lr=0.1), 100)
    assert tried is not None
    w, x, y = np.zeros(3), X.astype(np.float64), ROWS.target.astype(np.float64)
    expected = []
    for _ in range(150):
        off = x @ w - y
        expected.append((off**2).mean())
        w -= 0.1 * 2 / 100 * x.T @ off
    np.testing.assert_allclose(tried.losses, expected, rtol=1e-3, atol=1e-9)
    still = rehearse(model, squared, ROWS, optim.SGD(model.parameters(), lr=0.0), 100)
    assert still is not None
    np.testing.assert_allclose(still.losses, expected[0], rtol=1e-5)


def test_each_epoch_goes_through_the_rows_in_another_order() -> None:
    """Each row's loss is its number, as the parameter does not matter."""
    numbers = np.arange(10.0, dtype=np.float32)
    rows = Data((numbers[:, None],), numbers)

    def numbered(output: Any, target: Any) -> Any:
        return target.sum() + 0 * output.sum()

    tried = rehearse(nn.Linear(1, 1), numbered, rows, None, 1)
    assert tried is not None
    epochs = tried.losses.reshape(15, 10)
    assert (np.sort(epochs, 1) == numbers).all()
    assert len(np.unique(epochs, axis=0)) == 15
    # Of three batches of 3, the tenth row is left out.
    threes = rehearse(nn.Linear(1, 1), numbered, rows, None, 3)
    assert threes is not None
    assert {45 - each for each in threes.losses.reshape(50, 3).sum(1)} <= set(range(10))


def test_without_an_optimizer_adam_learns() -> None:
    tried = rehearse(network(), squared, ROWS, None, None)
    assert tried is not None
    assert tried.losses[-20:].mean() < 0.6 * tried.losses[:5].mean()


def test_frozen_parameters_stay() -> None:
    model = nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 1))
    model[0].weight.requires_grad = False
    tried = rehearse(model, squared, ROWS, None, 32)
    assert tried is not None
    np.testing.assert_array_equal(tried.model[0].weight.data, model[0].weight.data)
    assert (np.asarray(tried.model[1].weight.data) != np.asarray(model[1].weight.data)).any()


def test_where_nothing_can_be_trained_there_is_no_rehearsal() -> None:
    model = nn.Linear(3, 1)
    for each in model.parameters():
        each.requires_grad = False
    assert rehearse(model, squared, ROWS, None, 32) is None
    assert rehearse(nn.ReLU(), squared, ROWS, None, 32) is None


def of_values(output: Any, target: Any) -> Any:
    """Cannot be compiled: it branches on a value."""
    return squared(output, target) if float(output.sum()) > -1e9 else output.sum()


def failing(output: Any, target: Any) -> Any:
    raise RuntimeError("no such room")


def misshapen(output: Any, target: Any) -> Any:
    return nn.cross_entropy(output, target.reshape(-1, 7))


@pytest.mark.parametrize("loss", [of_values, failing, misshapen])
def test_a_loss_that_cannot_be_compiled_or_fails_gives_none(loss: Any) -> None:
    assert rehearse(nn.Linear(3, 1), loss, ROWS, None, 32) is None


def test_a_model_that_cannot_be_compiled_gives_none() -> None:
    class Looking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 1)

        def forward(self, x: Any) -> Any:
            y = self.linear(x)
            return y if float(y.sum()) > -1e9 else 2 * y

    assert rehearse(Looking(), squared, ROWS, None, 32) is None


def test_a_rehearsal_that_diverges_tells_its_losses_without_a_warning() -> None:
    model = nn.Linear(3, 1)
    tried = rehearse(model, squared, ROWS, optim.SGD(model.parameters(), lr=1e6), 32)
    assert tried is not None
    assert not np.isfinite(tried.losses).all()


def test_the_random_numbers_of_the_run_stay_the_same() -> None:
    """Dropout of the copy draws none of the run's."""
    drawn = []
    for rehearses in (False, True):
        model = network()
        rg.manual_seed(7)
        if rehearses:
            assert rehearse(model, squared, ROWS, None, 32) is not None
        drawn.append(np.append(normal((3,)).numpy(), host_rng().normal(size=3)))
    np.testing.assert_array_equal(*drawn)


def test_the_same_rehearsal_twice_is_the_same() -> None:
    model = nn.Linear(3, 1)
    one, two = (rehearse(model, squared, ROWS, None, 32) for _ in range(2))
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.losses, two.losses)
