"""Softmax and logsumexp: large scores, and rows of minus infinity."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support.slopes import gradient, torchs

import retrograd as rg
from retrograd import ops

INF = math.inf


@pytest.mark.parametrize("sign", [1, -1])
def test_log_softmax_and_logsumexp_at_10_000(sign: int) -> None:
    x = np.array([sign * 1e4, 0.0, sign * 1e4])
    share = np.array([0.5, 0.0, 0.5]) if sign > 0 else np.array([0.0, 1.0, 0.0])
    top = 1e4 + math.log(2) if sign > 0 else 0.0
    np.testing.assert_allclose(ops.logsumexp(rg.Tensor(x)).item(), top, rtol=1e-14)
    np.testing.assert_allclose(ops.log_softmax(rg.Tensor(x)).numpy(), x - top, rtol=1e-12)
    np.testing.assert_allclose(ops.softmax(rg.Tensor(x)).numpy(), share, atol=1e-15)
    np.testing.assert_allclose(gradient(ops.logsumexp, x), share, atol=1e-15)
    np.testing.assert_allclose(
        gradient(lambda x: ops.log_softmax(x)[1], x), np.eye(3)[1] - share, atol=1e-15
    )


def test_logsumexp_of_a_row_of_minus_infinity() -> None:
    x = np.array([[-INF, -INF], [0.0, 0.0], [-INF, 0.0]])
    np.testing.assert_allclose(ops.logsumexp(rg.Tensor(x), 1).numpy(), [-INF, math.log(2), 0.0])
    # PyTorch and JAX give NaN for the first row, whose limit is 0 for every x that stays finite.
    np.testing.assert_allclose(
        gradient(lambda x: ops.logsumexp(x, 1), x), [[0, 0], [0.5, 0.5], [0, 1]]
    )


def test_masked_logits_receive_no_gradient() -> None:
    x = np.array([1.0, -INF, 2.0])
    expected = torchs(lambda x: torch.softmax(x, -1)[0], x)
    np.testing.assert_allclose(gradient(lambda x: ops.softmax(x)[0], x), expected, atol=1e-15)
    expected = torchs(lambda x: torch.log_softmax(x, -1)[0], x)
    np.testing.assert_allclose(gradient(lambda x: ops.log_softmax(x)[0], x), expected, atol=1e-15)
