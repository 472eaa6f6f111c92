"""Parameters become one vector and come back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn
from retrograd.nn.utils import vectors


def test_the_vector_is_torchs_and_comes_back() -> None:
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    ours.load_state_dict(theirs.state_dict())
    found = vectors.parameters_to_vector(ours.parameters())
    expected = torch.nn.utils.parameters_to_vector(theirs.parameters())
    np.testing.assert_array_equal(found.detach().numpy(), expected.detach().numpy())
    vectors.vector_to_parameters(found * 2, ours.parameters())
    np.testing.assert_allclose(ours.weight.numpy(), 2 * theirs.weight.detach().numpy())
    with pytest.raises(ValueError, match="the parameters have 8 elements, found a vector of shape"):
        vectors.vector_to_parameters(rg.ones(7), ours.parameters())


def test_a_norm_that_is_not_finite_is_an_error_where_that_is_asked_for() -> None:
    weight = rg.Parameter([1.0, 2.0])
    weight.grad = rg.tensor([np.nan, 1.0])
    with pytest.raises(RuntimeError, match="the gradients' norm is nan"):
        nn.utils.clip_grad_norm_([weight], 1.0, error_if_nonfinite=True)
    assert np.isnan(nn.utils.get_total_norm([weight.grad]).item())
    theirs = torch.nn.utils.get_total_norm([torch.tensor([3.0, 4.0])], norm_type=3.0)
    found = nn.utils.get_total_norm(rg.tensor([3.0, 4.0]), norm_type=3.0)
    np.testing.assert_allclose(found.item(), theirs.item(), rtol=1e-6)
