"""Eigenvalue, singular value and QR decompositions, and what is read off them.

The slopes of eigenvectors and singular vectors are infinite where two values are equal, and those
of the vectors' signs are not defined: let a loss depend on neither.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import along_slope
from retrograd.ops.elementwise.powers import square
from retrograd.ops.elementwise.selection import where
from retrograd.ops.linalg.diagonals import diag_embed, tril, triu
from retrograd.ops.linalg.products import matmul
from retrograd.ops.linalg.solve import eye_like, solve_triangular, triangular_solve
from retrograd.ops.shapes.parts import concatenate
from retrograd.ops.shapes.shape import broadcast_to, unsqueeze

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "eigh",
    "eigvalsh",
    "qr",
    "svd",
    "svdvals",
]


class Eigen(NamedTuple):
    """Eigenvalues in ascending order, and the eigenvectors as columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


@primitive(single=True)
def symmetric_eigen(xp: Namespace, a: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of symmetric matrices, from the lower triangle."""
    # JAX would take the mean of both triangles.
    options = {} if xp is np else {"symmetrize_input": False}
    values, vectors = xp.linalg.eigh(a, **options)
    return values, vectors


def _gaps(values: Tensor) -> Tensor:
    """1 / (λⱼ - λᵢ), and 0 on the diagonal. Multiplied by `along_slope`: a loss of the values alone
    has a slope also where two of them are equal."""
    off = ~np.eye(values.shape[-1], dtype=bool)
    return where(off, 1 / where(off, unsqueeze(values, -2) - unsqueeze(values, -1), 1.0), 0.0)


def _through_eigen(g: tuple[Tensor, Tensor], out: tuple[Tensor, Tensor]) -> Tensor:
    """Giles 2008, 3.1: A's slope is V (diag(gλ) + F ∘ Vᵀ gV) Vᵀ, F the inverse gaps."""
    values, vectors = out
    inner = diag_embed(g[0]) + along_slope(matmul(vectors.mT, g[1]), _gaps(values))
    found = matmul(matmul(vectors, inner), vectors.mT)
    return (found + found.mT) * 0.5


symmetric_eigen.pullbacks(a=_through_eigen)


def eigh(a: Tensor, UPLO: str = "L") -> Eigen:
    """`(eigenvalues, eigenvectors)` of symmetric matrices, read from the lower or upper triangle.

    Raises ValueError for another `UPLO`.
    """
    if UPLO not in ("L", "U"):
        raise ValueError(f"eigh: UPLO {UPLO!r} is neither 'L' nor 'U'")
    return Eigen(*symmetric_eigen(a if UPLO == "L" else a.mT))


def eigvalsh(a: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric matrices, in ascending order."""
    return eigh(a, UPLO).eigenvalues


class Singular(NamedTuple):
    """A = U diag(S) Vh, with the singular values S in descending order."""

    U: Tensor
    S: Tensor
    Vh: Tensor


@primitive(single=True)
def reduced_svd(xp: Namespace, a: Array) -> tuple[Array, Array, Array]:
    """U (..., m, k), S (..., k) and Vh (..., k, n), k the smaller of m and n."""
    return tuple(xp.linalg.svd(a, full_matrices=False))


def _through_svd(g: tuple[Tensor, ...], a: Tensor, out: tuple[Tensor, ...]) -> Tensor:
    """Townsend 2016, eq. 2: the slopes of both bases turn within them and, if A is not square,
    out of them."""
    u, s, vh = out
    gu, gs, gv = g[0], g[1], g[2].mT
    v = vh.mT
    gaps = _gaps(square(s))
    turn_u = matmul(u.mT, gu)
    turn_v = matmul(v.mT, gv)
    inner = (
        diag_embed(gs)
        + along_slope(turn_u - turn_u.mT, gaps) * unsqueeze(s, -2)
        + unsqueeze(s, -1) * along_slope(turn_v - turn_v.mT, gaps)
    )
    found = matmul(matmul(u, inner), vh)
    rows, columns = u.shape[-2], v.shape[-2]
    if rows > columns:
        found = found + matmul(along_slope(gu - matmul(u, turn_u), 1 / unsqueeze(s, -2)), vh)
    elif columns > rows:
        found = found + matmul(u, along_slope(gv - matmul(v, turn_v), 1 / unsqueeze(s, -2)).mT)
    return found


reduced_svd.pullbacks(a=_through_svd)


@primitive(single=True)
def complete_bases(xp: Namespace, a: Array) -> tuple[Array, Array]:
    """What U and Vh lack to be square; without slope, since any complement is as good."""
    u, s, vh = xp.linalg.svd(a, full_matrices=True)
    k = s.shape[-1]
    return u[..., k:], vh[..., k:, :]


complete_bases.pullbacks(a=None)


def svd(a: Tensor, full_matrices: bool = True) -> Singular:
    """`(U, S, Vh)` with A = U diag(S) Vh and singular values in descending order.

    U (..., m, m) and Vh (..., n, n), or without `full_matrices` the first k = min(m, n) columns of
    U and rows of Vh, which alone have a slope.
    """
    u, s, vh = reduced_svd(a)
    if full_matrices:
        more_u, more_vh = complete_bases(a)
        u, vh = concatenate([u, more_u], -1), concatenate([vh, more_vh], -2)
    return Singular(u, s, vh)


def svdvals(a: Tensor) -> Tensor:
    """The singular values, in descending order."""
    return svd(a, full_matrices=False).S


class QR(NamedTuple):
    """A = Q R, Q with orthonormal columns and R upper triangular."""

    Q: Tensor
    R: Tensor


@primitive(single=True)
def qr_factors(xp: Namespace, a: Array, *, mode: str) -> tuple[Array, Array]:
    """Q and R, reduced or complete."""
    q, r = xp.linalg.qr(a, mode=mode)
    return q, r


def _through_qr(g: tuple[Tensor, Tensor], out: tuple[Tensor, Tensor], a: Tensor) -> Tensor:
    """Walter & Lehmann 2018, eq. 4.12: of m × n matrices with m ≥ n, and wide ones of full rank."""
    q, r = out
    gq, gr = g
    n = q.shape[-1]
    if r.shape[-1] > n:
        # Wide: the first n columns determine Q; the others are R's alone, Qᵀ times them.
        rest = a[..., n:]
        gr_rest = gr[..., n:]
        gq = gq + matmul(rest, gr_rest.mT)
        first = _through_square((gq, gr[..., :n]), (q, r[..., :n]))
        return concatenate([first, matmul(q, gr_rest)], -1)
    return _through_square(g, out)


def _through_square(g: tuple[Tensor, Tensor], out: tuple[Tensor, Tensor]) -> Tensor:
    q, r = out
    gq, gr = g
    m = matmul(r, gr.mT) - matmul(gq.mT, q)
    symmetric = tril(m) + tril(m, -1).mT
    return solve_triangular(r.mT, gq + matmul(q, symmetric), upper=False, left=False)


qr_factors.pullbacks(a=_through_qr)


def qr(a: Tensor, mode: str = "reduced") -> QR:
    """`(Q, R)` with A = Q R: "reduced" (Q as wide as it must be) or "complete" (Q square).

    The slope is defined for matrices whose first min(m, n) columns are independent, and not for
    the columns that "complete" adds to tall ones. Raises ValueError for another mode.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode {mode!r} is neither 'reduced' nor 'complete'")
    return QR(*qr_factors(a, mode=mode))


@primitive(single=True)
def cholesky_lower(xp: Namespace, a: Array) -> Array:
    """The lower triangular L with L Lᵀ = A, from A's lower triangle."""
    # JAX would take the mean of both triangles.
    return xp.linalg.cholesky(a) if xp is np else xp.linalg.cholesky(a, symmetrize_input=False)


def _through_cholesky(g: Tensor, out: Tensor) -> Tensor:
    """Murray 2016, eq. 10: A's slope is L⁻ᵀ Φ(Lᵀ G) L⁻¹, made symmetric."""
    inner = tril(matmul(out.mT, g))
    phi = inner - tril(triu(inner)) * 0.5  # Φ halves the diagonal
    left = triangular_solve(out.mT, phi + phi.mT, upper=True)
    return triangular_solve(out.mT, left.mT, upper=True) * 0.5


cholesky_lower.pullbacks(a=_through_cholesky)


def cholesky(a: Tensor, upper: bool = False) -> Tensor:
    """The triangular factor of symmetric positive definite matrices: A = L Lᵀ, or Uᵀ U if `upper`.

    Raises LinAlgError on NumPy if a matrix is not positive definite; a compiled step yields NaN.
    """
    return cholesky_lower(a.mT).mT if upper else cholesky_lower(a)


def cholesky_solve(b: Tensor, factor: Tensor, upper: bool = False) -> Tensor:
    """The X with A X = B, from A's Cholesky factor."""
    lower = factor.mT if upper else factor
    return solve_triangular(lower.mT, solve_triangular(lower, b, upper=False), upper=True)


def cholesky_inverse(factor: Tensor, upper: bool = False) -> Tensor:
    """The inverse of A, from its Cholesky factor."""
    return cholesky_solve(broadcast_to(eye_like(factor), shape=factor.shape), factor, upper)
