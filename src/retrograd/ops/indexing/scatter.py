"""PyTorch's ways of writing by index, which make a new tensor; `x` stays as it is.

Where two values are written to one place the last one stays, on every device, and has the slope.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace, namespace
from retrograd.autodiff import tape
from retrograd.autodiff.precision import in_single
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.selection import maximum, where
from retrograd.ops.indexing.index import (
    as_tensor,
    check_positions,
    check_rank,
    getitem,
    pick,
    place,
    positions,
    raw,
    take,
)
from retrograd.ops.shapes.shape import Shape, axis, broadcast_to, reshape

__all__ = [
    "index_add",
    "index_copy",
    "index_fill",
    "index_put",
    "scatter",
    "scatter_add",
    "scatter_reduce",
]

Index = Any  # integers, slices, None, an ellipsis, arrays or tensors of integers, masks


def index_put(x: Tensor, index: Index, values: Any, accumulate: bool = False) -> Tensor:
    """`x` with `values` at `x[index]`, or with them added there.

    The way to write `x[index] = values` for tensors, which are not changed in place.
    """
    index = tuple(raw(part) for part in (index if isinstance(index, tuple) else (index,)))
    values = _of_dtype(values, x)
    # Which element of the flattened x each value goes to.
    places = getitem(np.arange(math.prod(x.shape)).reshape(x.shape), index).data
    values = broadcast_to(values, shape=places.shape)
    if accumulate:
        return x + place(values, index=index, shape=x.shape)
    return _written(x, places, values)


def _of_dtype(values: Any, x: Tensor) -> Tensor:
    """`values` in the dtype of `x`; raises TypeError where that would cut off fractions."""
    values = as_tensor(values, x.dtype)
    if values.dtype == x.dtype:
        return values
    if not np.can_cast(values.dtype, x.dtype, "same_kind"):
        raise TypeError(
            f"values of {values.dtype} cannot be written into a tensor of {x.dtype}; cast one of "
            "the two with .astype"
        )
    return values.astype(x.dtype)


def _written(x: Tensor, places: Array, values: Tensor) -> Tensor:
    """`x` with `values[i]` at the flat position `places[i]`."""
    if values.data.size == 0:
        return x
    xp = namespace(places, values.data, x.data)
    writers = _last_writers(xp, math.prod(x.shape), places.reshape(-1))
    written = (writers >= 0).reshape(x.shape)
    chosen = take(values, xp.clip(writers, 0, None).reshape(x.shape))
    return where(written, chosen, x)


def _last_writers(xp: Namespace, size: int, places: Array) -> Array:
    """For each of `size` positions the last i with places[i] there, or -1."""
    nobody = xp.full(size, -1)
    return _combine_at(xp, nobody, (places,), xp.arange(places.shape[0]))


def _combine_at(xp: Namespace, target: Array, index: Any, values: Array) -> Array:
    """`target` with the larger of itself and `values` at `index`."""
    if xp is np:
        target = target.copy()
        np.maximum.at(target, index, values)
        return target
    return xp.asarray(target).at[index].max(values)


def _lines(name: str, x: Tensor, dim: int, index: Any) -> tuple[Any, ...]:
    """The index of whole slices along `dim`; raises IndexError for what is out of range."""
    dim, index = axis(dim, x.ndim), raw(index).reshape(-1)
    check_positions(name, index, x.shape[dim])
    return (*(slice(None),) * dim, index)


def index_add(
    x: Tensor, dim: int, index: Tensor | Array, source: Tensor, alpha: float = 1
) -> Tensor:
    """`x` with `alpha` times the slices of `source` added at the slices that `index` lists."""
    if x.ndim == 0:
        return x + reshape(source, shape=(-1,)).sum() * alpha
    return index_put(x, _lines("index_add", x, dim, index), source * alpha, accumulate=True)


def index_copy(x: Tensor, dim: int, index: Tensor | Array, source: Tensor) -> Tensor:
    """`x` with the slices of `source` in place of the slices that `index` lists."""
    if x.ndim == 0:
        return reshape(source, shape=())
    return index_put(x, _lines("index_copy", x, dim, index), source)


def index_fill(x: Tensor, dim: int, index: Tensor | Array, value: Any) -> Tensor:
    """`x` with `value` in the slices that `index` lists."""
    if x.ndim == 0:
        return broadcast_to(as_tensor(value, x.dtype), shape=())
    return index_put(x, _lines("index_fill", x, dim, index), value)


def _scattered(x: Tensor, dim: int, index: Any, src: Any) -> tuple[Tensor, Any, Tensor]:
    """`x`, the index of the positions written to, and the part of `src` that `index` covers."""
    index = raw(index)
    dim = axis(dim, x.ndim)
    check_rank("scatter", index, x)
    check_positions("scatter", index, x.shape[dim] if x.ndim else 1)
    src = _of_dtype(src, x)
    if index.ndim == 0:
        index = index.reshape((1,) * max(x.ndim, 1))
    if x.ndim == 0:
        x = reshape(x, shape=(1,))
    if src.shape != index.shape and math.prod(src.shape) > 1:
        src = getitem(src, tuple(slice(n) for n in index.shape))
    return x, positions(dim, index), broadcast_to(src, shape=index.shape)


def scatter(x: Tensor, dim: int, index: Tensor | Array, src: Any) -> Tensor:
    """`x` with `src` (a number, or a tensor at least as large as `index`) where `index` points.

    Along `dim` an element goes to the position that `index` names, in the other axes to its own.
    """
    target, grid, src = _scattered(x, dim, index, src)
    return reshape(index_put(target, grid, src), shape=x.shape)


def scatter_add(x: Tensor, dim: int, index: Tensor | Array, src: Any) -> Tensor:
    """`x` with `src` added where `index` points, as in `scatter`; what meets there adds up."""
    target, grid, src = _scattered(x, dim, index, src)
    return reshape(index_put(target, grid, src, accumulate=True), shape=x.shape)


@in_single
def scatter_reduce(
    x: Tensor,
    dim: int,
    index: Tensor | Array,
    src: Tensor,
    reduce: str,
    include_self: bool = True,
) -> Tensor:
    """`x` with what meets where `index` points reduced: "sum", "mean", "prod", "amax" or "amin".

    Without `include_self` the elements of `x` that are written to do not take part.
    Raises ValueError for another reduction.
    """
    lowest, highest = -np.inf, np.inf
    if x.dtype.kind in "iu":
        lowest, highest = np.iinfo(x.dtype).min, np.iinfo(x.dtype).max
    neutral = {"sum": 0, "mean": 0, "prod": 1, "amax": lowest, "amin": highest}
    if reduce not in neutral:
        raise ValueError(f"scatter_reduce: {reduce!r} is not one of {', '.join(neutral)}")
    shape = x.shape
    x, grid, src = _scattered(x, dim, index, src)
    if src.data.size == 0:
        return reshape(x, shape=shape)
    ones = tape.tensor_type(np.ones(src.shape, x.dtype))
    met = place(ones, index=grid, shape=x.shape)
    if not include_self:
        x = where(met > 0, np.array(neutral[reduce], x.dtype), x)
    if reduce == "amax":
        found = scatter_max(x, src, index=grid)
    elif reduce == "amin":
        found = -scatter_max(-x, -src, index=grid)
    elif reduce == "prod":
        found = _scatter_product(x, src, grid, dim)
    else:
        found = x + place(src, index=grid, shape=x.shape)
    if reduce == "mean":
        found = found / maximum(met + (1.0 if include_self else 0.0), 1.0)
    return reshape(found, shape=shape)


@primitive
def scatter_max(xp: Namespace, x: Array, src: Array, *, index: tuple[Any, ...]) -> Array:
    """`x` with the largest of itself and what of `src` meets at `index`; equal ones share."""
    xp = namespace(x, src, *index)
    return _combine_at(xp, x, index, src)


def _tied(g: Tensor, x: Tensor, src: Tensor, out: Tensor, index: Any) -> tuple[Tensor, Any, Any]:
    """The cotangent shared evenly, and which of `x` and of `src` have a share."""
    from_x = (x == out).astype(g.dtype)
    from_src = (src == pick(out, index=index)).astype(g.dtype)
    total = from_x + place(from_src, index=index, shape=x.shape)
    return g / total, from_x, from_src


def _max_of_x(g: Tensor, x: Tensor, src: Tensor, out: Tensor, index: Any) -> Tensor:
    share, from_x, _ = _tied(g, x, src, out, index)
    return share * from_x


def _max_of_src(g: Tensor, x: Tensor, src: Tensor, out: Tensor, index: Any) -> Tensor:
    share, _, from_src = _tied(g, x, src, out, index)
    return pick(share, index=index) * from_src


scatter_max.pullbacks(x=_max_of_x, src=_max_of_src)


def _scatter_product(x: Tensor, src: Tensor, grid: tuple[Any, ...], dim: int) -> Tensor:
    """Along `dim` one factor of `src` after the other: right also where a factor is 0."""
    dim = axis(dim, x.ndim)
    ones = tape.tensor_type(np.ones(x.shape, x.dtype))
    for i in range(src.shape[dim]):
        one = (*(slice(None),) * dim, slice(i, i + 1))
        at = tuple(part[one] if part.shape[dim] > 1 else part for part in grid)
        factors = _written(ones, _flat(x.shape, at), getitem(src, one))
        x = x * factors
    return x


def _flat(shape: Shape, index: tuple[Any, ...]) -> Array:
    """The flat positions of `index` in `shape`."""
    places: Array = getitem(np.arange(math.prod(shape)).reshape(shape), index).data
    return places
