"""Methods that change a tensor do what PyTorch's do, or refuse; a graph never changes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn
from retrograd.inherited.in_place import InPlace


def test_every_method_is_torchs_too() -> None:
    names = {name for name in vars(InPlace) if not name.startswith("_") and name != "data"}
    assert names - set(dir(torch.Tensor)) == set()


def test_the_values_are_torchs() -> None:
    ours, theirs = rg.tensor([1.0, -2.0, 4.0]), torch.tensor([1.0, -2.0, 4.0])
    for x in (ours, theirs):
        n = rg if x is ours else torch
        x.add_(1).mul_(n.tensor([1.0, 2.0, 3.0])).clamp_(min=-1.5).abs_().sqrt_()
        x.masked_fill_(x > 2, 0.5).addcmul_(x, x, value=0.1)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)
    assert ours.fill_(3).tolist() == [3, 3, 3]
    assert ours.copy_(rg.tensor([1, 2, 3])).tolist() == [1, 2, 3]
    assert ours.zero_().tolist() == [0, 0, 0]
    assert rg.zeros(2, 3).fill_diagonal_(2.0).tolist() == [[2, 0, 0], [0, 2, 0]]


def test_weights_change_under_no_grad_eagerly_and_compiled() -> None:
    for wrap in (lambda f: f, rg.compile):
        model = nn.Linear(2, 1)
        start = model.weight.numpy().copy()

        def step(x: rg.Tensor, model: nn.Linear = model) -> rg.Tensor:
            model.zero_grad()
            loss = rg.sum(model(x))
            loss.backward()
            with rg.no_grad():
                for parameter in model.parameters():
                    parameter.sub_(0.5 * parameter.grad)
            return loss

        wrap(step)(rg.tensor([[1.0, 3.0]]))
        np.testing.assert_allclose(model.weight.numpy(), start - [[0.5, 1.5]], rtol=1e-6)


def test_what_was_computed_before_keeps_its_gradient() -> None:
    x, w = rg.tensor([1.0, 2.0]), rg.tensor([3.0, 4.0], requires_grad=True)
    y = rg.sum(x * w)
    x.mul_(10)
    y.backward()
    assert w.grad.tolist() == [1, 2]


def test_what_a_gradient_flows_through_is_refused() -> None:
    w = rg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="add_: a tensor that a gradient flows through"):
        w.add_(1)
    with rg.no_grad():
        w.add_(1)
    computed = w * 1
    with pytest.raises(RuntimeError, match="gradient flows through"), rg.no_grad():
        computed.add_(1)
    assert w.tolist() == [2, 2]


def test_a_part_of_a_tensor_is_refused() -> None:
    x = rg.ones(2, 2)
    for part in (x[0], x.reshape(4), x.T):
        with pytest.raises(RuntimeError, match=r"would not change with it.*x\.fill\(|rg\.where"):
            part.zero_()
    assert x.tolist() == [[1, 1], [1, 1]]


def test_a_result_of_another_shape_or_kind_is_refused() -> None:
    with pytest.raises(ValueError, match=r"add_: the result has shape \(2, 2\), the tensor \(2,\)"):
        rg.ones(2).add_(rg.ones(2, 2))
    with pytest.raises(
        TypeError, match="multiply_: a tensor of int64 cannot hold a result of float32"
    ):
        rg.arange(2).mul_(0.5)


def test_within_a_compiled_step_only_variables_change() -> None:
    with pytest.raises(RuntimeError, match="inside a compiled step"):
        rg.compile(lambda x: (x * 2).add_(1))(rg.ones(2))
