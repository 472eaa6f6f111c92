"""Operations that pick elements by position, and put cotangents back where they were picked.

An index met twice receives both cotangents: they add up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from retrograd.arrays import Array, Namespace, is_jax, is_traced, namespace, scatter_add
from retrograd.autodiff import tape
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.compare import argmax, argmin
from retrograd.ops.names import numpy_names
from retrograd.ops.reduce import amax, amin
from retrograd.ops.shape import Shape, axis, reshape, squeeze, unsqueeze


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
    raw = tuple(_raw(part) for part in parts)
    for part in raw:
        if is_traced(part) and part.dtype == bool:
            raise IndexError(
                "a mask computed inside a compiled step cannot pick elements, because how many it "
                "picks is not known when the step is compiled; use where(mask, x, 0) to keep the "
                "shape, or take @compile away"
            )
    return pick(x, index=raw)


def _raw(part: Any) -> Any:
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


class Extreme(NamedTuple):
    """The extreme values along one axis, and their positions in it."""

    values: Tensor
    indices: Tensor


@numpy_names
def max(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | Extreme:
    """The largest element, or with `dim` the `(values, indices)` along it, as in PyTorch.

    Over all elements equal ones share the slope; along `dim` the first one has it.
    """
    if dim is None:
        return amax(x, dim=None, keepdim=keepdim)
    if x.ndim == 0:
        return Extreme(x, argmax(x))
    return _extreme(x, argmax(x, dim=dim, keepdim=True), dim, keepdim)


@numpy_names
def min(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | Extreme:
    """The smallest element, or with `dim` the `(values, indices)` along it, as in PyTorch."""
    if dim is None:
        return amin(x, dim=None, keepdim=keepdim)
    if x.ndim == 0:
        return Extreme(x, argmin(x))
    return _extreme(x, argmin(x, dim=dim, keepdim=True), dim, keepdim)


def _extreme(x: Tensor, indices: Tensor, dim: int, keepdim: bool) -> Extreme:
    values = take_along_axis(x, indices, dim=dim)
    if keepdim:
        return Extreme(values, indices)
    return Extreme(squeeze(values, dim), squeeze(indices, dim))


class Sorted(NamedTuple):
    """The sorted values, and where each stood before."""

    values: Tensor
    indices: Tensor


@primitive
def argsort(xp: Namespace, x: Array, *, dim: int = -1, descending: bool = False) -> Array:
    """The positions that sort `x` along `dim`; equal elements stay in their order."""
    if not descending:
        return xp.argsort(x, axis=dim, stable=True)
    backwards = xp.argsort(xp.flip(x, dim), axis=dim, stable=True)
    return x.shape[dim] - 1 - xp.flip(backwards, dim)


argsort.pullbacks(x=None)


@numpy_names
def sort(x: Tensor, dim: int = -1, descending: bool = False) -> Sorted:
    """The `(values, indices)` of `x` in order along `dim`; equal elements stay in their order."""
    if x.ndim == 0:
        values, indices = sort(unsqueeze(x, 0), 0, descending)
        return Sorted(values[0], indices[0])
    indices = argsort(x, dim=dim, descending=descending)
    return Sorted(take_along_axis(x, indices, dim=dim), indices)
