"""Losses of margins: large ones, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd.nn import functional as F

N, C = 5, 4
RNG = np.random.default_rng(0)
X, Y, Z = RNG.standard_normal((3, N, C))
CLASSES = np.array([0, 3, 1, 1, 2])


def test_soft_margins_of_10_000_do_not_overflow() -> None:
    x = rg.Tensor([1e4, -1e4], requires_grad=True)
    loss = F.soft_margin_loss(x, np.ones(2), "sum")
    loss.backward()
    assert (loss.item(), x.grad.tolist()) == (1e4, [0, -1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.multi_margin_loss(X, CLASSES, p=3), "p is 1 or 2, found 3"),
        (lambda: F.multi_margin_loss(X, CLASSES, weight=np.ones(3)), "each of the 4 classes"),
        (lambda: F.multi_margin_loss(X, CLASSES[:3]), r"classes \(n,\)"),
        (lambda: F.multilabel_margin_loss(X, CLASSES), r"lists of classes of one shape"),
        (lambda: F.triplet_margin_loss(X, Y, Z[0]), "as many axes"),
        (lambda: F.triplet_margin_loss(X, Y, Z, margin=0.0), "above 0, found 0.0"),
    ],
)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
