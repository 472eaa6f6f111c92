"""Distances between equal vectors."""

from __future__ import annotations

import numpy as np

import retrograd as rg
from retrograd.nn import functional as F


def test_equal_vectors_have_distance_near_0_and_a_finite_slope() -> None:
    x = rg.Tensor(np.ones((1, 3)), requires_grad=True)
    F.pairwise_distance(x, np.ones((1, 3))).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    y = rg.Tensor(np.zeros((1, 3)), requires_grad=True)
    (F.cosine_similarity(y, x) + F.normalize(y).sum(1)).sum().backward()
    assert np.isfinite(y.grad.numpy()).all()
