"""Special functions of statistics and science."""

from __future__ import annotations

import math
from typing import Any

from retrograd.arrays import Array, Namespace, special
from retrograd.autodiff.precision import floating
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.arithmetic import abs, along_slope, multiply, sign
from retrograd.ops.elementwise.comparison import isnan
from retrograd.ops.elementwise.exponential import exp, log, log1p
from retrograd.ops.elementwise.powers import square
from retrograd.ops.elementwise.selection import where

__all__ = [
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "lgamma",
    "log_ndtr",
    "logit",
    "mvlgamma",
    "ndtr",
    "ndtri",
    "polygamma",
    "xlog1py",
    "xlogy",
]


def logit(x: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), the inverse of `sigmoid`; x is first held within [eps, 1 - eps]."""
    if eps is None:
        return log(x) - log1p(-x)
    held = where(x < eps, eps, where(x > 1 - eps, 1 - eps, x))
    return log(held) - log1p(-held)


@primitive(single=True)
def erf(xp: Namespace, x: Array) -> Array:
    """The error function, 2/√π ∫₀ˣ exp(-t²) dt."""
    return special(xp).erf(x)


erf.pullbacks(x=lambda g, x: g * (2 / math.sqrt(math.pi) * exp(-square(x))))


def xlogy(x: Tensor, y: Tensor) -> Tensor:
    """x log(y), and 0 where x is 0 (whatever y, but for NaN)."""
    return _times_logarithm(x, y, log, 1.0)


def xlog1py(x: Tensor, y: Tensor) -> Tensor:
    """x log(1 + y), and 0 where x is 0 (whatever y, but for NaN)."""
    return _times_logarithm(x, y, log1p, 0.0)


def _times_logarithm(x: Any, y: Any, logarithm: Any, one: float) -> Tensor:
    """x logarithm(y); `one` is where the logarithm is 0."""
    bad = multiply(x, logarithm(y))
    none = (bad != bad) & (multiply(x, 1) == 0) & ~isnan(y)
    return multiply(x, logarithm(where(none, one, y)))


def entr(x: Tensor) -> Tensor:
    """-x log(x), the entropy of a probability: 0 at 0, and -inf below."""
    inside = x > 0
    safe = where(inside, x, 1.0)
    outside = where(x == 0, 0.0, where(x < 0, -math.inf, x))
    return where(inside, -safe * log(safe), outside)


@primitive(single=True)
def erfc(xp: Namespace, x: Array) -> Array:
    """1 - erf(x), accurate in the tail."""
    return special(xp).erfc(x)


erfc.pullbacks(x=lambda g, x: g * (-2 / math.sqrt(math.pi) * exp(-square(x))))


@primitive(single=True)
def erfinv(xp: Namespace, x: Array) -> Array:
    """The number whose error function is x."""
    return special(xp).erfinv(x)


erfinv.pullbacks(
    x=lambda g, out: along_slope(g, math.sqrt(math.pi) / 2 * exp(square(out))),
)


@primitive(single=True)
def erfcx(xp: Namespace, x: Array) -> Array:
    """exp(x²) erfc(x), which stays in range where its factors do not."""
    return special(xp).erfcx(x)


erfcx.pullbacks(x=lambda g, x, out: g * (2 * x * out - 2 / math.sqrt(math.pi)))


def ndtr(x: Tensor) -> Tensor:
    """The standard normal distribution function."""
    return erfc(x * -math.sqrt(0.5)) * 0.5


@primitive(single=True)
def log_ndtr(xp: Namespace, x: Array) -> Array:
    """The logarithm of the standard normal distribution function, accurate in the tail."""
    return special(xp).log_ndtr(x)


# φ(x) / Φ(x) in the scaled form: both vanish in the lower tail, their quotient does not.
log_ndtr.pullbacks(
    x=lambda g, x: g * (math.sqrt(2 / math.pi) / erfcx(x * -math.sqrt(0.5))),
)


@primitive(single=True)
def ndtri(xp: Namespace, p: Array) -> Array:
    """The standard normal quantile of p."""
    return special(xp).ndtri(p)


ndtri.pullbacks(
    p=lambda g, out: along_slope(g, math.sqrt(2 * math.pi) * exp(square(out) / 2)),
)


@primitive(single=True)
def lgamma(xp: Namespace, x: Array) -> Array:
    """log |Γ(x)|."""
    return special(xp).gammaln(x)


lgamma.pullbacks(x=lambda g, x: along_slope(g, digamma(x)))


@primitive(single=True)
def polygamma_at(xp: Namespace, x: Array, *, n: int) -> Array:
    """The derivative of order n of digamma, which is itself the slope of `lgamma`."""
    functions = special(xp)
    if n == 0:
        return functions.digamma(x) if xp.__name__ == "numpy" else _digamma_reflected(xp, x)
    total = functions.zeta(n + 1.0, x) if xp.__name__ == "numpy" else _zeta_raised(xp, n + 1, x)
    return (total * ((-1.0) ** (n + 1) * math.factorial(n))).astype(x.dtype)


def _zeta_raised(xp: Namespace, s: int, x: Array) -> Array:
    """ζ(s, x) = Σ 1/(x + k)ˢ + ζ(s, x + 16) over k < 16, for x above -16.

    XLA's own series is wrong by a percent in float32 for x below -8.
    """
    terms = (x[..., None] + xp.arange(16, dtype=x.dtype)) ** -s
    return xp.sum(terms, axis=-1) + special(xp).zeta(xp.asarray(s, x.dtype), x + 16)


def _digamma_reflected(xp: Namespace, x: Array) -> Array:
    """ψ(x) = ψ(1 - x) - π / tan(πx) for negative x, with x reduced to (-1/2, 1/2] exactly first.

    XLA's own digamma rounds πx instead, which in float32 is wrong by a percent near the poles.
    """
    negative = x < 0
    angle = xp.where(negative, x - xp.round(x), 0.5)
    # A pole lies between -inf and inf.
    reflected = xp.where(angle == 0, xp.nan, math.pi / xp.tan(math.pi * angle))
    found = special(xp).digamma(xp.where(negative, 1 - x, x)) - xp.where(negative, reflected, 0)
    return xp.where(x == 0, xp.copysign(xp.inf, -x), found)  # XLA's is NaN there


polygamma_at.pullbacks(x=lambda g, x, n: along_slope(g, polygamma(n + 1, x)))


def digamma(x: Tensor) -> Tensor:
    """d log Γ(x) / dx; NaN at the poles, -inf at 0."""
    return polygamma(0, x)


def polygamma(n: int, x: Tensor) -> Tensor:
    """The derivative of order `n` of `digamma`. Raises ValueError for a negative order."""
    if n < 0:
        raise ValueError(f"polygamma: the order must not be negative, found {n}")
    return polygamma_at(floating(x), n=n)


def mvlgamma(x: Tensor, p: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension p, for x > (p - 1) / 2."""
    total = lgamma(x)
    for i in range(1, p):
        total = total + lgamma(x - i / 2)
    return total + p * (p - 1) / 4 * math.log(math.pi)


@primitive(single=True)
def i0e(xp: Namespace, x: Array) -> Array:
    """exp(-|x|) I₀(x), the modified Bessel function of order 0, which stays in range."""
    return special(xp).i0e(x)


@primitive(single=True)
def i1e(xp: Namespace, x: Array) -> Array:
    """exp(-|x|) I₁(x), the modified Bessel function of order 1, which stays in range."""
    return special(xp).i1e(x)


def _i1e_slope(g: Tensor, x: Tensor, out: Tensor) -> Tensor:
    """I₁' = I₀ - I₁/x, which tends to 1/2 at 0."""
    zero = x == 0
    ratio = where(zero, 0.5, out / where(zero, 1.0, x))
    return g * (i0e(x) - ratio - sign(x) * out)


i0e.pullbacks(x=lambda g, x, out: g * (i1e(x) - sign(x) * out))
i1e.pullbacks(x=_i1e_slope)


def i0(x: Tensor) -> Tensor:
    """I₀(x), the modified Bessel function of order 0."""
    return i0e(x) * exp(abs(x))


def i1(x: Tensor) -> Tensor:
    """I₁(x), the modified Bessel function of order 1."""
    return i1e(x) * exp(abs(x))
