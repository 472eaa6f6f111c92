"""Elements read by position; cotangents go back where they were read.

An index met twice receives both cotangents: they add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace, is_jax, is_traced, namespace, scatter_add
from retrograd.autodiff import tape
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.shapes.shape import Shape, axis, broadcast_to, reshape

__all__ = ["gather", "getitem", "index_select", "take", "take_along_axis", "take_along_dim"]


@primitive
def pick(xp: Namespace, x: Array, *, index: tuple[Any, ...]) -> Array:
    """x[index]: integers, slices, None, an ellipsis, arrays of integers and masks."""
    if xp is np:
        xp = namespace(*index)  # a constant table may be indexed by a traced array
    elif not any(map(is_jax, index)):
        np.broadcast_to(False, x.shape)[
            index
        ]  # NumPy's IndexError: JAX clamps what is out of range
    return xp.asarray(x)[index]


@primitive
def place(xp: Namespace, values: Array, *, index: tuple[Any, ...], shape: Shape) -> Array:
    """Zeros of `shape` with `values` added at `index`."""
    xp = namespace(values, *index)  # constants may go where a traced array points
    zeros = xp.zeros(shape, values.dtype)
    if any(hasattr(part, "shape") for part in index):
        return scatter_add(xp, zeros, index, values)
    if xp is np:  # slices and integers meet no element twice
        zeros[index] = values
        return zeros
    return zeros.at[index].set(values)


pick.pullbacks(x=lambda g, x_shape, index: place(g, index=index, shape=x_shape))
place.pullbacks(values=lambda g, index: pick(g, index=index))


def getitem(x: Tensor, index: Any) -> Tensor:
    """x[index] as in NumPy. In a compiled step a mask must not be traced: its count has no shape.

    Raises IndexError for such a mask, with the way out.
    """
    parts = index if isinstance(index, tuple) else (index,)
    raw = tuple(_part(part) for part in parts)
    for part in raw:
        if is_traced(part) and part.dtype == bool:
            raise IndexError(
                "a mask computed inside a compiled step cannot pick elements, because how many it "
                "picks is not known when the step is compiled; use where(mask, x, 0) to keep the "
                "shape, or take @compile away"
            )
    return pick(x, index=raw)


def _part(part: Any) -> Any:
    """An index's part as a raw array, slice or number."""
    if isinstance(part, tape.tensor_type):
        return part.data
    if isinstance(part, list):
        array = np.asarray(part)
        return array if array.size else array.astype(np.intp)  # NumPy makes [] float64
    return part


def take(x: Tensor, index: Tensor | Array, dim: int | None = None) -> Tensor:
    """The elements at `index` along `dim`, or of the flattened tensor as PyTorch's `take`."""
    if dim is None:
        return getitem(reshape(x, shape=(-1,)), index)
    return getitem(x, (slice(None),) * axis(dim, x.ndim) + (index,))


@primitive
def take_along_axis(xp: Namespace, x: Array, indices: Array, *, dim: int = -1) -> Array:
    """Along `dim`, for each position the element that `indices` (of the same rank) names."""
    return xp.take_along_axis(x, indices, axis=dim)


@primitive
def place_along_axis(
    xp: Namespace, values: Array, indices: Array, *, dim: int, shape: Shape
) -> Array:
    """Zeros of `shape` with `values` added where `indices` points along `dim`."""
    # An axis of size 1 of the indices or of x stands for all of the other's, as in take_along_axis.
    full = tuple(
        n if n != 1 or i == axis(dim, len(shape)) else shape[i] for i, n in enumerate(indices.shape)
    )
    indices = xp.broadcast_to(indices, full)
    every = np.ogrid[tuple(slice(n) for n in full)]
    grid = [np.minimum(each, n - 1) for each, n in zip(every, shape, strict=True)]
    grid[dim] = indices
    zeros = xp.zeros(shape, values.dtype)
    return scatter_add(xp, zeros, tuple(grid), xp.broadcast_to(values, full))


take_along_axis.pullbacks(
    x=lambda g, x_shape, indices, dim: place_along_axis(g, indices, dim=dim, shape=x_shape),
    indices=None,
)
place_along_axis.pullbacks(
    values=lambda g, indices, dim: take_along_axis(g, indices, dim=dim), indices=None
)


def raw(value: Any) -> Any:
    return value.data if isinstance(value, tape.tensor_type) else value


def as_tensor(value: Any, dtype: Any) -> Tensor:
    return value if isinstance(value, tape.tensor_type) else tape.tensor_type(value, dtype=dtype)


def index_select(x: Tensor, dim: int, index: Tensor | Array) -> Tensor:
    """The slices of `x` along `dim` that the vector `index` lists."""
    if x.ndim == 0:
        return reshape(take(reshape(x, shape=(1,)), index, 0), shape=())
    return take(x, index, dim)


def gather(x: Tensor, dim: int, index: Tensor | Array) -> Tensor:
    """Along `dim`, for each position of `index` the element that it names.

    In the other axes `index` may be smaller than `x`, whose first positions then count.
    """
    index = raw(index)
    if x.ndim == 0:
        return reshape(take(reshape(x, shape=(1,)), index), shape=index.shape)
    if index.ndim == 0:
        return reshape(gather(x, dim, index.reshape(1)), shape=())
    return getitem(x, positions(dim, index))


def positions(dim: int, index: Array) -> tuple[Any, ...]:
    """The index of every position of `index`, but `index` itself along `dim`."""
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    grid[dim] = index
    return tuple(grid)


def take_along_dim(x: Tensor, indices: Tensor | Array, dim: int | None = None) -> Tensor:
    """As `take_along_axis`, the two broadcast against each other; without `dim`, of flat ones."""
    if dim is None:
        return take(x, reshape(as_tensor(indices, None), shape=(-1,)))
    indices = as_tensor(indices, None)
    dim %= x.ndim
    common = np.broadcast_shapes(
        *(tuple(1 if i == dim else n for i, n in enumerate(each.shape)) for each in (x, indices))
    )
    x, indices = (
        broadcast_to(each, shape=(*common[:dim], each.shape[dim], *common[dim + 1 :]))
        for each in (x, indices)
    )
    return take_along_axis(x, indices, dim=dim)
