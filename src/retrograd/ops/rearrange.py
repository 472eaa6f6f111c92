"""Operations over `shape.py`'s that move, repeat, cut and lay out elements."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence

import numpy as np

from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise import where
from retrograd.ops.index import getitem, take
from retrograd.ops.shape import (
    broadcast_to,
    concatenate,
    flip,
    pad_constant,
    permute,
    reshape,
    split,
    squeeze,
    transpose,
    unsqueeze,
)

__all__ = [
    "block_diag",
    "chunk",
    "diag_embed",
    "diagonal",
    "meshgrid",
    "movedim",
    "narrow",
    "repeat_interleave",
    "roll",
    "rot90",
    "select",
    "tensor_split",
    "tile",
    "tril",
    "triu",
    "unbind",
    "unflatten",
    "unfold",
]

Dims = int | Sequence[int]


def _along(dim: int, index: object) -> tuple[object, ...]:
    """The index that applies `index` to axis `dim` and keeps the axes before it whole."""
    return (*(slice(None),) * dim, index)


# Parts --------------------------------------------------------------------------------------------


def select(x: Tensor, dim: int, index: int) -> Tensor:
    """The slice at `index` along `dim`, without that axis."""
    return getitem(x, _along(dim % x.ndim, index))


def narrow(x: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` elements along `dim` from `start` on."""
    dim %= x.ndim
    start = start + x.shape[dim] if start < 0 else start
    return getitem(x, _along(dim, slice(start, start + length)))


