"""Products of matrices.

Legend: n batch, i in, o out.
"""

from __future__ import annotations

import math
from typing import Any

from retrograd.arrays import Array, Namespace
from retrograd.autodiff import tape
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.reduce import sum
from retrograd.ops.shape import reshape, squeeze, unsqueeze


@primitive
def matrix_product(xp: Namespace, a: Array, b: Array) -> Array:
    """(..., n, k) @ (..., k, m) -> (..., n, m), for operands with two axes or more."""
    return a @ b


@primitive
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


@primitive
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
