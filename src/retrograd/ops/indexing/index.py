"""Elements read by position; cotangents go back where they were read.

An index met twice receives both cotangents: they add up.
"""

from __future__ import annotations

import operator
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
    """x[index]: integers, slices, None, an ellipsis, arrays of integers and masks.

    A traced index out of range reads NaN, or the nearest element where x has no NaN.
    """
    if xp is np:
        xp = namespace(*index)  # a constant table may be indexed by a traced array
    elif not any(map(is_jax, index)):
        np.broadcast_to(False, x.shape)[
            index
        ]  # NumPy's IndexError: JAX clamps what is out of range
    x = xp.asarray(x)
    if x.dtype.kind in "fV" and any(map(is_traced, index)):
        return x.at[index].get(mode="fill", fill_value=np.nan)
    return x[index]


@primitive(single=True)
def place(xp: Namespace, values: Array, *, index: tuple[Any, ...], shape: Shape) -> Array:
    """Zeros of `shape` with `values` added at `index`."""
    xp = namespace(values, *index)  # constants may go where a traced array points
    if any(hasattr(part, "shape") or isinstance(part, bool) for part in index):
        return scatter_add(xp, xp.zeros(shape, values.dtype), index, values)
    if xp is not np:
        return _padded(xp, values, index, shape)
    zeros = xp.zeros(shape, values.dtype)
    zeros[index] = values  # slices and integers meet no element twice
    return zeros


def _padded(xp: Namespace, values: Array, index: tuple[Any, ...], shape: Shape) -> Array:
    """`place` at slices and integers, as padding.

    XLA makes a `map` of a scatter that covers its target, and ends the process where that meets a
    reversed array; padding also fuses with what surrounds it.
    """
    from jax import lax

    named = [part for part in index if part is not None]
    at = named.index(...) if ... in named else len(named)
    rest = (slice(None),) * (len(shape) - len(named) + (at < len(named)))
    lengths, widths, reversed_axes = [], [], []
    for axis_, (part, n) in enumerate(
        zip((*named[:at], *rest, *named[at + 1 :]), shape, strict=True)
    ):
        one = None if isinstance(part, slice) else operator.index(part)
        found = range(n)[part] if one is None else range(n)[one : one + 1 or None]
        if found.step < 0:
            reversed_axes.append(axis_)
            found = found[::-1]
        if not found:
            return xp.zeros(shape, values.dtype)
        lengths.append(len(found))
        widths.append((found[0], n - 1 - found[-1], found.step - 1 if len(found) > 1 else 0))
    values = xp.reshape(values, lengths)
    if reversed_axes:
        values = xp.flip(values, reversed_axes)
    if not any(map(any, widths)):
        return values
    return lax.pad(values, xp.zeros((), values.dtype), widths)


pick.pullbacks(x=lambda g, x_shape, index: place(g, index=index, shape=x_shape))
place.pullbacks(values=lambda g, index: pick(g, index=index))


def getitem(x: Tensor, index: Any) -> Tensor:
    """x[index] as in PyTorch: integers are taken first, then arrays of integers and masks.

    In a compiled step a mask must not be traced, because its count has no shape, and an index out
    of range gives NaN. Raises IndexError for such a mask, with the way out, and eagerly for an
    index out of range.
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
    if (
        getattr(x, "_node", None) is not None
    ):  # the caller may refill an array of positions before `backward`
        raw = tuple(p.copy() if type(p) is np.ndarray and p.flags.writeable else p for p in raw)
    for step in _steps(raw):
        x = pick(x, index=step)
    return x


def _part(part: Any) -> Any:
    """An index's part as a raw array, slice or number."""
    if isinstance(part, tape.tensor_type):
        part = part.data
    if isinstance(part, list):
        array = np.asarray(part)
        return array if array.size else array.astype(np.intp)  # NumPy makes [] float64
    if isinstance(part, np.ndarray | np.integer) and part.ndim == 0 and part.dtype.kind in "iu":
        return int(part)
    return part


