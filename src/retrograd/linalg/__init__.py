"""Linear algebra by the names of `torch.linalg`."""

from __future__ import annotations

from retrograd.ops import (
    cholesky,
    cross,
    det,
    diagonal,
    eigh,
    eigvalsh,
    inv,
    lstsq,
    matmul,
    matrix_exp,
    matrix_norm,
    matrix_power,
    multi_dot,
    pinv,
    qr,
    slogdet,
    solve,
    solve_triangular,
    svd,
    svdvals,
    vander,
    vecdot,
)
from retrograd.ops import condition_number as cond
from retrograd.ops import norm as _vector_norm
from retrograd.ops import sum as _sum
from retrograd.tensor import Tensor

__all__ = [
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "vander",
    "vecdot",
    "vector_norm",
]

Dim = int | tuple[int, ...] | None


def vector_norm(x: Tensor, ord: float = 2, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The norm (Σ |x|^ord)^(1/ord) over `dim`, of all elements by default."""
    return _vector_norm(x, ord, dim, keepdim)


def norm(
    A: Tensor, ord: float | str | None = None, dim: Dim = None, keepdim: bool = False
) -> Tensor:
    """The 2-norm of all elements; with `ord` the norm of a vector or of matrices.

    Two axes in `dim`, or without it a matrix, have a matrix norm; see `matrix_norm`.
    """
    axes = (dim,) if isinstance(dim, int) else dim
    if ord is None:
        return vector_norm(A, 2, dim, keepdim)
    if isinstance(ord, str) or len(axes or range(A.ndim)) == 2:
        return matrix_norm(A, ord, tuple(axes or (-2, -1)), keepdim)
    return vector_norm(A, ord, dim, keepdim)


def matrix_rank(A: Tensor, *, atol: float | None = None, rtol: float | None = None) -> Tensor:
    """How many singular values are larger than max(atol, rtol · the largest), (..., n, m) -> (...).

    By default `rtol` is max(n, m) times the dtype's precision, or 0 if `atol` is given.
    """
    from retrograd.dtypes import finfo

    values = svdvals(A)
    if rtol is None:
        rtol = 0.0 if atol else max(A.shape[-2:]) * float(finfo(A.dtype).eps)
    limit = (values[..., :1] * rtol).clamp(min=atol or 0.0)
    return _sum((values > limit).astype("int64"), dim=-1)
