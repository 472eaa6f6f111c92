"""PyTorch as the oracle: values, gradients and gradients of gradients of the same call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

import retrograd as rg
from retrograd import ops


class Call(NamedTuple):
    """`ours(*arrays)` must be `theirs(*arrays)`; the arrays have `shapes`."""

    ours: Callable[..., Any]
    theirs: Callable[..., Any]
    shapes: Sequence[tuple[int, ...]]
    name: str


def call(function: Callable[..., Any], *shapes: tuple[int, ...], **options: Any) -> Call:
    """The function of the same name in `torch.nn.functional`, with the same options."""
    theirs = getattr(torch.nn.functional, function.__name__)
    told = ", ".join([*map(str, shapes), *(f"{k}={v}" for k, v in options.items())])
    return Call(
        lambda *xs: function(*xs, **options),
        lambda *xs: theirs(*xs, **options),
        shapes,
        f"{function.__name__}({told})",
    )


def inputs(each: Call) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.uniform(-1, 1, shape) for shape in each.shapes]


def weights(shape: Sequence[int], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.5, 1.5, tuple(shape))


def expected(each: Call) -> list[np.ndarray]:
    """The value, the first gradients, and the gradients of those, weighed, in float64."""
    xs = [torch.tensor(x, requires_grad=True) for x in inputs(each)]
    out = each.theirs(*xs)
    first = torch.autograd.grad(
        (out * out * torch.tensor(weights(out.shape, 1))).sum(), xs, create_graph=True
    )
    total = sum((g * torch.tensor(weights(g.shape, 2))).sum() for g in first)
    second = torch.autograd.grad(total, xs)
    return [x.detach().numpy() for x in (out, *first, *second)]


def found(each: Call, *xs: Any) -> list[rg.Tensor]:
    """The same from ours, in the dtype of `xs`. Squared, so that the output matters twice."""
    dtype = xs[0].dtype
    places = tuple(range(len(xs)))

    def weighed(*points: Any) -> tuple[rg.Tensor, rg.Tensor]:
        out = each.ours(*points)
        return ops.sum(out * out * weights(out.shape, 1).astype(dtype)), out

    def slopes(*points: Any) -> tuple[rg.Tensor, Any]:
        first, out = rg.grad(weighed, places, has_aux=True)(*points)
        total = sum((g * weights(g.shape, 2).astype(dtype)).sum() for g in first)
        return total, (out, *first)

    second, before = rg.grad(slopes, places, has_aux=True)(*xs)
    return [*before, *second]


def check_eager(each: Call) -> None:
    """To 1e-10 in float64 on NumPy."""
    for mine, theirs in zip(found(each, *inputs(each)), expected(each), strict=True):
        assert isinstance(mine.data, np.ndarray)
        np.testing.assert_allclose(mine.numpy(), theirs, rtol=1e-10, atol=1e-10)


def check_compiled(calls: Sequence[Call]) -> None:
    """To float32's precision, all in one program: compiling is what takes the time."""

    def run(arrays: Any) -> Any:
        return [found(each, *xs) for each, xs in zip(calls, arrays, strict=True)]

    arrays = [[x.astype(np.float32) for x in inputs(each)] for each in calls]
    for each, results in zip(calls, rg.compile(run)(arrays), strict=True):
        for mine, theirs in zip(results, expected(each), strict=True):
            assert mine.dtype == np.float32
            scale = max(1.0, float(np.abs(theirs).max(initial=0)))
            np.testing.assert_allclose(
                mine.numpy() / scale, theirs / scale, rtol=0, atol=5e-6, err_msg=each.name
            )