def _steps(index: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    """The indices that, one after the other, read as PyTorch does.

    NumPy counts an integer among the arrays. Where something stands between the two, it puts the
    arrays' axes first; PyTorch takes the integers away before it looks at the arrays.
    """
    if len(index) == 1:
        return [index]
    arrays = [i for i, part in enumerate(index) if getattr(part, "ndim", 0)]
    numbers = [i for i, part in enumerate(index) if _is_number(part)]
    both = sorted([*arrays, *numbers])
    if not arrays or not numbers or both[-1] - both[0] == len(both) - 1:
        return [index]
    first: list[Any] = []
    then: list[Any] = []
    for i, part in enumerate(index):
        if i in arrays:  # a mask of several axes covers as many
            first += [slice(None)] * (part.ndim if part.dtype == bool else 1)
            then.append(part)
        else:
            first.append(part)
            if i not in numbers:
                then.append(part if part is ... else slice(None))
    return [tuple(first), tuple(then)]


def _is_number(part: Any) -> bool:
    if hasattr(part, "dtype"):
        return part.ndim == 0 and part.dtype.kind in "iu"
    return isinstance(part, int) and not isinstance(part, bool)


def take(x: Tensor, index: Tensor | Array, dim: int | None = None) -> Tensor:
    """The elements at `index` along `dim`, or of the flattened tensor as PyTorch's `take`."""
    if dim is None:
        return getitem(reshape(x, shape=(-1,)), index)
    return getitem(x, (slice(None),) * axis(dim, x.ndim) + (index,))


@primitive
def take_along_axis(xp: Namespace, x: Array, indices: Array, *, dim: int = -1) -> Array:
    """Along `dim`, for each position the element that `indices` (of the same rank) names."""
    return xp.take_along_axis(x, indices, axis=dim)


@primitive(single=True)
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
    """The slices of `x` along `dim` that the vector `index` lists.

    Raises IndexError for an axis or an index out of range.
    """
    index = raw(index)
    check_positions("index_select", index, x.shape[axis(dim, x.ndim)] if x.ndim else 1)
    if x.ndim == 0:
        return reshape(take(reshape(x, shape=(1,)), index, 0), shape=())
    return take(x, index, dim)


def gather(x: Tensor, dim: int, index: Tensor | Array) -> Tensor:
    """Along `dim`, for each position of `index` the element that it names.

    In the other axes `index` may be smaller than `x`, whose first positions then count. Raises
    IndexError for an axis or an index out of range, ValueError for an index of another rank.
    """
    index = raw(index)
    dim = axis(dim, x.ndim)
    check_rank("gather", index, x)
    check_positions("gather", index, x.shape[dim] if x.ndim else 1)
    if x.ndim == 0:
        return reshape(take(reshape(x, shape=(1,)), index), shape=index.shape)
    if index.ndim == 0:
        return reshape(gather(x, dim, index.reshape(1)), shape=())
    return getitem(x, positions(dim, index))


def check_rank(name: str, index: Array, x: Tensor) -> None:
    """Raise ValueError unless `index` has as many axes as `x`; a number counts as a vector."""
    if max(index.ndim, 1) != max(x.ndim, 1):
        raise ValueError(
            f"{name}: the index has shape {tuple(index.shape)} and the tensor {tuple(x.shape)}; "
            "expected as many axes"
        )


def check_positions(name: str, index: Array, size: int) -> None:
    """Raise IndexError for a position outside [-size, size); a compiled step cannot look."""
    if is_traced(index) or not index.size:
        return
    lowest, highest = int(index.min()), int(index.max())
    if lowest < -size or highest >= size:
        raise IndexError(
            f"{name}: index {highest if highest >= size else lowest} is out of range for an axis "
            f"of size {size}"
        )


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
    dim = axis(dim, x.ndim)
    common = np.broadcast_shapes(
        *(tuple(1 if i == dim else n for i, n in enumerate(each.shape)) for each in (x, indices))
    )
    x, indices = (
        broadcast_to(each, shape=(*common[:dim], each.shape[dim], *common[dim + 1 :]))
        for each in (x, indices)
    )
    return take_along_axis(x, indices, dim=dim)
