"""Products of vectors and matrices.

Legend: n batch, i in, o out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff import tape
from retrograd.autodiff.precision import in_single
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.linalg.diagonals import diagonal
from retrograd.ops.reductions.sums import sum
from retrograd.ops.shapes.parts import roll, stack
from retrograd.ops.shapes.shape import axis, broadcast_to, permute, reshape, squeeze, unsqueeze

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "linear",
    "matmul",
    "multi_dot",
    "outer",
    "tensordot",
    "trace",
    "vander",
    "vecdot",
]


# XLA sums products of half-precision matrices in float32 by itself; on a GPU in its own units.
@primitive(single="eager")
def matrix_product(xp: Namespace, a: Array, b: Array) -> Array:
    """(..., n, k) @ (..., k, m) -> (..., n, m), for operands with two axes or more."""
    return a @ b


@primitive(single="eager")
def transposed_product(xp: Namespace, a: Array, b: Array) -> Array:
    """aᵀ b: (..., k, n), (..., k, m) -> (..., n, m), the gradient of every weight matrix."""
    return a.mT @ b


matrix_product.pullbacks(
    a=lambda g, b: matrix_product(g, b.mT),  # dA = G Bᵀ
    b=lambda g, a: transposed_product(a, g),  # dB = Aᵀ G
)
transposed_product.pullbacks(
    a=lambda g, b: matrix_product(b, g.mT),  # C = Aᵀ B: dA = B Gᵀ
    b=lambda g, a: matrix_product(a, g),  # dB = A G
)


def matmul(a: Tensor | Array, b: Tensor | Array) -> Tensor:
    """The matrix product, batched over leading axes; a vector counts as a row on the left and a
    column on the right.

    Raises ValueError if the inner sizes differ or an operand is a number.
    """
    a, b = _tensor(a), _tensor(b)
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError("matmul: an operand is a single number; multiply with * instead")
    inner = b.shape[-2] if b.ndim > 1 else b.shape[0]
    if a.shape[-1] != inner:
        raise ValueError(
            f"matmul: the shapes {a.shape} and {b.shape} do not fit: the last size of the first, "
            f"{a.shape[-1]}, must equal the {'second last' if b.ndim > 1 else 'only'} size of the "
            f"second, {inner}"
        )
    if a.ndim == 1:
        return squeeze(matmul(unsqueeze(a, 0), b), -1 if b.ndim == 1 else -2)
    if b.ndim == 1:
        return squeeze(matrix_product(a, unsqueeze(b, 1)), -1)
    if a.ndim > 2 and b.ndim == 2:
        # One large product instead of a batch of small ones, forward and above all backward, where
        # the batched form of dB makes one (k, m) matrix a batch element and sums them afterwards.
        lead = a.shape[:-1]
        flat = matrix_product(reshape(a, shape=(math.prod(lead), a.shape[-1])), b)
        return reshape(flat, shape=(*lead, b.shape[-1]))
    return matrix_product(a, b)


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, tape.tensor_type) else tape.tensor_type(value)


@primitive(single="eager")
def affine(xp: Namespace, x: Array, weight: Array, bias: Array | None = None) -> Array:
    """(n, i), (o, i), (o,) -> (n, o): x Wᵀ + b in one operation."""
    product = x @ weight.T
    return product if bias is None else product + bias


affine.pullbacks(
    x=lambda g, weight: matrix_product(g, weight),  # dX = G W
    weight=lambda g, x: transposed_product(g, x),  # dW = Gᵀ X
    bias=lambda g: sum(g, dim=0),
)


def linear(x: Tensor | Array, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x Wᵀ + b: (..., in), (out, in), (out,) -> (..., out).

    Raises ValueError if the last size of `x` is not the weight's second.
    """
    if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear: the input has shape {tuple(x.shape)}, but the weight {weight.shape} expects "
            f"(..., {weight.shape[1]})"
        )
    if x.ndim == 2:
        return affine(x, weight, bias)
    lead = x.shape[:-1]
    flat = reshape(x, shape=(math.prod(lead), x.shape[-1]))
    return reshape(affine(flat, weight, bias), shape=(*lead, weight.shape[0]))


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


@in_single
def vecdot(a: Tensor, b: Tensor, dim: int = -1) -> Tensor:
    """The sum of products along one axis; the others broadcast."""
    return sum(a * b, dim=dim)


def tensordot(a: Tensor, b: Tensor, dims: int | tuple[Sequence[int], Sequence[int]] = 2) -> Tensor:
    """Sums of products over the last `dims` axes of a and first of b, or over two lists of axes."""
    if isinstance(dims, int):
        dims = (range(a.ndim - dims, a.ndim), range(dims))
    first, second = [axis(d, a.ndim) for d in dims[0]], [axis(d, b.ndim) for d in dims[1]]
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
    """The sum of the diagonal of a matrix. Raises ValueError for anything else."""
    if a.ndim != 2:
        raise ValueError(f"trace: expected a matrix, found the shape {tuple(a.shape)}")
    return sum(diagonal(a))


def cross(a: Tensor, b: Tensor, dim: int = -1) -> Tensor:
    """The cross product of vectors of 3 numbers along `dim`. Raises ValueError for other sizes."""
    if any(each.shape[axis(dim, each.ndim)] != 3 for each in (a, b) if each.ndim):
        raise ValueError(
            f"cross: axis {dim} must have 3 elements, found the shapes {tuple(a.shape)} and "
            f"{tuple(b.shape)}"
        )
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
