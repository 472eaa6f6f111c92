"""A module's parts are found by their paths and registered by their names, as in PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn


def model(n):
    inner = n.Sequential(n.Linear(2, 3), n.BatchNorm1d(3))
    return n.Sequential(inner, n.ReLU())


def test_parts_are_found_where_pytorch_finds_them() -> None:
    ours = model(nn)
    assert ours.get_submodule("0.1") is ours[0][1]
    assert ours.get_submodule("") is ours
    assert ours.get_parameter("0.0.weight") is ours[0][0].weight
    assert ours.get_buffer("0.1.running_mean") is ours[0][1].running_mean
    for get in ("get_submodule", "get_parameter", "get_buffer"):
        for each in (ours, model(torch.nn)):
            with pytest.raises(AttributeError):
                getattr(each, get)("0.5.weight")
    with pytest.raises(AttributeError, match="0 has no module '5'; it has 0, 1"):
        ours.get_submodule("0.5")
    with pytest.raises(AttributeError, match=r"0\.0 has no parameter 'w'; it has weight, bias"):
        ours.get_parameter("0.0.w")


def test_parameters_are_registered() -> None:
    module = nn.Module()
    module.register_parameter("w", rg.Parameter([1.0]))
    module.register_parameter("b", None)
    module.register_module("inner", nn.ReLU())
    assert [name for name, _ in module.named_parameters()] == ["w"]
    assert module.b is None
    assert module.get_submodule("inner") is module.inner
    with pytest.raises(TypeError, match="w: expected a Parameter, found Tensor"):
        module.register_parameter("w", rg.ones(1))
    with pytest.raises(ValueError, match="must not be empty or contain a dot"):
        module.register_parameter("a.b", None)
    with pytest.raises(ValueError, match="has an attribute 'forward' already"):
        module.register_parameter("forward", None)


def test_a_buffer_that_is_not_persistent_is_no_part_of_the_state() -> None:
    states = []
    for n, ones in ((nn, rg.ones), (torch.nn, torch.ones)):
        module = n.Linear(1, 1)
        module.register_buffer("kept", ones(2))
        module.register_buffer("dropped", ones(2), persistent=False)
        assert [name for name, _ in module.named_buffers()] == ["kept", "dropped"]
        states.append(list(module.state_dict()))
        module.load_state_dict(module.state_dict())
    assert states[0] == states[1]


def test_gradients_are_cleared_or_made_0() -> None:
    module = nn.Linear(2, 1)
    rg.sum(module(rg.ones(1, 2))).backward()
    module.zero_grad(set_to_none=False)
    np.testing.assert_array_equal(module.weight.grad.numpy(), [[0, 0]])
    module.zero_grad()
    assert module.weight.grad is None
