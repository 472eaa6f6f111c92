"""Tensors put together along their first three axes, and raised to one rank."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np

from retrograd.autodiff.tape import Tensor
from retrograd.ops.shapes.parts import concatenate, stack
from retrograd.ops.shapes.shape import broadcast_to, flip, meshgrid, reshape, transpose

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_tensors",
    "cartesian_prod",
    "column_stack",
    "combinations",
    "dstack",
    "fliplr",
    "flipud",
    "hstack",
    "ravel",
    "t",
    "vstack",
]


def atleast_1d(x: Tensor) -> Tensor:
    """A single number as (1,); anything else as it is."""
    return x if x.ndim else reshape(x, shape=(1,))


def atleast_2d(x: Tensor) -> Tensor:
    """At least two axes: a vector is one row."""
    return x if x.ndim >= 2 else reshape(x, shape=(1, -1))


def atleast_3d(x: Tensor) -> Tensor:
    """At least three axes: (n,) as (1, n, 1), (n, m) as (n, m, 1)."""
    return x if x.ndim >= 3 else reshape(atleast_2d(x), shape=(*atleast_2d(x).shape, 1))


def vstack(tensors: Iterable[Tensor]) -> Tensor:
    """The tensors below one another; vectors are rows."""
    return concatenate([atleast_2d(x) for x in tensors], 0)


def hstack(tensors: Iterable[Tensor]) -> Tensor:
    """The tensors side by side: along axis 1, vectors along their only one."""
    raised = [atleast_1d(x) for x in tensors]
    return concatenate(raised, 0 if raised[0].ndim == 1 else 1)


def dstack(tensors: Iterable[Tensor]) -> Tensor:
    """The tensors behind one another, along axis 2."""
    return concatenate([atleast_3d(x) for x in tensors], 2)


def column_stack(tensors: Iterable[Tensor]) -> Tensor:
    """Vectors as columns, side by side with matrices."""
    return hstack([x if x.ndim > 1 else reshape(x, shape=(-1, 1)) for x in tensors])


def broadcast_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The tensors, each in the shape of all of them together."""
    shape = np.broadcast_shapes(*(x.shape for x in tensors))
    return tuple(broadcast_to(x, shape=shape) for x in tensors)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """Every choice of one element from each vector, as rows."""
    if len(tensors) == 1:
        return tensors[0]
    return stack([reshape(x, shape=(-1,)) for x in meshgrid(*tensors)], 1)


def combinations(x: Tensor, r: int = 2, with_replacement: bool = False) -> Tensor:
    """Every choice of `r` elements of a vector, in their order, as rows."""
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    return x[np.array(list(choose(range(x.shape[0]), r)), np.int64).reshape(-1, r)]


def ravel(x: Tensor) -> Tensor:
    """All elements as one vector."""
    return reshape(x, shape=(-1,))


def t(x: Tensor) -> Tensor:
    """The transpose of a matrix; a vector as it is. Raises ValueError for more than two axes."""
    if x.ndim > 2:
        raise ValueError(
            f"t: expected at most two axes, found the shape {tuple(x.shape)}; .mT exchanges the "
            "last two"
        )
    return transpose(x, 0, 1) if x.ndim == 2 else x


def flipud(x: Tensor) -> Tensor:
    """The rows in reverse order."""
    return flip(x, dims=0)


def fliplr(x: Tensor) -> Tensor:
    """The columns in reverse order."""
    return flip(x, dims=1)
