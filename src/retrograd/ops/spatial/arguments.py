"""Arguments of operations over spatial axes: one number for all of them, or one for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.autodiff import tape
from retrograd.autodiff.tape import Tensor
from retrograd.ops.linalg.products import matmul
from retrograd.ops.shapes.shape import Shape, reshape, unsqueeze

Sizes = int | Sequence[int]


def sizes(function: str, argument: str, value: Any, axes: int, least: int = 1) -> Shape:
    """`value` for each of `axes` spatial axes.

    Raises ValueError if there are too few or too many, or one is below `least`.
    """
    given = (value,) if isinstance(value, int | np.integer) else tuple(value)
    full = given * axes if len(given) == 1 else given
    if len(full) != axes or any(n < least for n in full):
        raise ValueError(
            f"{function}: {argument} must be a whole number of at least {least}, or {axes} of "
            f"them, one for each spatial axis; found {value!r}"
        )
    return tuple(int(n) for n in full)


def tensor(value: Any) -> Tensor:
    """A tensor as it is, other values as a tensor."""
    return value if isinstance(value, tape.tensor_type) else tape.tensor_type(value)


def batched(function: str, input: Any, axes: int) -> tuple[Tensor, bool]:
    """`input` as (n, c, spatial), and whether it came without a batch axis, as (c, spatial).

    Raises ValueError for another number of axes.
    """
    x = tensor(input)
    if x.ndim == axes + 1:
        return unsqueeze(x, 0), True
    if x.ndim != axes + 2:
        raise ValueError(
            f"{function}: the input must have the axes (batch, channels, {axes} spatial), or those "
            f"without the batch; found the shape {tuple(x.shape)}"
        )
    return x, False


def along(x: Tensor, weights: np.ndarray[Any, Any], axis: int) -> Tensor:
    """Each vector along `axis` times the constant matrix `weights`, (out, in)."""
    n = x.shape[axis]
    matrix = weights.astype(x.dtype)
    if axis == x.ndim - 1:
        return matmul(x, matrix.T)
    columns = reshape(x, shape=(math.prod(x.shape[:axis]), n, math.prod(x.shape[axis + 1 :])))
    return reshape(
        matmul(matrix, columns), shape=(*x.shape[:axis], len(matrix), *x.shape[axis + 1 :])
    )
