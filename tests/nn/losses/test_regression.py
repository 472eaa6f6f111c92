"""Losses of numbers: the quantile, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.metrics

import retrograd as rg
from retrograd import nn

N, C = 7, 4
RNG = np.random.default_rng(0)
NUMBERS = RNG.standard_normal((N, 2))
CLASSES = np.array([0, 3, 1, 1, 2, 0, 3])


SCORES = np.zeros((N, C))


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_the_quantile_loss_is_the_pinball_loss_and_its_minimum_the_quantile(
    quantile: float,
) -> None:
    prediction, target = NUMBERS, 1 - NUMBERS
    expected = sklearn.metrics.mean_pinball_loss(target.ravel(), prediction.ravel(), alpha=quantile)
    loss = nn.QuantileLoss(quantile)
    assert loss(prediction, target).item() == pytest.approx(expected, rel=1e-12)
    values = np.random.default_rng(1).standard_normal(999)
    slopes = []
    for shift in (-0.05, 0.05):
        constant = rg.Tensor(np.quantile(values, quantile) + shift, requires_grad=True)
        loss(constant.broadcast_to(999), values).backward()
        slopes.append(constant.grad.item())
    assert slopes[0] < 0 < slopes[1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.cross_entropy(SCORES, CLASSES, label_smoothing=2.0), "found 2.0"),
        (lambda: nn.huber_loss(NUMBERS, NUMBERS, delta=0.0), "delta must be positive"),
        (lambda: nn.smooth_l1_loss(NUMBERS, NUMBERS, beta=-1.0), "must not be negative"),
        (lambda: nn.quantile_loss(NUMBERS, NUMBERS, 1.0), "between 0 and 1, found 1.0"),
        (lambda: nn.mse_loss(NUMBERS, NUMBERS, "average"), "'mean' or 'sum', found 'average'"),
        (lambda: nn.MSELoss("average"), "'mean' or 'sum', found 'average'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
