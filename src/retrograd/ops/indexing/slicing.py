"""Slices and windows along one axis."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from retrograd.autodiff.tape import Tensor
from retrograd.ops.indexing.index import getitem, take
from retrograd.ops.shapes.shape import axis, movedim, reshape

__all__ = ["narrow", "repeat_interleave", "select", "tensor_split", "unfold"]


def _along(dim: int, index: object) -> tuple[object, ...]:
    """The index that applies `index` to axis `dim` and keeps the axes before it whole."""
    return (*(slice(None),) * dim, index)


def select(x: Tensor, dim: int, index: int) -> Tensor:
    """The slice at `index` along `dim`, without that axis.

    Raises IndexError for an axis or an index out of range.
    """
    if x.ndim == 0:
        raise IndexError("select: a tensor of a single number has no axis to select from")
    return getitem(x, _along(axis(dim, x.ndim), index))


def narrow(x: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` elements along `dim` from `start` on; a negative start counts from the end.

    Raises IndexError for an axis that does not exist and for elements beyond its end.
    """
    dim, start, length = axis(dim, x.ndim), operator.index(start), operator.index(length)
    if x.ndim == 0:
        raise IndexError("narrow: a tensor of a single number has no axis to narrow")
    size = x.shape[dim]
    first = start + size if start < 0 else start
    if length < 0 or not 0 <= first <= first + length <= size:
        raise IndexError(
            f"narrow: {length} elements from {start} on do not lie within axis {dim} of size {size}"
        )
    start = first
    return getitem(x, _along(dim, slice(start, start + length)))


def tensor_split(
    x: Tensor, indices_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Parts along `dim`: a number of nearly equal parts, or cut before each index listed.

    Raises IndexError for an axis that does not exist, ValueError for less than one part.
    """
    dim = axis(dim, x.ndim)
    n = x.shape[dim]
    if isinstance(indices_or_sections, int) and indices_or_sections < 1:
        raise ValueError(f"tensor_split: expected at least 1 part, found {indices_or_sections}")
    if isinstance(indices_or_sections, int):
        size, larger = divmod(n, indices_or_sections)
        sizes = [size + (i < larger) for i in range(indices_or_sections)]
        cuts = np.cumsum(sizes).tolist()[:-1]
    else:
        cuts = [int(i) for i in indices_or_sections]
    edges = [slice(a, b) for a, b in zip([None, *cuts], [*cuts, None], strict=True)]
    return tuple(getitem(x, _along(dim, edge)) for edge in edges)


def unfold(x: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """Every window of `size` elements along an axis, `step` apart, laid out on a new last axis.

    Raises IndexError for an axis that does not exist, ValueError for a window larger than it and
    for a step below 1.
    """
    dimension = axis(dimension, x.ndim)
    longest = x.shape[dimension] if x.ndim else 1
    if not 0 <= size <= longest or step < 1:
        raise ValueError(
            f"unfold: windows of {size} elements, {step} apart, do not lie on axis {dimension} of "
            f"size {longest}"
        )
    if x.ndim == 0:
        return getitem(reshape(x, shape=(1,)), slice(0, size))
    starts = np.arange(0, x.shape[dimension] - size + 1, step)
    windows = take(x, starts[:, None] + np.arange(size), dimension)
    return movedim(windows, dimension + 1, -1)


def repeat_interleave(x: Tensor, repeats: int | Sequence[int], dim: int | None = None) -> Tensor:
    """Each element along `dim` (or of the flattened tensor) repeated, all alike or each its own."""
    if dim is None or x.ndim == 0:
        x, dim = reshape(x, shape=(-1,)), 0
    dim = axis(dim, x.ndim)
    counts = np.asarray(repeats)
    return take(x, np.repeat(np.arange(x.shape[dim]), counts), dim)
