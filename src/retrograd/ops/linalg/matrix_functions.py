"""Powers and exponentials of matrices."""

from __future__ import annotations

import numpy as np

from retrograd.arrays import is_traced, namespace
from retrograd.autodiff.precision import floating, in_single
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.selection import where
from retrograd.ops.linalg.products import matmul
from retrograd.ops.linalg.solve import eye_like, inv, solve
from retrograd.ops.shapes.shape import broadcast_to

__all__ = ["matrix_exp", "matrix_power"]


@in_single
def matrix_power(a: Tensor, n: int) -> Tensor:
    """`a` multiplied by itself `n` times; the inverse's power for a negative n."""
    if n < 0:
        return matrix_power(inv(a), -n)
    result = broadcast_to(eye_like(a), shape=a.shape) if n == 0 else None
    while n:
        if n % 2:
            result = a if result is None else matmul(result, a)
        n //= 2
        if n:
            a = matmul(a, a)
    assert result is not None
    return result


_SQUARINGS = 10

# The coefficients of Padé's approximant of order 13 (Higham 2005, table 2.3).
_PADE = (
    *(64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0),
    *(129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0),
    *(1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0),
)


@in_single
def matrix_exp(a: Tensor) -> Tensor:
    """The exponential of square matrices, by scaling and squaring (Higham 2005).

    Each matrix is halved until ‖A‖₁ is at most 1, and what it becomes is squared as often: no more
    than needed, because a squaring doubles the relative error. Right for ‖A‖₁ up to about 1000.
    """
    a = floating(a)
    if 0 in a.shape:
        return a
    xp = namespace(a.data)
    norms = xp.max(xp.sum(xp.abs(a.data), axis=-2, keepdims=True), axis=-1, keepdims=True)
    halvings = xp.ceil(xp.log2(xp.clip(norms, 1, 2.0**_SQUARINGS)))
    one = broadcast_to(eye_like(a), shape=a.shape)
    small = a * (2.0**-halvings).astype(a.dtype)
    square = matmul(small, small)
    power, odd, even = one, one * 0, one * 0
    for k in range(0, 14, 2):
        even = even + power * (_PADE[k] / _PADE[0])
        odd = odd + power * (_PADE[k + 1] / _PADE[0])
        power = matmul(power, square)
    odd = matmul(small, odd)
    result = solve(even - odd, even + odd)
    squarings = _SQUARINGS if is_traced(halvings) else int(np.nanmax(halvings, initial=0))
    for k in range(squarings):
        result = where(halvings > k, matmul(result, result), result)
    return result
