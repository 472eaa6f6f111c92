"""Systems of linear equations and inverses; matrices are the last two axes.

The rules are those of Giles 2008, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation", written for batches.
"""

from __future__ import annotations

import numpy as np

from retrograd.arrays import Array, Namespace, limits
from retrograd.autodiff import tape
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.linalg.diagonals import tril, triu
from retrograd.ops.linalg.products import matmul
from retrograd.ops.shapes.shape import broadcast_to, squeeze, unsqueeze

__all__ = ["inv", "lstsq", "pinv", "solve", "solve_triangular"]


def eye_like(a: Tensor) -> Tensor:
    """The identity of the size and dtype of the square matrices in `a`."""
    return tape.tensor_type(np.eye(a.shape[-1], dtype=a.dtype))


@primitive(single=True)
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


@primitive(single=True)
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


@primitive(single=True)
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
        rtol = max(a.shape[-2:]) * float(limits(a.dtype).eps)
    inverse: Tensor = pinv_full(a, rcond=rtol)
    return inverse


def lstsq(a: Tensor, b: Tensor) -> Tensor:
    """The X of least ‖A X - B‖, and of those the one of least norm."""
    return matmul(pinv(a), b)
