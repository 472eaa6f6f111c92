"""Elements in order, and order statistics: medians and quantiles."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff import tape
from retrograd.autodiff.precision import floating, in_single
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.comparison import isnan
from retrograd.ops.elementwise.rounding import ceil, floor, round
from retrograd.ops.elementwise.selection import clip, where
from retrograd.ops.indexing.index import getitem, take_along_axis
from retrograd.ops.names import numpy_names
from retrograd.ops.reductions.extremes import Extreme
from retrograd.ops.reductions.sums import sum
from retrograd.ops.shapes.shape import axis, movedim, reshape, squeeze, unsqueeze

__all__ = ["argsort", "kthvalue", "median", "nanmedian", "nanquantile", "quantile", "sort", "topk"]


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


def topk(x: Tensor, k: int, dim: int = -1, largest: bool = True) -> Sorted:
    """The `(values, indices)` of the k largest (or smallest) elements along `dim`, best first.

    Raises IndexError for an axis that does not exist, ValueError for more elements than it has.
    """
    dim = axis(dim, x.ndim)
    size = x.shape[dim] if x.ndim else 1
    if not 0 <= k <= size:
        raise ValueError(f"topk: k must be from 0 to {size}, the size of axis {dim}; found {k}")
    if x.ndim == 0:
        values, indices = topk(unsqueeze(x, 0), k, 0, largest)
        return Sorted(reshape(values, shape=()), reshape(indices, shape=()))
    order = argsort(x, dim=dim, descending=largest)
    indices = getitem(order, (*(slice(None),) * dim, slice(0, k)))
    return Sorted(take_along_axis(x, indices, dim=dim), indices)


def _at_rank(x: Tensor, rank: Tensor | Array, dim: int, keepdim: bool) -> Extreme:
    """The element of each rank along `dim` (one for each position of the others), and where."""
    indices = take_along_axis(argsort(x, dim=dim), rank, dim=dim)
    values = take_along_axis(x, indices, dim=dim)
    if keepdim:
        return Extreme(values, indices)
    return Extreme(squeeze(values, dim), squeeze(indices, dim))


@numpy_names
def kthvalue(x: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Extreme:
    """The `(values, indices)` of the k-th smallest element along `dim`, counted from 1.

    Raises ValueError for a `k` outside the axis.
    """
    if x.ndim == 0:
        return kthvalue(unsqueeze(x, 0), k, 0)
    if not 1 <= k <= x.shape[dim]:
        raise ValueError(f"kthvalue: k must be from 1 to {x.shape[dim]}, found {k}")
    return _at_rank(x, np.full((1,) * x.ndim, k - 1), dim, keepdim)


def _middle(x: Tensor, dim: int, keepdim: bool, ignore_nan: bool) -> Extreme:
    if x.ndim == 0:
        return _middle(unsqueeze(x, 0), 0, False, ignore_nan)
    n = x.shape[dim]
    missing = sum(isnan(x).astype(np.int64), dim=dim, keepdim=True)
    # NaN sorts last, so the last rank is NaN if anything is.
    lower = (n - 1 - missing).data // 2
    rank = lower.clip(0) if ignore_nan else where(missing > 0, n - 1, (n - 1) // 2)
    return _at_rank(x, rank, dim, keepdim)


@numpy_names
def median(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | Extreme:
    """The median, or with `dim` the `(values, indices)` along it: the lower one of two, as PyTorch.

    NaN if anything is. For the mean of the two see `quantile(x, 0.5)`.
    """
    if dim is None:
        return _middle(reshape(x, shape=(-1,)), 0, False, ignore_nan=False).values
    return _middle(x, dim, keepdim, ignore_nan=False)


@numpy_names
def nanmedian(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor | Extreme:
    """The median of what is not NaN, otherwise as `median`."""
    if dim is None:
        return _middle(reshape(x, shape=(-1,)), 0, False, ignore_nan=True).values
    return _middle(x, dim, keepdim, ignore_nan=True)


@numpy_names
def quantile(
    x: Tensor,
    q: float | Tensor | Array,
    dim: int | None = None,
    keepdim: bool = False,
    interpolation: str = "linear",
) -> Tensor:
    """The quantiles `q` (from 0 to 1) along `dim`, or of all elements; several make a first axis.

    Between two elements: "linear", "lower", "higher", "nearest" or "midpoint". NaN if anything is.
    Raises ValueError for another interpolation.
    """
    return _quantile(x, q, dim, keepdim, interpolation, ignore_nan=False)


@numpy_names
def nanquantile(
    x: Tensor,
    q: float | Tensor | Array,
    dim: int | None = None,
    keepdim: bool = False,
    interpolation: str = "linear",
) -> Tensor:
    """The quantiles of what is not NaN, otherwise as `quantile`."""
    return _quantile(x, q, dim, keepdim, interpolation, ignore_nan=True)


@in_single
def _quantile(
    x: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Tensor:
    x = floating(x)
    rank = x.ndim
    whole = dim is None or rank == 0
    values = reshape(x, shape=(-1,)) if whole else movedim(x, dim or 0, -1)
    n = values.shape[-1]
    levels = q if isinstance(q, tape.tensor_type) else tape.tensor_type(q, dtype=x.dtype)
    several = levels.ndim > 0
    present = sum((~isnan(values)).astype(x.dtype), dim=-1, keepdim=True)
    places = reshape(levels, shape=(-1,)) * (clip(present, min=1.0) - 1)
    if not ignore_nan:  # NaN sorts last, so the last place is NaN if anything is
        places = where(present < n, n - 1, places)
    ordered = sort(values, -1).values
    lower, upper = floor(places), ceil(places)
    if interpolation == "nearest":
        lower = upper = round(places)
    elif interpolation not in ("linear", "lower", "higher", "midpoint"):
        raise ValueError(
            f"quantile: interpolation {interpolation!r} is not one of linear, lower, higher, "
            "nearest, midpoint"
        )
    below = take_along_axis(ordered, lower.astype(np.int64), dim=-1)
    above = take_along_axis(ordered, upper.astype(np.int64), dim=-1)
    weight = {"linear": places - lower, "midpoint": 0.5, "higher": 1.0}.get(interpolation, 0.0)
    # At a whole place the two are one element, whose slope then comes twice, with weights that sum
    # to 1.
    found = movedim(below + (above - below) * weight, -1, 0)
    if keepdim:
        dim = 0 if whole else axis(dim or 0, rank)
        shape = (1,) * rank if whole else (*found.shape[1 : dim + 1], 1, *found.shape[dim + 1 :])
        found = reshape(found, shape=(found.shape[0], *shape))
    return found if several else squeeze(found, 0)
