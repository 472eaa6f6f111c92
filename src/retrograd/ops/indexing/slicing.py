"""Slices and windows along one axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrograd.autodiff.tape import Tensor
from retrograd.ops.indexing.index import getitem, take
from retrograd.ops.shapes.shape import movedim, reshape

__all__ = ["narrow", "repeat_interleave", "select", "tensor_split", "unfold"]


def _along(dim: int, index: object) -> tuple[object, ...]:
    """The index that applies `index` to axis `dim` and keeps the axes before it whole."""
    return (*(slice(None),) * dim, index)


def select(x: Tensor, dim: int, index: int) -> Tensor:
    """The slice at `index` along `dim`, without that axis."""
    return getitem(x, _along(dim % x.ndim, index))


def narrow(x: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` elements along `dim` from `start` on."""
    dim %= x.ndim
    start = start + x.shape[dim] if start < 0 else start
    return getitem(x, _along(dim, slice(start, start + length)))


def tensor_split(
    x: Tensor, indices_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Parts along `dim`: a number of nearly equal parts, or cut before each index listed."""
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


def repeat_interleave(x: Tensor, repeats: int | Sequence[int], dim: int | None = None) -> Tensor:
    """Each element along `dim` (or of the flattened tensor) repeated, all alike or each its own."""
    if dim is None:
        x, dim = reshape(x, shape=(-1,)), 0
    counts = np.asarray(repeats)
    return take(x, np.repeat(np.arange(x.shape[dim]), counts), dim)
