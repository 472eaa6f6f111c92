"""Samples of loops and branches, whose functions JAX's arrays and our tensors share."""

from __future__ import annotations

import jax

from retrograd import ops
from support.samples.kinds import Op, numbers, sample

SEQUENCES = [
    sample(numbers(2), numbers(4, 2, seed=1)),
    sample(numbers(), numbers(3, seed=1)),
    sample(numbers(1, 2), numbers(1, 1, 2, seed=1)),
]


def leaky_sum(carry, x):
    carry = carry * x + x * 0.5
    return carry, carry * carry


def by_sign(run):
    """A branch on what the first operand adds up to."""

    def call(x, y):
        return run(x.sum() > 0, lambda x, y: x * y, lambda x, y: y * y * y - x, x, y)

    return call


def doubling(run):
    """Doubled until the first element is large."""

    def call(x):
        return run(lambda x: x.reshape(-1)[0] < 5, lambda x: x * 2 + 1, x)

    return call


def unrolled_while(holds, body, x):
    """JAX's own while loop has no gradient."""
    for _ in range(6):
        x = jax.lax.cond(holds(x), body, lambda x: x, x)
    return x


CONTROL = {
    "scan": Op(
        lambda carry, xs: jax.lax.scan(leaky_sum, carry, xs),
        SEQUENCES,
        call=lambda carry, xs: ops.scan(leaky_sum, carry, xs),
    ),
    "cond": Op(
        by_sign(jax.lax.cond),
        [
            sample(numbers(3, low=0.5), numbers(3, seed=1)),
            sample(numbers(3, high=-0.5), numbers(3, seed=1)),
        ],
        call=by_sign(ops.cond),
    ),
    "while_loop": Op(
        doubling(unrolled_while),
        [
            sample(numbers(low=0.5)),
            sample(numbers(2, 2, low=0.5)),
            sample(numbers(1, low=6, high=7)),
        ],
        call=doubling(lambda *loop: ops.while_loop(*loop, max_steps=6)),
    ),
}
