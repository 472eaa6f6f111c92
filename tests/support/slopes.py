"""Gradients of a sum, for tests of single rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

import retrograd as rg
from retrograd import ops


def gradient(function, *values, dtype="float64"):
    """The gradients of the sum of `function`, eagerly; compiled they must be equal."""
    found = []
    for run in (lambda f: f, rg.compile):
        pull = run(rg.grad(lambda *x: function(*x).sum(), tuple(range(len(values)))))
        slopes = pull(*(rg.Tensor(np.asarray(v, dtype)) for v in values))
        found.append([slope.numpy() for slope in slopes])
    for eager, compiled in zip(*found, strict=True):
        assert (eager.shape, eager.dtype) == (compiled.shape, compiled.dtype)
        np.testing.assert_allclose(compiled, eager, rtol=1e-6)
    return found[0] if len(values) > 1 else found[0][0]


def second(function, value):
    """d²/dx² of an elementwise function."""
    return rg.grad(lambda x: rg.grad(lambda x: function(x).sum())(x).sum())(
        rg.Tensor(np.asarray(value, np.float64))
    ).numpy()


def torchs(function, *values):
    leaves = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in values]
    slopes = torch.autograd.grad(function(*leaves).sum(), leaves)
    return [slope.numpy() for slope in slopes] if len(values) > 1 else slopes[0].numpy()


def slope(function: Any, *values: Any, compiled: bool = False) -> np.ndarray[Any, Any]:
    """The gradient of the sum of `function(*values)` with respect to the first value."""

    def step(first: Any, *rest: Any) -> Any:
        return rg.grad(lambda x: ops.sum(function(x, *rest)))(first)

    run = rg.compile(step) if compiled else step
    return run(*(rg.Tensor(value) for value in values)).numpy()