def unbind(x: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, each without that axis."""
    return tuple(squeeze(part, dim) for part in split(x, 1, dim)) if x.shape[dim] else ()


def chunk(x: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` parts of equal size along `dim`; the last may be smaller."""
    return split(x, builtins.max(-(-x.shape[dim] // chunks), 1), dim)


def tensor_split(
    x: Tensor, indices_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Parts along `dim`: so many of nearly equal size, or cut before each index listed."""
    n = x.shape[dim]
    if isinstance(indices_or_sections, int):
        size, larger = divmod(n, indices_or_sections)
        sizes = [size + (i < larger) for i in range(indices_or_sections)]
        cuts = np.cumsum(sizes).tolist()[:-1]
    else:
        cuts = [int(i) for i in indices_or_sections]
    edges = [slice(a, b) for a, b in zip([None, *cuts], [*cuts, None], strict=True)]
    return tuple(getitem(x, _along(dim % x.ndim, edge)) for edge in edges)


def unfold(x: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Every window of `size` elements along an axis, `step` apart, laid out on a new last axis."""
    if x.ndim == 0:
        return getitem(reshape(x, shape=(1,)), slice(0, size))
    dimension %= x.ndim
    starts = np.arange(0, x.shape[dimension] - size + 1, step)
    windows = take(x, starts[:, None] + np.arange(size), dimension)
    return movedim(windows, dimension + 1, -1)


# Axes ---------------------------------------------------------------------------------------------


def movedim(x: Tensor, source: Dims, destination: Dims) -> Tensor:
    """The axes `source` at the positions `destination`; the others stay in their order.

    Raises ValueError if the two do not name as many axes.
    """
    origin = [d % x.ndim for d in ([source] if isinstance(source, int) else source)]
    target = [d % x.ndim for d in ([destination] if isinstance(destination, int) else destination)]
    if len(set(origin)) != len(set(target)):
        raise ValueError(f"movedim: {source} and {destination} must name as many different axes")
    rest = iter([d for d in range(x.ndim) if d not in origin])
    placed = dict(zip(target, origin, strict=True))
    return permute(x, dims=tuple(placed[d] if d in placed else next(rest) for d in range(x.ndim)))


def unflatten(x: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Axis `dim` as several axes of the given sizes; one of them may be -1."""
    dim %= x.ndim
    sizes = list(sizes)
    if -1 in sizes:
        known = math.prod(n for n in sizes if n != -1)
        sizes[sizes.index(-1)] = x.shape[dim] // known
    return reshape(x, shape=(*x.shape[:dim], *sizes, *x.shape[dim + 1 :]))


def rot90(x: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """`k` quarter turns in the plane of two axes, from the first towards the second."""
    first, second = dims
    if k % 4 == 0:
        return x
    if k % 4 == 2:
        return flip(x, dims=(first, second))
    turned = flip(x, dims=second) if k % 4 == 1 else flip(x, dims=first)
    return transpose(turned, first, second)


# Repetition ---------------------------------------------------------------------------------------


def roll(x: Tensor, shifts: Dims, dims: Dims | None = None) -> Tensor:
    """The elements moved by `shifts` along `dims`, those pushed out coming in at the other end.

    Without `dims` the flattened tensor is rolled.
    """
    if dims is None:
        return reshape(roll(reshape(x, shape=(-1,)), shifts, 0), shape=x.shape)
    shifts = [shifts] if isinstance(shifts, int) else shifts
    for shift, dim in zip(shifts, [dims] if isinstance(dims, int) else dims, strict=True):
        n = x.shape[dim] if x.ndim else 0
        if n and shift % n:
            first = n - shift % n
            x = concatenate(split(x, [first, n - first], dim)[::-1], dim)
    return x


def tile(x: Tensor, dims: Sequence[int]) -> Tensor:
    """`x` repeated `dims[i]` times along axis i, aligned at the last axis."""
    rank = builtins.max(x.ndim, len(dims))
    counts = [1] * (rank - len(dims)) + list(dims)
    shape = (1,) * (rank - x.ndim) + tuple(x.shape)
    apart = reshape(x, shape=tuple(size for n in shape for size in (1, n)))
    spread = tuple(size for pair in zip(counts, shape, strict=True) for size in pair)
    return reshape(
        broadcast_to(apart, shape=spread),
        shape=tuple(c * n for c, n in zip(counts, shape, strict=True)),
    )


def repeat_interleave(x: Tensor, repeats: int | Sequence[int], dim: int | None = None) -> Tensor:
    """Each element along `dim` (or of the flattened tensor) repeated, all alike or each its own."""
    if dim is None:
        x, dim = reshape(x, shape=(-1,)), 0
    counts = np.asarray(repeats)
    return take(x, np.repeat(np.arange(x.shape[dim]), counts), dim)


def meshgrid(*tensors: Tensor, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Vectors spread over the grid that they span, one axis each; "xy" exchanges the first two.

    Raises ValueError for another `indexing`.
    """
    if indexing not in ("ij", "xy"):
        raise ValueError(f"meshgrid: indexing {indexing!r} is neither 'ij' nor 'xy'")
    vectors = [reshape(x, shape=(-1,)) for x in tensors]
    shape = tuple(x.shape[0] for x in vectors)
    grids = []
    for axis, vector in enumerate(vectors):
        alone = tuple(n if i == axis else 1 for i, n in enumerate(shape))
        grids.append(broadcast_to(reshape(vector, shape=alone), shape=shape))
    swap = indexing == "xy" and len(grids) > 1
    return tuple(transpose(grid, 0, 1) if swap else grid for grid in grids)


# Diagonals and triangles --------------------------------------------------------------------------


def diagonal(x: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The diagonal over two axes, `offset` above the main one, as a new last axis."""
    dim1, dim2 = dim1 % x.ndim, dim2 % x.ndim
    rest = [d for d in range(x.ndim) if d not in (dim1, dim2)]
    moved = permute(x, dims=(*rest, dim1, dim2))
    rows, columns = moved.shape[-2:]
    top, left = builtins.max(-offset, 0), builtins.max(offset, 0)
    n = builtins.max(builtins.min(rows - top, columns - left), 0)
    square = moved[..., top : top + n, left : left + n]
    # In a square laid out flat, neighbours on the diagonal are n + 1 apart.
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
    rows, columns = x.shape[-2:]
    return np.tri(rows, columns, diagonal, dtype=bool)


def tril(x: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of the last two axes, up to `diagonal`; 0 above."""
    return where(_triangle(x, diagonal), x, 0)


def triu(x: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of the last two axes, from `diagonal` on; 0 below."""
    return where(_triangle(x, diagonal - 1), 0, x)


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
