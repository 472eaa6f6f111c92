"""Parts along the first three axes, and tensors with one part of them replaced."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrograd.arrays import Array
from retrograd.autodiff.tape import Tensor
from retrograd.ops.indexing.index import raw
from retrograd.ops.indexing.scatter import index_put
from retrograd.ops.indexing.slicing import tensor_split
from retrograd.ops.shapes.shape import axis, reshape

__all__ = ["dsplit", "hsplit", "put", "select_scatter", "slice_scatter", "vsplit"]

Sections = int | Sequence[int]


def vsplit(x: Tensor, indices_or_sections: Sections) -> tuple[Tensor, ...]:
    """Parts along axis 0; see `tensor_split`."""
    return tensor_split(x, indices_or_sections, 0)


def hsplit(x: Tensor, indices_or_sections: Sections) -> tuple[Tensor, ...]:
    """Parts along axis 1, of a vector along its only one; see `tensor_split`."""
    return tensor_split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


def dsplit(x: Tensor, indices_or_sections: Sections) -> tuple[Tensor, ...]:
    """Parts along axis 2; see `tensor_split`."""
    return tensor_split(x, indices_or_sections, 2)


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """`input` with `src` as the slice at `index` along `dim`."""
    return index_put(input, (*(slice(None),) * axis(dim, input.ndim), index), src)


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """`input` with `src` as the slice `start:end:step` along `dim`."""
    lead = (slice(None),) * axis(dim, input.ndim)
    return index_put(input, (*lead, slice(start, end, step)), src)


def put(input: Tensor, index: Tensor | Array, source: Any, accumulate: bool = False) -> Tensor:
    """`input` with `source` at the places `index` of its flat order, or added there."""
    flat = index_put(reshape(input, shape=(-1,)), (raw(index),), source, accumulate)
    return reshape(flat, shape=input.shape)
