"""The finder raises the rate step by step, stops where the loss bursts, and leaves no trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.optim import lr_finder


def made() -> tuple[nn.Module, optim.Optimizer, Any, list[Any]]:
    rg.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
    x = np.random.default_rng(0).standard_normal((4, 8, 3)).astype(np.float32)

    @rg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return model, optimizer, step, [(each, each[:, :1] * 2) for each in x]


def test_the_rates_rise_by_one_factor_and_the_suggestion_is_before_the_burst() -> None:
    model, optimizer, step, batches = made()
    before = model.state_dict()
    curve = optim.find_lr(model, optimizer, step, batches, lowest=1e-5, highest=100.0, steps=60)
    np.testing.assert_allclose(curve.lrs, np.geomspace(1e-5, 100, 60)[: len(curve.lrs)])
    assert len(curve.lrs) == len(curve.losses) < 60
    least = curve.lrs[int(np.argmin(curve.losses))]
    assert 1e-3 < curve.suggestion <= least
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    assert optimizer.param_groups[0]["lr"] == 0.01
    assert optimizer.state_dict()["state"] == {}


def test_the_smoothed_loss_is_a_weighed_mean_of_those_so_far() -> None:
    assert lr_finder._smoothed([3.0]) == 3.0
    expected = (0.81 * 1 + 0.9 * 2 + 6) / 2.71
    assert lr_finder._smoothed([1.0, 2.0, 6.0]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "batches", "message"),
    [
        ({"lowest": 1.0, "highest": 0.1}, [1], "lowest must be above 0 and below highest"),
        ({"steps": 2}, [1], "steps at least 3"),
        ({}, [], "there are no batches"),
    ],
)
def test_what_does_not_fit_is_refused(options: Any, batches: Any, message: str) -> None:
    model, optimizer, step, _ = made()
    with pytest.raises(ValueError, match=message):
        optim.find_lr(model, optimizer, step, batches, **options)
