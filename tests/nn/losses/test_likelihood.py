"""Losses of probabilities: 0 and 1, equal distributions, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.nn import functional as F

N, C = 5, 4
RNG = np.random.default_rng(0)
X, Y, Z = RNG.standard_normal((3, N, C))


def test_probabilities_of_0_and_1_cost_at_most_100() -> None:
    p = rg.Tensor([0.0, 1.0, 0.0, 1.0], requires_grad=True)
    loss = F.binary_cross_entropy(p, np.array([0.0, 1.0, 1.0, 0.0]), reduction="none")
    loss.sum().backward()
    assert loss.tolist() == [0, 0, 100, 100]
    assert np.isfinite(p.grad.numpy()).all()


def test_the_divergence_of_a_distribution_from_itself_is_zero() -> None:
    q = np.array([[0.25, 0.75, 0.0], [0.5, 0.25, 0.25]])
    with np.errstate(divide="ignore"):
        log_q = np.where(q > 0, np.log(q), -50.0)
    assert F.kl_div(log_q, q, "batchmean").item() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.binary_cross_entropy(X, np.ones((N, C))), "binary_cross_entropy_with_logits"),
        (lambda: F.gaussian_nll_loss(X, Y, np.ones(3)), r"\(3,\) does not fit"),
        (lambda: F.gaussian_nll_loss(X, Y, -1.0), "negative"),
        (
            lambda: F.gaussian_nll_loss(X, Y[:, :1], 1.0),
            "each prediction would be compared with other",
        ),
        (lambda: nn.KLDivLoss("average"), "found 'average'"),
    ],
)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
