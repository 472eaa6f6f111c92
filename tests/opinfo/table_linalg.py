"""Entries of linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from opinfo.compare import Case
from opinfo.database import Sample
from opinfo.helpers import expressed, first, named
from retrograd import ops

__all__ = ["TABLE"]

AT_ZERO = "the second derivative of a norm at zero: NaN there, 0 here"


def _added(product: Any) -> Any:
    """beta * x + alpha * product."""

    def called(x: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1) -> Any:
        return x * beta + product(a, b) * alpha

    return called


def _summed_batch(a: Any, b: Any) -> Any:
    return ops.sum(ops.matmul(a, b), dim=0)


def _cross(x: Any, y: Any, dim: Any = -1) -> Any:
    return ops.cross(x, y, dim)


def _linalg_norm(
    x: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Any:
    x = x if dtype is None else x.astype(dtype)
    if ord is None:
        flat = x.reshape(-1) if dim is None and not keepdim else x
        return ops.norm(flat, 2, dim, keepdim)
    if dim is None:
        dim = tuple(range(x.ndim))
    if isinstance(dim, tuple | list) and len(dim) == 2:
        return ops.matrix_norm(x, ord, dim, keepdim)
    return ops.norm(x, ord, dim, keepdim)


def _norm(x: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """`torch.norm`, where only "nuc" is a norm of matrices."""
    x = x if dtype is None else x.astype(dtype)
    if p == "nuc":
        return ops.matrix_norm(x, "nuc", tuple(range(x.ndim)) if dim is None else dim, keepdim)
    return ops.norm(x, 2 if p in ("fro", None) else p, dim, keepdim)


def _matrix_norm(
    x: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, dtype: Any = None
) -> Any:
    return ops.matrix_norm(x if dtype is None else x.astype(dtype), ord, dim, keepdim)


def _cholesky_inverse(a: Any, upper: bool = False) -> Any:
    """PyTorch's gradient check sets the diagonal to ones first."""
    eye = np.eye(a.shape[-1], dtype=a.dtype)
    return ops.cholesky_inverse(a * (1 - eye) + eye, upper)


def _solve_ex(a: Any, b: Any, *, left: bool = True, check_errors: bool = False) -> Any:
    return ops.solve(a, b, left)


def _inv_ex(a: Any, *, check_errors: bool = False) -> Any:
    return ops.inv(a)


