"""Normalization: the mean taken away, divided by the standard deviation."""

from __future__ import annotations

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.powers import rsqrt
from retrograd.ops.reductions.sums import axes, count, mean
from retrograd.ops.shapes.shape import Shape


@primitive(single=True)
def normalize(
    xp: Namespace, x: Array, *, dim: int | Shape, eps: float = 1e-5
) -> tuple[Array, Array, Array]:
    """x̂ = (x - μ) / sqrt(σ² + eps), with the mean μ and the variance σ² over `dim` beside it.

    σ² is divided by the number of elements; μ and σ² keep the folded axes with size 1.
    """
    folded = axes(dim, x.ndim)
    mu = xp.mean(x, axis=folded, keepdims=True)
    centered = x - mu
    variance = xp.mean(xp.square(centered), axis=folded, keepdims=True)
    # eps in x's own type: NumPy makes bfloat16 plus a Python number float32.
    return centered * xp.reciprocal(xp.sqrt(variance + x.dtype.type(eps))), mu, variance


def _through_statistics(
    g: tuple[Tensor, Tensor, Tensor],
    out: tuple[Tensor, Tensor, Tensor],
    x_shape: Shape,
    dim: int | Shape,
    eps: float,
) -> Tensor:
    """x moves x̂ directly and through μ and σ².

    dx = s (ĝ - mean(ĝ) - x̂ mean(ĝ x̂)) + dμ / n + 2 (x - μ) dσ² / n, where s = 1 / sqrt(σ² + eps)
    and x - μ = x̂ / s; what dμ and dσ² add is folded into the two means, which are small.
    """
    g_hat, g_mu, g_variance = g
    x_hat, _, variance = out
    s = rsqrt(variance + eps)
    n = count(x_shape, dim)
    constant = mean(g_hat, dim=dim, keepdim=True) - g_mu / (n * s)
    along = mean(g_hat * x_hat, dim=dim, keepdim=True) - 2 * g_variance / (n * s * s)
    return s * (g_hat - constant - x_hat * along)


normalize.pullbacks(x=_through_statistics)
