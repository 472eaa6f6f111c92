"""Products of matrices of fixed ranks, alone and added to something, by their BLAS names."""

from __future__ import annotations

from retrograd.autodiff.tape import Tensor
from retrograd.ops.linalg.products import matmul, outer
from retrograd.ops.reductions.sums import sum

__all__ = ["addbmm", "addmm", "addmv", "addr", "baddbmm", "bmm", "ger", "mm", "mv"]


def _ranked(name: str, *operands: tuple[Tensor, int]) -> None:
    for operand, rank in operands:
        if operand.ndim != rank:
            raise ValueError(
                f"{name}: expected {rank} axes, found the shape {tuple(operand.shape)}; matmul "
                "takes any"
            )


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """(n, k) @ (k, m) -> (n, m). Raises ValueError for other ranks."""
    _ranked("mm", (input, 2), (mat2, 2))
    return matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """(b, n, k) @ (b, k, m) -> (b, n, m). Raises ValueError for other ranks or batch sizes."""
    _ranked("bmm", (input, 3), (mat2, 3))
    if input.shape[0] != mat2.shape[0]:
        raise ValueError(
            f"bmm: the batches have {input.shape[0]} and {mat2.shape[0]} matrices; "
            "matmul broadcasts"
        )
    return matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """(n, k) @ (k,) -> (n,). Raises ValueError for other ranks."""
    _ranked("mv", (input, 2), (vec, 1))
    return matmul(input, vec)


def ger(input: Tensor, vec2: Tensor) -> Tensor:
    """Every product of an element of one vector and one of the other: `outer`."""
    return outer(input, vec2)


def _added(input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    """beta · input + alpha · product; with beta = 0 the input does not count, be it NaN."""
    product = product if alpha == 1 else alpha * product
    return product if beta == 0 else (input if beta == 1 else beta * input) + product


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """beta · input + alpha · (mat1 @ mat2)."""
    return _added(input, mm(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta · input + alpha · (mat @ vec)."""
    return _added(input, mv(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta · input + alpha · outer(vec1, vec2)."""
    return _added(input, outer(vec1, vec2), beta, alpha)


def baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """beta · input + alpha · (batch1 @ batch2), batch by batch."""
    return _added(input, bmm(batch1, batch2), beta, alpha)


def addbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Tensor:
    """beta · input + alpha · Σ (batch1 @ batch2), summed over the batch."""
    return _added(input, sum(bmm(batch1, batch2), dim=0), beta, alpha)
