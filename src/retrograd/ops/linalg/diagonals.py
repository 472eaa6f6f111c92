"""Diagonals and triangles of matrices."""

from __future__ import annotations

import builtins

import numpy as np

from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.selection import where
from retrograd.ops.shapes.parts import concatenate, pad_constant
from retrograd.ops.shapes.shape import axis, movedim, permute, reshape, unsqueeze

__all__ = ["block_diag", "diag_embed", "diagonal", "tril", "triu"]


def diagonal(x: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal over two axes, `offset` above the main one, as a new last axis."""
    dim1, dim2 = axis(dim1, x.ndim), axis(dim2, x.ndim)
    if dim1 == dim2:
        raise ValueError(f"diagonal: dim1 and dim2 are the same axis, {dim1}")
    rest = [d for d in range(x.ndim) if d not in (dim1, dim2)]
    moved = permute(x, dims=(*rest, dim1, dim2))
    rows, columns = moved.shape[-2:]
    top, left = builtins.max(-offset, 0), builtins.max(offset, 0)
    n = builtins.max(builtins.min(rows - top, columns - left), 0)
    square = moved[..., top : top + n, left : left + n]
    # In a square laid out flat, neighbors on the diagonal are n + 1 apart.
    return reshape(square, shape=(*square.shape[:-2], n * n))[..., :: n + 1]


def diag_embed(x: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Matrices over two new axes, zero but for the last axis of `x` on their diagonal."""
    n = x.shape[-1]
    lead = tuple(x.shape[:-1])
    none = ((0, 0),) * len(lead)
    # Each element with n zeros after it: laid out flat, they are n + 1 apart.
    spaced = pad_constant(unsqueeze(x, -1), widths=(*none, (0, 0), (0, n)))
    flat = reshape(spaced, shape=(*lead, n * (n + 1)))
    square = reshape(flat[..., : n * n], shape=(*lead, n, n))
    below, above = builtins.max(-offset, 0), builtins.max(offset, 0)
    placed = pad_constant(square, widths=(*none, (below, above), (above, below)))
    return movedim(placed, (-2, -1), (dim1, dim2))


def _triangle(x: Tensor, diagonal: int) -> np.ndarray:
    if x.ndim < 2:
        raise ValueError(f"expected matrices on the last two axes, found shape {tuple(x.shape)}")
    rows, columns = x.shape[-2:]
    return np.tri(rows, columns, diagonal, dtype=bool)


def tril(x: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two axes, up to `diagonal`; 0 above."""
    return where(_triangle(x, diagonal), x, np.zeros((), x.dtype))


def triu(x: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two axes, from `diagonal` on; 0 below."""
    return where(_triangle(x, diagonal - 1), np.zeros((), x.dtype), x)


def block_diag(*tensors: Tensor) -> Tensor:
    """The matrices along the diagonal of one large matrix; a vector counts as a row."""
    matrices = [
        reshape(x, shape=(1, x.shape[0] if x.ndim else 1)) if x.ndim < 2 else x for x in tensors
    ]
    width = builtins.sum(x.shape[1] for x in matrices)
    rows = []
    start = 0
    for x in matrices:
        end = start + x.shape[1]
        rows.append(pad_constant(x, widths=((0, 0), (start, width - end))))
        start = end
    return concatenate(rows, 0)
