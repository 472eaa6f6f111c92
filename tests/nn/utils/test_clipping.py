"""Clipping gives PyTorch's gradients and norms, eagerly and within a compiled step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn, ops

VALUES = [[[3.0, -4.0], [0.5, 1.0]], [12.0, -0.25, 2.0]]


def parameters(scale: float = 1.0) -> list[rg.Parameter]:
    """Parameters of ones, each with a gradient, and one without."""
    made = [rg.Parameter(np.ones(np.shape(values))) for values in [*VALUES, [0.0]]]
    for parameter, values in zip(made, VALUES, strict=False):
        parameter.grad = rg.Tensor(np.array(values) * scale)
    return made


def oracles(scale: float = 1.0) -> list[torch.Tensor]:
    made = [torch.ones(np.shape(values), dtype=torch.float64) for values in VALUES]
    for tensor, values in zip(made, VALUES, strict=True):
        tensor.grad = torch.tensor(values, dtype=torch.float64) * scale
    return made


def assert_same_gradients(ours: list[Any], theirs: list[Any]) -> None:
    for parameter, tensor in zip(ours, theirs, strict=False):
        np.testing.assert_allclose(parameter.grad.numpy(), tensor.grad.numpy(), rtol=1e-12)
        assert parameter.grad.dtype == parameter.dtype


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.5, float("inf")])
@pytest.mark.parametrize("max_norm", [0.7, 13.0, 100.0])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_the_norm_of_all_is_clipped_as_by_pytorch(
    norm_type: float, max_norm: float, compiled: bool
) -> None:
    ours, theirs = parameters(), oracles()

    def clip() -> Any:
        return nn.utils.clip_grad_norm_(ours, max_norm, norm_type)

    norm = rg.compile(clip)() if compiled else clip()
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    np.testing.assert_allclose(norm.numpy(), expected.numpy(), rtol=1e-12)
    assert norm.shape == ()
    assert_same_gradients(ours, theirs)
    assert ours[-1].grad is None


def test_float32_gradients_stay_float32() -> None:
    parameter = rg.Parameter([1.0, 1.0])
    ops.sum(1e3 * parameter).backward()
    norm = nn.utils.clip_grad_norm_(parameter, 1.0)
    assert parameter.grad is not None
    assert norm.dtype == parameter.grad.dtype == np.float32
    nn.utils.clip_grad_value_(parameter, 0.1)
    assert parameter.grad.dtype == np.float32


def test_no_gradients_have_norm_zero() -> None:
    assert nn.utils.clip_grad_norm_([rg.Parameter([1.0])], 1.0).item() == 0.0
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0.0


@pytest.mark.parametrize("scale", [np.inf, np.nan, 1e200])
def test_gradients_that_overflow_become_what_pytorchs_do(scale: float) -> None:
    ours, theirs = parameters(scale), oracles(scale)
    norm = nn.utils.clip_grad_norm_(ours, 1.0)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 1.0)
    np.testing.assert_equal(norm.item(), expected.item())
    assert_same_gradients(ours, theirs)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_values_are_clipped_as_by_pytorch(compiled: bool) -> None:
    ours, theirs = parameters(), oracles()

    def clip() -> None:
        nn.utils.clip_grad_value_(ours, 0.75)

    rg.compile(clip)() if compiled else clip()
    torch.nn.utils.clip_grad_value_(theirs, 0.75)
    assert_same_gradients(ours, theirs)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_each_layer_is_clipped_by_itself(compiled: bool) -> None:
    names = ["body.0.weight", "body.0.bias", "head.weight", "scale"]
    values = [[3.0, 0.0], [4.0], [0.6, 0.8], [20.0]]
    ours = {
        name: rg.Parameter(np.ones(len(each))) for name, each in zip(names, values, strict=True)
    }
    for parameter, each in zip(ours.values(), values, strict=True):
        parameter.grad = rg.Tensor(np.array(each))

    def clip() -> Any:
        return nn.utils.clip_grad_norm_per_layer_(ours.items(), 2.0)

    norms = rg.compile(clip)() if compiled else clip()
    found = {layer: norm.item() for layer, norm in norms.items()}
    assert found == pytest.approx({"body.0": 5.0, "head": 1.0, "": 20.0})
    expected = [[1.2, 0.0], [1.6], [0.6, 0.8], [2.0]]
    for parameter, each in zip(ours.values(), expected, strict=True):
        assert parameter.grad is not None
        np.testing.assert_allclose(parameter.grad.numpy(), each, rtol=1e-6)


def test_bounds_that_are_not_above_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="max_norm and norm_type must be above 0; found -1 and 2"):
        nn.utils.clip_grad_norm_(parameters(), -1)
    with pytest.raises(ValueError, match="clip_value must be above 0; found 0"):
        nn.utils.clip_grad_value_(parameters(), 0)
