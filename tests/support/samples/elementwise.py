"""Samples of the elementwise operations."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from support.samples.kinds import Op, binary, numbers, sample, unary

MASK = np.array([True, False, True])

POWERS = [
    *binary(low=0.3, high=2.5),
    *(sample(numbers(4), exponent) for exponent in (0, 1, 2, 3, -1, 2.0)),
    sample(numbers(4, low=0.3, high=2.0), 0.5),
    sample(numbers(4, low=0.3, high=2.0), -0.5),
    sample(numbers(2, 2, low=0.3, high=2.0), np.array([0.0, 3.0])),
]

CHOICES = [
    sample(MASK, numbers(3), numbers(3, seed=1)),
    sample(MASK, numbers(2, 3), numbers(2, 1, seed=1)),
    sample(np.array([[True], [False]]), numbers(3), numbers(2, 3, seed=1)),
    sample(MASK, numbers(), numbers(2, 3)),
    sample(MASK, numbers(3), 1.5),
    sample(MASK, -0.5, numbers(3)),
    sample(True, numbers(3), numbers()),
    sample(np.zeros((0,), bool), numbers(0), numbers(1)),
]

CLIPS = [
    *(sample(each.operands[0], min=-0.55, max=1.05) for each in unary()),
    sample(numbers(5), min=0.05),
    sample(numbers(5), max=0.05),
]

CASTS = [
    *(sample(each.operands[0], dtype=np.dtype(np.float32)) for each in unary()),
    sample(numbers(3), dtype=np.dtype(np.float64)),
    sample(numbers(3), dtype=np.dtype(np.int64)),
    sample(np.array([1, 0, 2]), dtype=np.dtype(np.float32)),
    sample(MASK, dtype=np.dtype(np.float64)),
]

ELEMENTWISE = {
    "add": Op(jnp.add, binary()),
    "subtract": Op(jnp.subtract, binary()),
    "multiply": Op(jnp.multiply, binary()),
    "divide": Op(jnp.true_divide, binary(low=0.3, high=2.5)),
    "along_slope": Op(jnp.multiply, binary()),
    "power": Op(jnp.power, POWERS),
    "maximum": Op(jnp.maximum, binary()),
    "minimum": Op(jnp.minimum, binary()),
    "where": Op(jnp.where, CHOICES),
    "negative": Op(jnp.negative, unary()),
    "exp": Op(jnp.exp, unary()),
    "expm1": Op(jnp.expm1, unary()),
    "log": Op(jnp.log, unary(low=0.3, high=3.0)),
    "log1p": Op(jnp.log1p, unary(low=-0.6, high=2.0)),
    "sqrt": Op(jnp.sqrt, unary(low=0.3, high=3.0)),
    "rsqrt": Op(jax.lax.rsqrt, unary(low=0.3, high=3.0)),
    "square": Op(jnp.square, unary()),
    "erf": Op(jax.scipy.special.erf, unary()),
    "tanh": Op(jnp.tanh, unary()),
    "sigmoid": Op(jax.nn.sigmoid, unary()),
    "where_positive": Op(lambda x, sign: jnp.where(sign > 0, x, 0), binary()[:9]),
    "relu": Op(jax.nn.relu, unary()),
    "softplus": Op(jax.nn.softplus, unary()),
    "abs": Op(jnp.abs, unary()),
    "sign": Op(jnp.sign, unary()),
    "clip": Op(jnp.clip, CLIPS),
    "clip_between": Op(jnp.clip, CLIPS),
    # Finite differences cannot see through float32's rounding.
    "cast": Op(lambda x, dtype: x.astype(dtype), CASTS, order=0),
}
