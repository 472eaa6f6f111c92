"""Questions about many elements: whether any or all of them count, and how many do."""

from __future__ import annotations

from typing import NamedTuple

from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.comparison import eq, not_equal
from retrograd.ops.names import numpy_names
from retrograd.ops.reductions.extremes import amax, amin
from retrograd.ops.reductions.sums import Dim, mean, std, sum, var

__all__ = ["all", "aminmax", "any", "count_nonzero", "std_mean", "var_mean"]


@numpy_names
def any(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether an element over `dim` is not 0 (NaN is not); False for none."""
    return count_nonzero(x, dim, keepdim) > 0


@numpy_names
def all(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether no element over `dim` is 0; True for none."""
    return eq(sum(eq(x, 0).astype("int64"), dim=dim, keepdim=keepdim), 0)


@numpy_names
def count_nonzero(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """How many elements over `dim` are not 0."""
    return sum(not_equal(x, 0).astype("int64"), dim=dim, keepdim=keepdim)


class Bounds(NamedTuple):
    """The smallest and the largest elements."""

    min: Tensor
    max: Tensor


def aminmax(x: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Bounds:
    """The smallest and the largest elements over `dim`, as `(min, max)`."""
    return Bounds(amin(x, dim=dim, keepdim=keepdim), amax(x, dim=dim, keepdim=keepdim))


@numpy_names
def var_mean(
    x: Tensor, dim: Dim = None, *, correction: float = 1, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """The variance and the mean over `dim`."""
    return (
        var(x, dim=dim, correction=correction, keepdim=keepdim),
        mean(x, dim=dim, keepdim=keepdim),
    )


@numpy_names
def std_mean(
    x: Tensor, dim: Dim = None, *, correction: float = 1, keepdim: bool = False
) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean over `dim`."""
    return (
        std(x, dim=dim, correction=correction, keepdim=keepdim),
        mean(x, dim=dim, keepdim=keepdim),
    )
