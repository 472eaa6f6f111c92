"""Norms at the origin."""

from __future__ import annotations

import math

import numpy as np
import torch
from support.slopes import gradient, second, torchs

from retrograd import ops

INF = math.inf


def test_sqrt_at_zero_is_infinitely_steep_and_norms_are_flat() -> None:
    zero = np.zeros(2)
    np.testing.assert_array_equal(gradient(ops.sqrt, zero), [INF, INF])
    for p in (1, 2, 3, 0, INF, -INF):
        np.testing.assert_array_equal(
            gradient(lambda x, p=p: ops.norm(x, p), zero),
            torchs(lambda x, p=p: torch.linalg.vector_norm(x, p), zero) if p in (1, 2) else zero,
        )
    assert np.isfinite(second(ops.norm, zero)).all()