def _triangular_solve(
    b: Any, a: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    a, upper = (a.mT, not upper) if transpose else (a, upper)
    return ops.solve_triangular(a, b, upper, unitriangular=unitriangular)


def _solve_triangular(
    a: Any, b: Any, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Any:
    return ops.solve_triangular(a, b, upper, left, unitriangular)


def _tensorinv(a: Any, ind: int = 2) -> Any:
    n = int(np.prod(a.shape[ind:]))
    return ops.inv(a.reshape(n, n)).reshape(*a.shape[ind:], *a.shape[:ind])


def _tensorsolve(a: Any, b: Any, dims: Any = None) -> Any:
    if dims is not None:
        a = ops.movedim(a, tuple(dims), tuple(range(a.ndim - len(dims), a.ndim)))
    shape = a.shape[b.ndim :]
    n = b.numel()
    return ops.solve(a.reshape(n, n), b.reshape(-1)).reshape(shape)


def _pinv(a: Any, *args: Any, hermitian: bool = False, rcond: Any = None, **options: Any) -> Any:
    rtol = options.get("rtol", rcond)
    return ops.pinv(a, rtol)


def _pinv_singular(a: Any, b: Any) -> Any:
    return ops.pinv(a @ b.mT, 1e-5)


def _lstsq(a: Any, b: Any, driver: Any = None) -> Any:
    return ops.lstsq(a, b)


def _cdist(x: Any, y: Any, p: float = 2.0, compute_mode: Any = None) -> Any:
    return ops.norm(x[..., :, None, :] - y[..., None, :, :], p, -1)


def _einsum(tensors: Any, equation: str) -> Any:
    return ops.einsum(equation, *tensors)


def _tensor_tolerance(sample: Sample) -> str | None:
    if isinstance(sample.kwargs.get("rtol"), torch.Tensor):
        return "a tolerance for each matrix; ours is one number"
    return None


TABLE: dict[str, Case] = {
    "matmul": named(ops.matmul),
    "__rmatmul__": expressed(lambda x, y: y @ x, "y @ x"),
    "mm": named(ops.matmul),
    "mv": named(ops.matmul),
    "bmm": named(ops.matmul),
    "dot": named(ops.dot),
    "vdot": named(ops.dot),
    "inner": named(ops.inner),
    "outer": named(ops.outer),
    "linalg.vecdot": expressed(lambda x, y, dim=-1: ops.vecdot(x, y, dim), "vecdot"),
    "tensordot": named(ops.tensordot),
    "einsum": expressed(_einsum, "einsum"),
    "kron": named(ops.kron),
    "cross": expressed(_cross, "cross"),
    "linalg.cross": expressed(_cross, "cross"),
    "trace": named(ops.trace),
    "linalg.multi_dot": named(ops.multi_dot),
    "linalg.vander": named(ops.vander),
    "addmm": expressed(_added(ops.matmul), "x * beta + a @ b * alpha"),
    "addmm.decomposed": expressed(_added(ops.matmul), "x * beta + a @ b * alpha"),
    "addmv": expressed(_added(ops.matmul), "x * beta + a @ b * alpha"),
    "addbmm": expressed(_added(_summed_batch), "x * beta + sum(a @ b, 0) * alpha"),
    "baddbmm": expressed(_added(ops.matmul), "x * beta + a @ b * alpha"),
    "addr": expressed(_added(ops.outer), "x * beta + outer(a, b) * alpha"),
    "nn.functional.linear": named(ops.linear),
    "cdist": expressed(_cdist, "norm(x[:, None] - y, p, -1)"),
    "norm": expressed(_norm, "norm"),
    "norm.fro": expressed(_norm, "norm"),
    "norm.inf": expressed(_norm, "norm"),
    "norm.nuc": expressed(_norm, "matrix_norm"),
    "linalg.norm": expressed(_linalg_norm, "norm, matrix_norm", nan_there=AT_ZERO),
    "linalg.norm.subgradients_at_zero": expressed(
        _linalg_norm, "norm, matrix_norm", nan_there=AT_ZERO
    ),
    "linalg.matrix_norm": expressed(_matrix_norm, "matrix_norm"),
    "linalg.cond": named(ops.condition_number),
    "linalg.solve": expressed(_solve_ex, "solve"),
    "linalg.solve_ex": expressed(_solve_ex, "solve", theirs=first),
    "linalg.solve_triangular": expressed(_solve_triangular, "solve_triangular"),
    "triangular_solve": expressed(_triangular_solve, "solve_triangular", theirs=first),
    "linalg.inv": named(ops.inv),
    "linalg.inv_ex": expressed(_inv_ex, "inv", theirs=first),
    "linalg.pinv": expressed(_pinv, "pinv", skip=_tensor_tolerance),
    "linalg.pinv.hermitian": expressed(
        lambda a, **options: _pinv(a + a.mT, **options), "pinv(a + a.mT)", wrapped=True
    ),
    "linalg.pinv.singular": expressed(_pinv_singular, "pinv(a @ b.mT)"),
    "pinverse": expressed(_pinv, "pinv"),
    "linalg.lstsq": expressed(_lstsq, "lstsq", theirs=first),
    "linalg.lstsq.grad_oriented": expressed(_lstsq, "lstsq", theirs=first),
    "linalg.matrix_power": named(ops.matrix_power),
    "matrix_exp": named(ops.matrix_exp),
    "linalg.det": named(ops.det),
    "linalg.slogdet": named(ops.slogdet),
    "logdet": named(ops.logdet),
    "cholesky": named(ops.cholesky),
    "linalg.cholesky": expressed(lambda a, *, upper=False: ops.cholesky(a, upper), "cholesky"),
    "linalg.cholesky_ex": expressed(
        lambda a, *, upper=False, check_errors=False: ops.cholesky(a, upper),
        "cholesky",
        theirs=first,
    ),
    "cholesky_inverse": expressed(_cholesky_inverse, "cholesky_inverse", wrapped=True),
    "cholesky_solve": named(ops.cholesky_solve, wrapped=True),
    "linalg.eigh": named(ops.eigh),
    "linalg.eigvalsh": named(ops.eigvalsh),
    "linalg.svd": named(ops.svd),
    "linalg.svdvals": named(ops.svdvals),
    "linalg.qr": named(ops.qr),
    "qr": expressed(lambda a, some=True: ops.qr(a, "reduced" if some else "complete"), "qr"),
    "linalg.tensorinv": expressed(_tensorinv, "inv(a.reshape(n, n))"),
    "linalg.tensorsolve": expressed(_tensorsolve, "solve(a.reshape(n, n), b)"),
}
