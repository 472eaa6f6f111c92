"""Exponentials of many elements, normalized so that nothing overflows."""

from __future__ import annotations

import math

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.exponential import exp
from retrograd.ops.elementwise.selection import where
from retrograd.ops.reductions.sums import Dim, axes, kept, sum

__all__ = ["log_softmax", "logsumexp", "softmax"]


def _largest(xp: Namespace, x: Array, dim: Dim) -> Array:
    """The maximum over `dim`, with 0 where it is infinite (so that inf - inf is never formed)."""
    folded = axes(dim, x.ndim)
    if any(x.shape[axis] == 0 for axis in folded):
        return xp.zeros([1 if i in folded else n for i, n in enumerate(x.shape)], x.dtype)
    top = xp.max(x, axis=folded, keepdims=True)
    return xp.where(xp.isfinite(top), top, xp.zeros_like(top))


def _floats(x: Array) -> Array:
    """Integers as float32: those without a sign cannot be moved below 0."""
    return x if x.dtype.kind in "fV" else x.astype(np.float32)


@primitive(single=True)
def logsumexp(xp: Namespace, x: Array, *, dim: Dim = None, keepdim: bool = False) -> Array:
    """log(sum(exp(x))) over `dim`."""
    x, folded = _floats(x), axes(dim, x.ndim)
    top = _largest(xp, x, dim)
    out = xp.log(xp.sum(xp.exp(x - top), axis=folded, keepdims=True)) + top
    return out if keepdim else xp.squeeze(out, axis=folded)


def _softmax_of(g: Tensor, x: Tensor, out: Tensor, dim: Dim, keepdim: bool) -> Tensor:
    """exp(x - out), and 0 where all of x is -inf, which would give inf - inf."""
    total = kept(where(out == -math.inf, 0.0, out), x.shape, dim, keepdim)
    return kept(g, x.shape, dim, keepdim) * exp(x - total)


logsumexp.pullbacks(x=_softmax_of)


@primitive(single=True)
def softmax(xp: Namespace, x: Array, *, dim: int = -1) -> Array:
    """exp(x) / sum(exp(x)) along `dim`."""
    x = _floats(x)
    raised = xp.exp(x - _largest(xp, x, dim))
    return raised / xp.sum(raised, axis=axes(dim, x.ndim), keepdims=True)


softmax.pullbacks(
    x=lambda g, out, dim: out * (g - sum(g * out, dim=dim, keepdim=True)),
)


@primitive(single=True)
def log_softmax(xp: Namespace, x: Array, *, dim: int = -1) -> Array:
    """x - logsumexp(x) along `dim`."""
    x = _floats(x)
    shifted = x - _largest(xp, x, dim)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=axes(dim, x.ndim), keepdims=True))


log_softmax.pullbacks(
    x=lambda g, out, dim: g - exp(out) * sum(g, dim=dim, keepdim=True),
)
