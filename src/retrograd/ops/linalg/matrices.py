"""Matrices from vectors and back."""

from __future__ import annotations

from retrograd.autodiff.tape import Tensor
from retrograd.ops.linalg import diagonals
from retrograd.ops.shapes.shape import reshape

__all__ = ["diag", "diagflat"]


def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector as a diagonal matrix, or the diagonal of a matrix; `diagonal` above the main one.

    Raises ValueError for other ranks.
    """
    if input.ndim == 1:
        return diagonals.diag_embed(input, diagonal)
    if input.ndim == 2:
        return diagonals.diagonal(input, diagonal)
    raise ValueError(
        f"diag: expected a vector or a matrix, found the shape {tuple(input.shape)}; diagonal and "
        "diag_embed work on batches"
    )


def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """All elements as the diagonal of one matrix."""
    return diagonals.diag_embed(reshape(input, shape=(-1,)), offset)
