"""Samples of trigonometric and special functions, and of rounding."""

from __future__ import annotations

import jax.numpy as jnp
import jax.scipy.special
import numpy as np

from support.samples.kinds import Op, numbers, sample

special = jax.scipy.special


def few(**bounds: float):
    """Shapes matter little here, where the rules for them are the elementwise operations'."""
    return [
        sample(numbers(5, **bounds)),
        sample(numbers(1, 2, **bounds)),
        sample(numbers(**bounds)),
    ]


def pairs(**bounds: float):
    return [
        sample(numbers(2, 3, seed=1, **bounds), numbers(3, seed=2, **bounds)),
        sample(numbers(2, 1, seed=1, **bounds), numbers(1, 2, seed=2, **bounds)),
        sample(numbers(0, 2), numbers(2)),
    ]


# Away from whole numbers, where these jump.
STEPS = [
    sample(np.array([-1.7, -0.4, 0.3, 1.6, 2.2])),
    sample(np.array(0.7)),
    sample(numbers(0, 2)),
]
DIVIDED = [
    sample(np.array([7.3, -7.3, 5.2]), np.array([2.1, 2.1, -1.6])),
    sample(np.array([[5.3], [-4.1]]), np.array([1.7, -2.3])),
    sample(np.array([5.3, -4.1]), 1.5),
]

SPECIAL = {
    "sin": Op(jnp.sin, few()),
    "cos": Op(jnp.cos, few()),
    "tan": Op(jnp.tan, few(low=-1.2, high=1.3)),
    "asin": Op(jnp.arcsin, few(low=-0.9, high=0.8)),
    "acos": Op(jnp.arccos, few(low=-0.9, high=0.8)),
    "atan": Op(jnp.arctan, few()),
    "atan2": Op(jnp.arctan2, pairs()),
    "hypot": Op(jnp.hypot, pairs()),
    "sinh": Op(jnp.sinh, few()),
    "cosh": Op(jnp.cosh, few()),
    "asinh": Op(jnp.arcsinh, few()),
    "acosh": Op(jnp.arccosh, few(low=1.2, high=4.0)),
    "atanh": Op(jnp.arctanh, few(low=-0.9, high=0.8)),
    "exp2": Op(jnp.exp2, few()),
    "log2": Op(jnp.log2, few(low=0.3, high=3.0)),
    "log10": Op(jnp.log10, few(low=0.3, high=3.0)),
    "logaddexp": Op(jnp.logaddexp, pairs()),
    "erfc": Op(special.erfc, few()),
    "erfinv": Op(special.erfinv, few(low=-0.8, high=0.9)),
    "erfcx": Op(lambda x: jnp.exp(x * x) * special.erfc(x), few(low=-1.0, high=1.2)),
    "log_ndtr": Op(special.log_ndtr, few()),
    "ndtri": Op(special.ndtri, few(low=0.1, high=0.85)),
    "lgamma": Op(special.gammaln, few(low=0.5, high=4.0)),
    "polygamma_at": Op(
        lambda x, n: special.digamma(x) if n == 0 else special.polygamma(n, x),
        [sample(numbers(2, 2, low=0.5, high=4.0), n=n) for n in (0, 1, 2)],
    ),
    "i0e": Op(special.i0e, few()),
    "i1e": Op(special.i1e, few()),
    "floor": Op(jnp.floor, STEPS),
    "round": Op(
        lambda x, decimals=0: jnp.round(x, decimals),
        [*STEPS, sample(np.array([1.26, -3.14]), decimals=1)],
    ),
    "fmod": Op(jnp.fmod, DIVIDED),
    "remainder": Op(jnp.remainder, DIVIDED),
    "floor_divide": Op(jnp.floor_divide, DIVIDED, order=0),
    "sign_bit": Op(
        lambda x: jnp.where(jnp.signbit(x), -1.0, 1.0).astype(x.dtype),
        [*few(), sample(np.array([0.0, -0.0]))],
        order=0,  # at 0 it jumps
    ),
}
