"""Axes in another arrangement: nothing is computed, and no element added or left out."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor

__all__ = [
    "broadcast_to",
    "expand",
    "flatten",
    "flip",
    "meshgrid",
    "movedim",
    "permute",
    "reshape",
    "rot90",
    "squeeze",
    "transpose",
    "unflatten",
    "unsqueeze",
]

Shape = tuple[int, ...]


def axis(dim: int, ndim: int) -> int:
    """`dim` counted from 0; raises IndexError for an axis that does not exist."""
    count = max(ndim, 1)  # as in PyTorch, a single number answers to axis 0
    dim = operator.index(dim)
    if not -count <= dim < count:
        raise IndexError(f"axis {dim} is out of range for a tensor with {ndim} axes")
    return dim % count


@primitive
def reshape(xp: Namespace, x: Array, *, shape: int | Shape) -> Array:
    """The same elements in another shape; one size may be -1."""
    return xp.reshape(x, shape)


reshape.pullbacks(x=lambda g, x_shape: g.reshape(x_shape))


@primitive
def permute(xp: Namespace, x: Array, *, dims: Shape) -> Array:
    """The axes in the order `dims`."""
    return xp.transpose(x, dims)


permute.pullbacks(
    x=lambda g, dims: permute(
        g, dims=tuple(int(i) for i in np.argsort([d % len(dims) for d in dims]))
    )
)


def transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    """`x` with two axes exchanged."""
    if x.ndim == 0:
        return x
    dims = list(range(x.ndim))
    dim0, dim1 = axis(dim0, x.ndim), axis(dim1, x.ndim)
    dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
    return permute(x, dims=tuple(dims))


@primitive
def broadcast_to(xp: Namespace, x: Array, *, shape: Shape) -> Array:
    """`x` repeated along new axes and axes of size 1; the walk sums the cotangent back."""
    return xp.broadcast_to(x, shape)


broadcast_to.pullbacks(x=lambda g: g)


def expand(x: Tensor, *sizes: int | Shape) -> Tensor:
    """`broadcast_to`, where -1 keeps an axis as it is."""
    shape = _sizes(sizes)
    offset = len(shape) - x.ndim
    return broadcast_to(
        x, shape=tuple(x.shape[i - offset] if n == -1 else n for i, n in enumerate(shape))
    )


def squeeze(x: Tensor, dim: int | Shape | None = None) -> Tensor:
    """`x` without its axes of size 1 (only those in `dim`, if given)."""
    chosen = range(x.ndim) if dim is None else [axis(d, x.ndim) for d in _sizes((dim,))]
    return reshape(x, shape=tuple(n for i, n in enumerate(x.shape) if n != 1 or i not in chosen))


def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """`x` with a new axis of size 1 at `dim`."""
    shape = list(x.shape)
    shape.insert(axis(dim, x.ndim + 1), 1)
    return reshape(x, shape=tuple(shape))


def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from `start_dim` to `end_dim` as one."""
    if x.ndim == 0:
        return reshape(x, shape=(1,))
    first, last = axis(start_dim, x.ndim), axis(end_dim, x.ndim)
    size = int(np.prod(x.shape[first : last + 1]))
    return reshape(x, shape=(*x.shape[:first], size, *x.shape[last + 1 :]))


def _sizes(sizes: tuple[Any, ...]) -> Shape:
    """Sizes given one by one or as one sequence."""
    if len(sizes) == 1 and not isinstance(sizes[0], int | np.integer):
        return tuple(sizes[0])
    return tuple(sizes)


@primitive
def flip(xp: Namespace, x: Array, *, dims: int | Shape) -> Array:
    """The elements in reverse order along `dims`."""
    return xp.flip(x, dims)


flip.pullbacks(x=lambda g, dims: flip(g, dims=dims))

Dims = int | Sequence[int]


def movedim(x: Tensor, source: Dims, destination: Dims) -> Tensor:
    """The axes `source` at the positions `destination`; the others stay in their order.

    Raises ValueError if the two do not name as many axes, IndexError for one that does not exist.
    """
    origin, target = (
        [axis(d, x.ndim) for d in ([given] if isinstance(given, int) else given)]
        for given in (source, destination)
    )
    if x.ndim == 0:
        return x
    if len(set(origin)) != len(set(target)):
        raise ValueError(f"movedim: {source} and {destination} must name as many different axes")
    rest = iter([d for d in range(x.ndim) if d not in origin])
    placed = dict(zip(target, origin, strict=True))
    return permute(x, dims=tuple(placed[d] if d in placed else next(rest) for d in range(x.ndim)))


def unflatten(x: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Axis `dim` as several axes of the given sizes; one of them may be -1.

    Raises IndexError for an axis that does not exist, ValueError for sizes that do not fit.
    """
    dim = axis(dim, x.ndim)
    sizes = list(sizes)
    if -1 in sizes:
        known = math.prod(n for n in sizes if n != -1)
        sizes[sizes.index(-1)] = x.shape[dim] // known
    return reshape(x, shape=(*x.shape[:dim], *sizes, *x.shape[dim + 1 :]))


def rot90(x: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """`k` quarter turns in the plane of two axes, from the first toward the second."""
    first, second = (axis(d, x.ndim) for d in dims)
    if k % 4 == 0:
        return x
    if k % 4 == 2:
        return flip(x, dims=(first, second))
    turned = flip(x, dims=second) if k % 4 == 1 else flip(x, dims=first)
    return transpose(turned, first, second)


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
