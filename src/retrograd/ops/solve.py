"""Systems of linear equations, inverses and determinants; matrices are the last two axes.

The rules are those of Giles 2008, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation", written for batches.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff import tape
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise import where
from retrograd.ops.linalg import matmul
from retrograd.ops.rearrange import tril, triu
from retrograd.ops.reduce import sum
from retrograd.ops.shape import broadcast_to, squeeze, unsqueeze

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
    "det",
    "inv",
    "logdet",
    "lstsq",
    "matrix_exp",
    "matrix_power",
    "pinv",
    "slogdet",
    "solve",
    "solve_triangular",
]


def eye_like(a: Tensor) -> Tensor:
    """The identity of the size and dtype of the square matrices in `a`."""
    return tape.tensor_type(np.eye(a.shape[-1], dtype=a.dtype))


# Equations ----------------------------------------------------------------------------------------


@primitive
def solve_matrix(xp: Namespace, a: Array, b: Array) -> Array:
    """The X with A X = B, (..., n, n), (..., n, k) -> (..., n, k)."""
    return xp.linalg.solve(a, b)


solve_matrix.pullbacks(
    a=lambda g, a, out: -matmul(solve_matrix(a.mT, g), out.mT),  # dA = -A⁻ᵀ G Xᵀ
    b=lambda g, a: solve_matrix(a.mT, g),  # dB = A⁻ᵀ G
)


def solve(a: Tensor, b: Tensor, left: bool = True) -> Tensor:
    """The X with A X = B (or X A = B): (..., n, n), (..., n, k) -> (..., n, k), batches broadcast.

    `b` may be a vector, or a batch of vectors of exactly `a`'s batch. Raises LinAlgError on NumPy
    if a matrix is singular; a compiled step then yields infinities or NaN.
    """
    if b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1]):
        return squeeze(solve(a, unsqueeze(b, -1), left), -1)
    if not left:
        return solve(a.mT, b.mT).mT
    return solve_matrix(*_one_batch(a, b))


def _one_batch(*matrices: Tensor) -> list[Tensor]:
    """The matrices with their leading axes broadcast against each other."""
    lead = np.broadcast_shapes(*(matrix.shape[:-2] for matrix in matrices))
    return [broadcast_to(matrix, shape=(*lead, *matrix.shape[-2:])) for matrix in matrices]


@primitive
def triangular_solve(xp: Namespace, a: Array, b: Array, *, upper: bool) -> Array:
    """The X with A X = B for triangular matrices of one batch shape."""
    if xp is np:
        return xp.linalg.solve(a, b)
    import jax.scipy.linalg

    return jax.scipy.linalg.solve_triangular(a, b, lower=not upper)


def _triangle(a: Tensor, upper: bool) -> Tensor:
    return triu(a) if upper else tril(a)


triangular_solve.pullbacks(
    a=lambda g, a, out, upper: (
        -_triangle(matmul(triangular_solve(a.mT, g, upper=not upper), out.mT), upper)
    ),
    b=lambda g, a, upper: triangular_solve(a.mT, g, upper=not upper),
)


def solve_triangular(
    a: Tensor, b: Tensor, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """The X with A X = B (or X A = B), where only one triangle of A counts.

    With `unitriangular` its diagonal counts as ones.
    """
    if not left:
        return solve_triangular(a.mT, b.mT, not upper, True, unitriangular).mT
    if unitriangular:
        a = (triu(a, 1) if upper else tril(a, -1)) + eye_like(a)
    else:
        a = _triangle(a, upper)
    solved: Tensor = triangular_solve(*_one_batch(a, b), upper=upper)
    return solved


def inv(a: Tensor) -> Tensor:
    """The inverse of square matrices."""
    return solve_matrix(a, broadcast_to(eye_like(a), shape=a.shape))


@primitive
def pinv_full(xp: Namespace, a: Array, *, rcond: float) -> Array:
    """The pseudoinverse; singular values up to `rcond` times the largest count as 0."""
    return xp.linalg.pinv(a, rcond)


def _through_pinv(g: Tensor, a: Tensor, out: Tensor) -> Tensor:
    """Golub & Pereyra 1973, eq. 4.12, transposed: right as long as the rank stays the same."""
    within = -matmul(matmul(out.mT, g), out.mT)
    # What moves the row space, and what moves the column space.
    rows = matmul(matmul(out.mT, out), g.mT)
    columns = matmul(g.mT, matmul(out, out.mT))
    return (
        within + (rows - matmul(matmul(rows, out), a)) + (columns - matmul(a, matmul(out, columns)))
    )


pinv_full.pullbacks(a=_through_pinv)


def pinv(a: Tensor, rtol: float | None = None) -> Tensor:
    """The Moore-Penrose pseudoinverse, (..., n, m) -> (..., m, n).

    Singular values up to `rtol` times the largest count as 0: by default max(n, m) times the
    precision of the dtype. The slope is that of matrices of the same rank.
    """
    if rtol is None:
        rtol = max(a.shape[-2:]) * float(np.finfo(a.dtype).eps)
    inverse: Tensor = pinv_full(a, rcond=rtol)
    return inverse


def lstsq(a: Tensor, b: Tensor) -> Tensor:
    """The X of least ‖A X - B‖, and of those the one of least norm."""
    return matmul(pinv(a), b)


# Powers -------------------------------------------------------------------------------------------


def matrix_power(a: Tensor, n: int) -> Tensor:
    """`a` multiplied by itself `n` times; the inverse's power for a negative n."""
    if n < 0:
        return matrix_power(inv(a), -n)
    result = broadcast_to(eye_like(a), shape=a.shape) if n == 0 else None
    while n:
        if n % 2:
            result = a if result is None else matmul(result, a)
        n //= 2
        if n:
            a = matmul(a, a)
    assert result is not None
    return result


# The coefficients of Padé's approximant of order 13 (Higham 2005, table 2.3).
_PADE = (
    *(64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0),
    *(129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0),
    *(1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0),
)


def matrix_exp(a: Tensor) -> Tensor:
    """The exponential of square matrices, by scaling and squaring (Higham 2005).

    Always scaled by 2⁸, so that a compiled step needs no norm: right for ‖A‖₁ up to about 1000.
    """
    squarings = 8
    one = broadcast_to(eye_like(a), shape=a.shape)
    small = a / 2**squarings
    square = matmul(small, small)
    power, odd, even = one, one * 0, one * 0
    for k in range(0, 14, 2):
        even = even + power * (_PADE[k] / _PADE[0])
        odd = odd + power * (_PADE[k + 1] / _PADE[0])
        power = matmul(power, square)
    odd = matmul(small, odd)
    result = solve(even - odd, even + odd)
    for _ in range(squarings):
        result = matmul(result, result)
    return result


# Determinants -------------------------------------------------------------------------------------


@primitive
def det(xp: Namespace, a: Array) -> Array:
    """The determinants of square matrices, (..., n, n) -> (...)."""
    return xp.linalg.det(a)


@primitive
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


@primitive
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


# Cholesky -----------------------------------------------------------------------------------------


@primitive
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
