"""The backward pass as functions gives what PyTorch's gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd.autograd import backward, grad


def test_grad_is_torchs_and_leaves_grad_alone() -> None:
    values = [0.5, -1.0, 2.0]
    x, y = (n.tensor(values, requires_grad=True) for n in (rg, torch))
    (found,) = grad((x**3).sum(), x, create_graph=True)
    (expected,) = torch.autograd.grad((y**3).sum(), y, create_graph=True)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-6)
    (second,) = rg.autograd.grad(found, [x], grad_outputs=rg.tensor([1.0, 0.0, 2.0]))
    (oracle,) = torch.autograd.grad(expected, [y], grad_outputs=torch.tensor([1.0, 0.0, 2.0]))
    np.testing.assert_allclose(second.numpy(), oracle.numpy(), rtol=1e-6)
    assert x.grad is None


def test_the_slope_in_something_computed() -> None:
    x = rg.tensor([1.0, 2.0], requires_grad=True)
    hidden = x * 3
    (found,) = grad((hidden**2).sum(), hidden)
    np.testing.assert_allclose(found.numpy(), [6, 12])


def test_an_input_that_does_not_count_is_refused_or_none() -> None:
    x, z = (rg.ones(2, requires_grad=True) for _ in range(2))
    with pytest.raises(RuntimeError, match="do not depend on input 1; pass allow_unused=True"):
        grad(x.sum(), [x, z])
    assert grad(x.sum(), [x, z], allow_unused=True)[1] is None
    with pytest.raises(RuntimeError, match="input 0 does not require a gradient"):
        grad(x.sum(), rg.ones(2))
    with pytest.raises(RuntimeError, match="no gradient was recorded"):
        grad(rg.ones(2).sum(), x)


def test_backward_of_several_tensors_adds_up() -> None:
    x = rg.tensor([1.0, 2.0], requires_grad=True)
    backward([x.sum(), x * x], [None, rg.tensor([1.0, 3.0])])
    np.testing.assert_allclose(x.grad.numpy(), [3, 13])
