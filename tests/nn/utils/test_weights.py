"""Weights computed from others are PyTorch's: values, gradients, names, and back again."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn
from retrograd.nn.utils import weights

X = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "weight_norm": ("weight_norm", {}),
    "weight_norm over all": ("weight_norm", {"dim": None}),
    "weight_norm along 1": ("weight_norm", {"dim": 1}),
    "spectral_norm": ("spectral_norm", {}),
    "spectral_norm of more": ("spectral_norm", {"n_power_iterations": 3}),
}


def wrapped(n: Any, name: str, options: dict[str, Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(n.utils, name)(n.Linear(4, 3), **options)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize("case", CASES)
def test_outputs_gradients_and_state_are_torchs(case: str, compiled: bool) -> None:
    name, options = CASES[case]
    theirs, ours = wrapped(torch.nn, name, options), wrapped(nn, name, options)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())

    def step(x: Any) -> Any:
        ours.zero_grad()
        out = ours(x)
        (out * out).sum().backward()
        return out

    run = rg.compile(step) if compiled else step
    for _ in range(2):
        theirs.zero_grad()
        out = theirs(torch.tensor(X))
        (out * out).sum().backward()
        np.testing.assert_allclose(run(rg.tensor(X)).numpy(), out.detach().numpy(), rtol=1e-4)
    for (key, mine), (_, other) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        np.testing.assert_allclose(
            mine.grad.numpy(), other.grad.numpy(), rtol=1e-3, atol=1e-4, err_msg=key
        )
    state = theirs.state_dict()
    for key, value in ours.state_dict().items():
        np.testing.assert_allclose(value, state[key].numpy(), rtol=1e-4, atol=1e-5, err_msg=key)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_it_becomes_one_parameter_again(name: str) -> None:
    layer = getattr(weights, name)(nn.Linear(4, 3)).eval()
    before = layer(rg.tensor(X)).numpy()
    getattr(weights, f"remove_{name}")(layer)
    assert list(layer.state_dict()) == ["bias", "weight"]
    np.testing.assert_allclose(layer(rg.tensor(X)).numpy(), before, rtol=1e-5)
    with pytest.raises(ValueError, match=r"Linear\.weight is not computed from other weights"):
        getattr(weights, f"remove_{name}")(layer)
