"""Powers and exponentials of matrices."""

from __future__ import annotations

from retrograd.autodiff.tape import Tensor
from retrograd.ops.linalg.products import matmul
from retrograd.ops.linalg.solve import eye_like, inv, solve
from retrograd.ops.shapes.shape import broadcast_to

__all__ = ["matrix_exp", "matrix_power"]


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


# The coefficients of Padé's approximant of order 13 (Higham 2005, table 2.3).
_PADE = (
    *(64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0),
    *(129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0),
    *(1323241920.0, 40840800.0, 960960.0, 16380.0, 182.0, 1.0),
)


def matrix_exp(a: Tensor) -> Tensor:
    """The exponential of square matrices, by scaling and squaring (Higham 2005).

    Always scaled by 2⁸, so that a compiled step needs no norm: right for ‖A‖₁ up to about 1000.
    """
    squarings = 8
    one = broadcast_to(eye_like(a), shape=a.shape)
    small = a / 2**squarings
    square = matmul(small, small)
    power, odd, even = one, one * 0, one * 0
    for k in range(0, 14, 2):
        even = even + power * (_PADE[k] / _PADE[0])
        odd = odd + power * (_PADE[k + 1] / _PADE[0])
        power = matmul(power, square)
    odd = matmul(small, odd)
    result = solve(even - odd, even + odd)
    for _ in range(squarings):
        result = matmul(result, result)
    return result
