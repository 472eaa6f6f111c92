"""Samples of comparisons, logic and positions."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from support.samples.kinds import Op, binary, numbers, sample, unary

# Pairs that differ and one whose elements partly agree.
COMPARED = [*binary(), sample(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))]

SAME = [*COMPARED, *(sample(x, x) for x in (np.array([1.0, 2.0]), np.array(3), np.zeros((0, 2))))]

LOGICAL = [
    sample(np.array([True, True, False, False]), np.array([True, False, True, False])),
    sample(np.array([[True], [False]]), np.array([True, False])),
    sample(np.array([0.0, 2.0]), np.array([1.0, 1.0])),
    sample(np.array([True, False]), True),
    sample(np.zeros((0,), bool), np.zeros((0,), bool)),
]

# Integers and booleans; the shifts take whole numbers of bits.
BITS = [
    sample(np.array([6, -3, 0]), np.array([3, 5, 1]), how=how)
    for how in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift")
] + [
    sample(np.array([True, True, False]), np.array([True, False, False]), how="bitwise_xor"),
    sample(np.array([[6], [1]], np.uint8), np.array([3, 4], np.uint8), how="bitwise_or"),
]

SPECIAL = [*unary(), sample(np.array([0.0, np.nan, np.inf, -np.inf]))]


def positions(function):
    def oracle(x, dim=None, keepdim=False):
        return function(x, axis=dim, keepdims=keepdim)

    samples = [
        sample(numbers()),
        sample(numbers(4)),
        sample(numbers(2, 3)),
        sample(numbers(2, 3), dim=1),
        sample(numbers(2, 1, 3), dim=-1, keepdim=True),
        sample(numbers(0, 3), dim=1),
        sample(np.array([1.0, 2.0, 2.0, 1.0]), dim=0),  # the first of equal ones
    ]
    return Op(oracle, samples)


COMPARE = {
    "eq": Op(jnp.equal, COMPARED),
    "same_elements": Op(jnp.array_equal, SAME),
    "not_equal": Op(jnp.not_equal, COMPARED),
    "less": Op(jnp.less, COMPARED),
    "less_equal": Op(jnp.less_equal, COMPARED),
    "greater": Op(jnp.greater, COMPARED),
    "greater_equal": Op(jnp.greater_equal, COMPARED),
    "combined_bits": Op(lambda x, y, how: getattr(jnp, how)(x, y), BITS),
    "bitwise_not": Op(jnp.bitwise_not, [sample(each.operands[0]) for each in BITS]),
    **{
        name: Op(getattr(jnp, name), [sample(*each.operands) for each in BITS[: 5 + both]])
        for name, both in {
            "bitwise_and": 2,
            "bitwise_left_shift": 0,
            "bitwise_or": 2,
            "bitwise_right_shift": 0,
            "bitwise_xor": 2,
        }.items()
    },
    "logical_and": Op(jnp.logical_and, LOGICAL),
    "logical_or": Op(jnp.logical_or, LOGICAL),
    "logical_not": Op(jnp.logical_not, [sample(each.operands[0]) for each in LOGICAL]),
    "isnan": Op(jnp.isnan, SPECIAL),
    "isfinite": Op(jnp.isfinite, SPECIAL),
    "argmax": positions(jnp.argmax),
    "argmin": positions(jnp.argmin),
}
