"""Where a number cannot tell, nothing is found: huge inputs, one held-out row, a whole batch."""

from __future__ import annotations

import math

import numpy as np
from support.cases import performance

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.examine import examined
from retrograd.diagnosis.recorder import Recorder

X = np.random.default_rng(0).normal(size=(64, 5)).astype(np.float32)


def test_a_gradient_is_not_called_wrong_where_the_losss_last_digits_hide_its_slope() -> None:
    model = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    y = np.arange(64) % 3
    codes = [each.code for each in rg.diagnose(model, (1e12 * X, y), loss=nn.cross_entropy)]
    assert codes[0] == "RG301"
    assert "RG409" not in codes


def test_the_error_on_targets_that_do_not_vary_is_not_known() -> None:
    one = performance(X[:, :1], X[:, :1], np.float32([[3.0]]), [[4.0]])
    assert math.isnan(one.valid_error)
    assert math.isnan(one.shortfall)
    assert not one.beats_constant
    two = performance(X[:, :1], X[:, :1], np.float32([[1.0], [3.0]]), [[2.0], [2.0]])
    assert two.valid_error == 1.0


def test_a_batch_that_is_all_there_is_is_not_too_small() -> None:
    model = nn.Sequential(nn.Linear(5, 1))
    optimizer = optim.SGD(model.parameters(), lr=1e-6)
    recorder = Recorder()
    with recorder.watching(model, optimizer):
        for epoch in range(1, 13):
            optimizer.zero_grad()
            nn.mse_loss(model(X[:4]), X[:4, :1]).backward()
            optimizer.step()
            recorder.add_epoch(epoch, 1.0, 1.0)
    few = Case(record=recorder.record, batch_size=4)
    assert few.fared_badly
    assert "RG209" not in [each.code for each in examined(few)]
