"""Determinants and their logarithms."""

from __future__ import annotations

import math
from typing import NamedTuple

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.selection import where
from retrograd.ops.linalg.products import matmul
from retrograd.ops.linalg.solve import inv
from retrograd.ops.reductions.sums import sum
from retrograd.ops.shapes.shape import unsqueeze

__all__ = ["det", "logdet", "slogdet"]


@primitive(single=True)
def det(xp: Namespace, a: Array) -> Array:
    """The determinants of square matrices, (..., n, n) -> (...)."""
    return xp.linalg.det(a)


@primitive(single=True)
def cofactors(xp: Namespace, a: Array) -> Array:
    """The slope of the determinant, det(A) A⁻ᵀ, also of singular matrices.

    U diag(product of the other singular values) Vᵀ, with the sign of det(U) det(V).
    """
    n = a.shape[-1]
    u, s, vh = xp.linalg.svd(a)
    others = xp.where(xp.eye(n, dtype=bool), 1, s[..., None, :])
    sign = xp.linalg.det(u) * xp.linalg.det(vh)
    return xp.matmul(u * (sign[..., None] * xp.prod(others, axis=-1))[..., None, :], vh)


def _through_cofactors(g: Tensor, a: Tensor, out: Tensor) -> Tensor:
    """⟨G, A⁻ᵀ⟩ C - A⁻ᵀ Gᵀ C for C = det(A) A⁻ᵀ, of matrices that have an inverse."""
    inverse = inv(a).mT
    along = sum(g * inverse, dim=(-2, -1), keepdim=True)
    return out * along - matmul(matmul(inverse, g.mT), out)


det.pullbacks(a=lambda g, a: unsqueeze(unsqueeze(g, -1), -1) * cofactors(a))
cofactors.pullbacks(a=_through_cofactors)


class LogDeterminant(NamedTuple):
    """The sign of a determinant, and the logarithm of its absolute value."""

    sign: Tensor
    logabsdet: Tensor


@primitive(single=True)
def log_determinant(xp: Namespace, a: Array) -> tuple[Array, Array]:
    """The sign of the determinant and the logarithm of its absolute value."""
    sign, logarithm = xp.linalg.slogdet(a)
    return xp.asarray(sign), xp.asarray(logarithm)


log_determinant.pullbacks(a=lambda g, a: unsqueeze(unsqueeze(g[1], -1), -1) * inv(a).mT)


def slogdet(a: Tensor) -> LogDeterminant:
    """`(sign, logabsdet)` of the determinants of square matrices, without overflow."""
    return LogDeterminant(*log_determinant(a))


def logdet(a: Tensor) -> Tensor:
    """log det A; NaN where the determinant is negative, -inf where it is 0."""
    sign, logarithm = slogdet(a)
    return where(sign < 0, math.nan, logarithm)
