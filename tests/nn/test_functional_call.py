"""A module as a function of its parameters, beside PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn
from retrograd.nn.functional_call import functional_call


def test_values_and_gradients_are_torchs_and_the_module_is_left_as_it_was() -> None:
    ours, theirs = (n.Sequential(n.Linear(2, 3), n.Tanh(), n.Linear(3, 1)) for n in (nn, torch.nn))
    ours.load_state_dict(theirs.state_dict())
    x = np.array([[0.3, -0.7]], np.float32)
    own = {name: 2 * p.detach() for name, p in ours.named_parameters()}
    before = ours.state_dict()
    gradient = rg.grad(lambda w: functional_call(ours, {**own, "0.weight": w}, rg.tensor(x)).sum())
    weights = {name: 2 * p.detach() for name, p in theirs.named_parameters()}
    expected = torch.func.grad(
        lambda w: torch.func.functional_call(
            theirs, {**weights, "0.weight": w}, torch.tensor(x)
        ).sum()
    )(weights["0.weight"])
    np.testing.assert_allclose(gradient(own["0.weight"]).numpy(), expected.numpy(), rtol=1e-5)
    for name, value in ours.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_name_or_shape_that_does_not_fit_is_refused() -> None:
    model = nn.Linear(2, 1)
    with pytest.raises(ValueError, match="Linear has no parameter or buffer 'w'; it has weight"):
        functional_call(model, {"w": rg.ones(1, 2)}, rg.ones(2))
    with pytest.raises(ValueError, match=r"weight has shape \(2, 2\), expected \(1, 2\)"):
        functional_call(model, {"weight": rg.ones(2, 2)}, rg.ones(2))
