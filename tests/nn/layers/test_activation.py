"""Activations at their kinks and far out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from support.networks import floats

import retrograd as rg
from retrograd import nn

ACTIVATIONS = [
    lambda n: n.ReLU(),
    lambda n: n.LeakyReLU(),
    lambda n: n.ELU(),
    lambda n: n.SELU(),
    lambda n: n.GELU(),
    lambda n: n.GELU("tanh"),
    lambda n: n.SiLU(),
    lambda n: n.Mish(),
    lambda n: n.Tanh(),
    lambda n: n.Sigmoid(),
    lambda n: n.Softplus(),
    lambda n: n.Hardtanh(),
    lambda n: n.ReLU6(),
    lambda n: n.Softmax(0),
    lambda n: n.LogSoftmax(0),
]


@pytest.mark.parametrize("build", ACTIVATIONS, ids=lambda build: str(build(nn)))
def test_activations_at_kinks_and_far_out_are_torchs(build: Any) -> None:
    x = np.array([-1e4, -100, -6, -1, -1e-3, 0, 1e-3, 1, 6, 20.5, 100, 1e4], np.float32)
    mine, other = rg.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    out, expected = build(nn)(mine), build(torch.nn)(other)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out.numpy(), expected.detach().numpy(), rtol=1e-5, atol=1e-7)
    weights = floats(len(x))
    out.backward(weights)
    expected.backward(torch.from_numpy(weights))
    assert mine.grad.dtype == np.float32
    np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-5, atol=1e-6)


def test_an_unknown_approximation_of_gelu_is_refused() -> None:
    with pytest.raises(ValueError, match="'none' or 'tanh', found 'erf'"):
        nn.GELU("erf")(floats(2))
