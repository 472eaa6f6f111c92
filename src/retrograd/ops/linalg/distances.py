"""Distances between vectors, all pairs of them."""

from __future__ import annotations

import numpy as np

from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.selection import where
from retrograd.ops.reductions.norms import norm
from retrograd.ops.shapes.shape import broadcast_to, reshape, unsqueeze

__all__ = ["cdist", "dist", "pdist", "renorm"]


def cdist(x1: Tensor, x2: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distance of every row of x1 to every row of x2: (..., n, k), (..., m, k) ->
    (..., n, m).

    The slope at distance 0 is 0.
    """
    return norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, dim=-1)


def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """The p-norm distances of the pairs of rows i < j, (n, k) -> (n (n - 1) / 2,)."""
    first, second = np.triu_indices(input.shape[0], 1)
    return norm(input[first] - input[second], p, dim=-1)


def dist(input: Tensor, other: Tensor, p: float = 2) -> Tensor:
    """The p-norm of all of input - other."""
    return norm(input - other, p)


def renorm(input: Tensor, p: float, dim: int, maxnorm: float) -> Tensor:
    """`input` whose slices along `dim` are scaled down to a p-norm of at most `maxnorm`."""
    rest = tuple(d for d in range(input.ndim) if d != dim % input.ndim)
    norms = norm(input, p, dim=rest, keepdim=True)
    large = norms > maxnorm
    scale = where(large, maxnorm / (where(large, norms, 1.0) + 1e-7), 1.0)
    return input * broadcast_to(reshape(scale, shape=norms.shape), shape=input.shape)
