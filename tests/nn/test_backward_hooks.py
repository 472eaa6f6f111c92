"""A module's backward hooks see the cotangents that PyTorch's see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn

X, W = np.array([[1.0, -2.0]], np.float32), np.array([[0.5, 3.0, -1.0]], np.float32)


def seen_by(n: Any, tensor: Any, requires_grad: bool, change: bool) -> tuple[list[Any], Any]:
    ours, theirs = nn.Linear(2, 3), torch.nn.Linear(2, 3)
    theirs.load_state_dict({k: torch.full(v.shape, 0.5) for k, v in theirs.state_dict().items()})
    ours.load_state_dict(theirs.state_dict())
    layer = ours if n is nn else theirs
    seen: list[Any] = []

    def hook(module: Any, grad_input: Any, grad_output: Any) -> Any:
        assert module is layer
        seen.append([None if g is None else g.tolist() for g in (*grad_input, *grad_output)])
        return (grad_input[0] * 2,) if change else None

    handle = layer.register_full_backward_hook(hook)
    x = tensor(X, requires_grad=requires_grad)
    ((layer(x) * tensor(W)).sum() + x.sum()).backward()
    handle.remove()
    (layer(x) * tensor(W)).sum().backward()
    grads = [None if p.grad is None else p.grad.tolist() for p in (x, *layer.parameters())]
    return seen, grads


@pytest.mark.parametrize(("requires_grad", "change"), [(True, False), (True, True), (False, False)])
@pytest.mark.filterwarnings("ignore:Full backward hook is firing:UserWarning")
def test_the_cotangents_are_torchs(requires_grad: bool, change: bool) -> None:
    ours = seen_by(nn, rg.tensor, requires_grad, change)
    theirs = seen_by(torch.nn, torch.tensor, requires_grad, change)
    assert len(ours[0]) == 1
    assert ours == theirs


def test_a_hook_is_part_of_a_compiled_step() -> None:
    layer = nn.Linear(2, 3)
    layer.register_full_backward_hook(lambda m, grads, _: (grads[0] * 10,))

    @rg.compile
    def slope(values: Any) -> Any:
        x = rg.Tensor(values, requires_grad=True)
        layer(x).sum().backward()
        return x.grad

    expected = 10 * layer.weight.numpy().sum(0, keepdims=True)
    np.testing.assert_allclose(slope(X).numpy(), expected, rtol=1e-5)


def test_two_inputs_are_told_together() -> None:
    layer = nn.Bilinear(2, 2, 1)
    seen: list[Any] = []
    layer.register_full_backward_hook(lambda m, given, out: seen.append((given, out)))
    a, b = (rg.tensor(X, requires_grad=True) for _ in range(2))
    for _ in range(2):
        layer(a, b).sum().backward()
    assert len(seen) == 2
    np.testing.assert_allclose(seen[0][0][0].numpy() + seen[1][0][0].numpy(), a.grad.numpy())
    np.testing.assert_allclose(seen[0][0][1].numpy() * 2, b.grad.numpy(), rtol=1e-6)
