"""The most frequent element, sorted rows, and slopes by finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.comparison import eq
from retrograd.ops.indexing.index import take_along_axis
from retrograd.ops.reductions.extremes import Extreme, argmax
from retrograd.ops.reductions.order import sort
from retrograd.ops.reductions.sums import sum
from retrograd.ops.shapes.parts import concatenate
from retrograd.ops.shapes.shape import movedim, squeeze, unsqueeze

__all__ = ["gradient", "mode", "msort"]


def msort(input: Tensor) -> Tensor:
    """The elements in rising order along axis 0."""
    return sort(input, 0).values


def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Extreme:
    """The most frequent element along `dim`, the smallest of several, and where it stands last."""
    x = movedim(input, dim, -1)
    ordered = sort(x, -1).values
    counts = sum(eq(unsqueeze(ordered, -1), unsqueeze(ordered, -2)).astype("int64"), dim=-1)
    most = take_along_axis(ordered, argmax(counts, dim=-1, keepdim=True), dim=-1)
    n = x.shape[-1]
    # The last place: the first in reverse order.
    last = n - 1 - argmax(eq(x, most).flip(-1).astype("int64"), dim=-1, keepdim=True)
    values = movedim(take_along_axis(x, last, dim=-1), -1, dim)
    indices = movedim(last, -1, dim)
    return Extreme(
        *((values, indices) if keepdim else (squeeze(values, dim), squeeze(indices, dim)))
    )


def gradient(
    input: Tensor, *, spacing: float = 1.0, dim: int | Sequence[int] | None = None
) -> tuple[Tensor, ...]:
    """The slope along each axis of `dim` (by default all): central differences, at the ends the
    difference to the neighbor.
    """
    dims: Any = range(input.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    slopes = []
    for each in dims:
        x = movedim(input, each, 0)
        first, last = x[1:2] - x[:1], x[-1:] - x[-2:-1]
        inner = (x[2:] - x[:-2]) / 2
        slopes.append(movedim(concatenate([first, inner, last]) / spacing, 0, each))
    return tuple(slopes)
