"""Norms and condition numbers of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence

from retrograd.autodiff.precision import in_single
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import abs
from retrograd.ops.linalg.decompositions import svdvals
from retrograd.ops.linalg.solve import inv
from retrograd.ops.names import numpy_names
from retrograd.ops.reductions.extremes import amax, amin
from retrograd.ops.reductions.norms import norm
from retrograd.ops.reductions.sums import sum
from retrograd.ops.shapes.shape import axis, movedim, reshape

__all__ = ["condition_number", "matrix_norm"]


@numpy_names
@in_single
def matrix_norm(
    a: Tensor, ord: str | float = "fro", dim: Sequence[int] = (-2, -1), keepdim: bool = False
) -> Tensor:
    """A norm of the matrices over two axes: "fro", "nuc", or 1, -1, 2, -2, inf, -inf.

    The root of the sum of squares, the sum of singular values, the largest (smallest for negative
    ones) column sum, singular value, row sum. Raises ValueError for another.
    """
    moved = movedim(a, tuple(dim), (-2, -1))
    if ord == "fro":
        value = norm(moved, 2, (-2, -1))
    elif ord == "nuc":
        value = sum(svdvals(moved), dim=-1)
    elif ord in (1, -1, math.inf, -math.inf):
        sums = sum(abs(moved), dim=-2 if math.fabs(float(ord)) == 1 else -1)
        value = amax(sums, dim=-1) if float(ord) > 0 else amin(sums, dim=-1)
    elif ord in (2, -2):
        value = (amax if ord == 2 else amin)(svdvals(moved), dim=-1)
    else:
        raise ValueError(
            f"matrix_norm: ord {ord!r} is not one of fro, nuc, 1, -1, 2, -2, inf, -inf"
        )
    if keepdim:
        folded = {axis(d, a.ndim) for d in dim}
        value = reshape(value, shape=tuple(1 if i in folded else n for i, n in enumerate(a.shape)))
    return value


@in_single
def condition_number(a: Tensor, p: str | float | None = None) -> Tensor:
    """The condition number of matrices: ‖A‖ ‖A⁻¹‖, by default in the 2-norm (of any shape)."""
    if p is None or p in (2, -2):
        values = svdvals(a)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    return matrix_norm(a, p) * matrix_norm(inv(a), p)
