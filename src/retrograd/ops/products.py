"""Products of vectors and matrices beyond `matmul`, and norms of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from retrograd.autodiff.tape import Tensor
from retrograd.ops.decompose import svdvals
from retrograd.ops.elementwise import abs
from retrograd.ops.linalg import matmul
from retrograd.ops.names import numpy_names
from retrograd.ops.rearrange import diagonal, movedim, roll
from retrograd.ops.reduce import amax, amin, norm, sum
from retrograd.ops.shape import broadcast_to, permute, reshape, stack, unsqueeze
from retrograd.ops.solve import inv

__all__ = [
    "condition_number",
    "cross",
    "dot",
    "inner",
    "kron",
    "matrix_norm",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vander",
    "vecdot",
]


def dot(a: Tensor, b: Tensor) -> Tensor:
    """The sum of the products of two vectors. Raises ValueError for anything but vectors."""
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"dot: expected two vectors, found the shapes {a.shape} and {b.shape}")
    return matmul(a, b)


def outer(a: Tensor, b: Tensor) -> Tensor:
    """Every product of an element of vector a and one of vector b, (n,), (m,) -> (n, m)."""
    return unsqueeze(a, 1) * unsqueeze(b, 0)


def inner(a: Tensor, b: Tensor) -> Tensor:
    """Sums of products over the last axes, (..., k), (*more, k) -> (..., *more)."""
    return a * b if a.ndim == 0 or b.ndim == 0 else tensordot(a, b, ([-1], [-1]))


def vecdot(a: Tensor, b: Tensor, dim: int = -1) -> Tensor:
    """The sum of products along one axis; the others broadcast."""
    return sum(a * b, dim=dim)


def tensordot(a: Tensor, b: Tensor, dims: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """Sums of products over the last `dims` axes of a and first of b, or over two lists of axes."""
    if isinstance(dims, int):
        dims = (range(a.ndim - dims, a.ndim), range(dims))
    first, second = [d % a.ndim for d in dims[0]], [d % b.ndim for d in dims[1]]
    sizes = {d: max(a.shape[d], b.shape[e]) for d, e in zip(first, second, strict=True)}
    a = broadcast_to(a, shape=tuple(sizes.get(d, n) for d, n in enumerate(a.shape)))
    sizes = {e: a.shape[d] for d, e in zip(first, second, strict=True)}
    b = broadcast_to(b, shape=tuple(sizes.get(e, n) for e, n in enumerate(b.shape)))
    rest_a = [d for d in range(a.ndim) if d not in first]
    rest_b = [d for d in range(b.ndim) if d not in second]
    folded = math.prod(a.shape[d] for d in first)
    shape = (*(a.shape[d] for d in rest_a), *(b.shape[d] for d in rest_b))
    rows = math.prod(a.shape[d] for d in rest_a)
    left = reshape(permute(a, dims=(*rest_a, *first)), shape=(rows, folded))
    columns = math.prod(b.shape[d] for d in rest_b)
    right = reshape(permute(b, dims=(*second, *rest_b)), shape=(folded, columns))
    return reshape(matmul(left, right), shape=shape)


def kron(a: Tensor, b: Tensor) -> Tensor:
    """Kronecker's product: b once for each element of a, multiplied by it."""
    rank = max(a.ndim, b.ndim)
    wide = (1,) * (rank - a.ndim) + tuple(a.shape)
    deep = (1,) * (rank - b.ndim) + tuple(b.shape)
    spread = reshape(a, shape=tuple(size for n in wide for size in (n, 1)))
    each = reshape(b, shape=tuple(size for n in deep for size in (1, n)))
    return reshape(spread * each, shape=tuple(n * m for n, m in zip(wide, deep, strict=True)))


def trace(a: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix."""
    return sum(diagonal(a))


def cross(a: Tensor, b: Tensor, dim: int = -1) -> Tensor:
    """The cross product of vectors of 3 numbers along `dim`."""
    shape = np.broadcast_shapes(a.shape, b.shape)
    a, b = broadcast_to(a, shape=shape), broadcast_to(b, shape=shape)
    # a₂b₃ - a₃b₂ and so on: each factor is the next one along the axis.
    return roll(a, -1, dim) * roll(b, -2, dim) - roll(a, -2, dim) * roll(b, -1, dim)


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of several matrices (the outer two may be vectors), in the cheapest order."""
    tensors = list(tensors)
    while len(tensors) > 2:
        # Greedy: contract the largest inner size first, which is what costs most when it stays.
        inner_sizes = [x.shape[-1] for x in tensors[:-1]]
        at = max(range(len(inner_sizes)), key=inner_sizes.__getitem__)
        tensors[at : at + 2] = [matmul(tensors[at], tensors[at + 1])]
    return matmul(*tensors)


def vander(x: Tensor, N: int | None = None) -> Tensor:
    """The powers 0 to N - 1 of each element, (..., n) -> (..., n, N), N being n by default."""
    x = reshape(x, shape=(1,)) if x.ndim == 0 else x
    count = x.shape[-1] if N is None else N
    powers = [x * 0 + 1]
    for _ in range(count - 1):
        powers.append(powers[-1] * x)
    return stack(powers[:count], -1)


@numpy_names
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
        raise ValueError(f"matrix_norm: ord {ord!r} is none of fro, nuc, 1, -1, 2, -2, inf, -inf")
    if keepdim:
        folded = {d % a.ndim for d in dim}
        value = reshape(value, shape=tuple(1 if i in folded else n for i, n in enumerate(a.shape)))
    return value


def condition_number(a: Tensor, p: str | float | None = None) -> Tensor:
    """The condition number of matrices: ‖A‖ ‖A⁻¹‖, by default in the 2-norm (of any shape)."""
    if p is None or p in (2, -2):
        values = svdvals(a)
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    return matrix_norm(a, p) * matrix_norm(inv(a), p)
