"""Samples of composed operations: what PyTorch's own leave out of them."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from retrograd import ops
from support.samples.index import ROWS
from support.samples.kinds import Op, numbers, sample
from support.samples.matrices import positive, regular, symmetric


def narrowed(x, dim, start, length):
    return jnp.take(x, (start % x.shape[dim]) + np.arange(length), axis=dim)


COMPOSED = {
    "narrow": Op(
        narrowed,
        [
            sample(numbers(3, 2), dim=0, start=0, length=2),
            sample(numbers(3, 2), dim=0, start=-1, length=1),
            sample(numbers(2, 4), dim=-1, start=1, length=2),
        ],
    ),
    "diagonal": Op(
        lambda x, offset=0, dim1=0, dim2=1: jnp.diagonal(x, offset, dim1, dim2),
        [
            sample(numbers(3, 4)),
            sample(numbers(2, 3), offset=5),
            sample(numbers(2, 3), offset=-4),
            sample(numbers(3, 2, 4), offset=-1, dim1=2, dim2=-3),
            sample(numbers(2, 3, 3), offset=1, dim1=1, dim2=2),
        ],
    ),
    "inner": Op(
        jnp.inner,
        [
            sample(numbers(2, 2, 3), numbers(2, 3, seed=1)),
            sample(numbers(3), numbers(2, 1, 3, seed=1)),
            sample(numbers(2, 3), numbers(seed=1)),
        ],
    ),
    "kron": Op(
        jnp.kron,
        [sample(numbers(2), numbers(2, 3, seed=1)), sample(numbers(2, 3), numbers(2, seed=1))],
    ),
    "multi_dot": Op(
        lambda *x: jnp.linalg.multi_dot(x),
        [sample(numbers(3), numbers(3, 2, seed=1), numbers(2, 2, seed=2), numbers(2, seed=3))],
        call=lambda *x: ops.multi_dot(x),
    ),
    "lerp": Op(
        lambda a, b, weight: a + weight * (b - a),
        [
            sample(numbers(3), numbers(3, seed=1), 0.3),
            sample(numbers(3), numbers(3, seed=1), 0.8),
            sample(numbers(4), numbers(4, seed=1), numbers(4, low=0, high=1)),
        ],
    ),
    "gather": Op(
        lambda x, dim, index: jnp.take_along_axis(x, index.reshape(-1), dim).reshape(index.shape),
        [sample(numbers(4), dim=0, index=np.array(2)), sample(numbers(4), dim=0, index=-ROWS)],
    ),
    "condition_number": Op(
        lambda a, p=None: jnp.linalg.cond(a, p),
        [
            sample(regular(3, 3)),
            sample(regular(2, 3, 3), p=-1),
            sample(regular(3, 3), p=np.inf),
            sample(regular(3, 2), p=-2),
            sample(regular(3, 2), p=2),
            sample(regular(2, 2), p=1),
        ],
        half=False,
    ),
    "cholesky": Op(
        symmetric(lambda a, upper=False: jnp.linalg.cholesky(a, upper=upper)),
        [sample(positive(3, 3)), sample(positive(2, 2, 2), upper=True)],
        call=symmetric(ops.cholesky),
        half=False,
    ),
    "solve": Op(
        lambda a, b, left=True: jnp.linalg.solve(a, b) if left else jnp.linalg.solve(a.mT, b.mT).mT,
        [
            sample(regular(3, 3), numbers(2, 3, seed=1), left=False),
            sample(regular(2, 1, 2, 2), numbers(3, 2, 1, seed=1)),
            sample(regular(2, 1, 2, 2), numbers(2, seed=1)),
        ],
        half=False,
    ),
    "inv": Op(jnp.linalg.inv, [sample(regular(3, 3)), sample(regular(2, 1, 2, 2))], half=False),
}
