"""Samples of reductions, running sums, norms and normalized exponentials."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from support.samples.kinds import Op, Sample, numbers, sample

# One axis, several, all of them, counted from the end; kept and not; none of size 0 folded away.
FOLDS: list[tuple[tuple[int, ...], dict]] = [
    ((), {}),
    ((4,), {}),
    ((4,), {"dim": 0, "keepdim": True}),
    ((2, 3), {"keepdim": True}),
    ((2, 3), {"dim": 1}),
    ((2, 1, 3), {"dim": (0, 2)}),
    ((2, 3, 2), {"dim": (-1, 0), "keepdim": True}),
    ((1, 3), {"dim": -2}),
    ((0, 3), {"dim": 1}),
]

FOLDS_TO_NOTHING = [((0,), {}), ((2, 0), {"dim": 1}), ((0, 2), {"dim": 0, "keepdim": True})]


def folds(*, empty: bool = True, **extra) -> list[Sample]:
    cases = FOLDS + FOLDS_TO_NOTHING if empty else FOLDS
    return [sample(numbers(*shape), **options, **extra) for shape, options in cases]


def reduction(function, **numpy_options):
    def oracle(x, dim=None, keepdim=False):
        return function(x, axis=dim, keepdims=keepdim, **numpy_options)

    return oracle


def spread(function):
    def oracle(x, dim=None, correction=1, keepdim=False):
        return function(x, axis=dim, ddof=correction, keepdims=keepdim)

    # Over one element the deviation is 0 / 0; test_edges.py looks at that.
    deviations = [
        sample(numbers(4)),
        sample(numbers(4), correction=0),
        sample(numbers(2, 3), dim=1, keepdim=True),
        sample(numbers(2, 3), dim=(0, 1), correction=2),
        sample(numbers(2, 1, 3), dim=(0, -1)),
        sample(numbers(0, 3), dim=1),
    ]
    return Op(oracle, deviations)


def vector_norm(x, p=2, dim=None, keepdim=False):
    if p == np.inf:
        return jnp.max(jnp.abs(x), axis=dim, keepdims=keepdim)
    if p == -np.inf:
        return jnp.min(jnp.abs(x), axis=dim, keepdims=keepdim)
    if p == 0:
        return jnp.sum((x != 0).astype(x.dtype), axis=dim, keepdims=keepdim)
    return jnp.sum(jnp.abs(x) ** p, axis=dim, keepdims=keepdim) ** (1 / p)


def along(function, *, required: bool = False):
    """An operation that keeps the shape and works along one axis."""

    def oracle(x, dim=-1):
        return function(x, axis=dim) if x.ndim else function(x[None], axis=0)[0]

    samples = [
        sample(numbers(4), dim=0),
        sample(numbers(2, 3), dim=1),
        sample(numbers(2, 1, 3), dim=-3),
        sample(numbers(2, 1), dim=-1),
        sample(numbers(0, 2), dim=0),
        sample(numbers(0, 2), dim=1),
    ]
    return Op(oracle, samples if required else [*samples, sample(numbers(2, 3)), sample(numbers())])


ZEROS = [
    sample(np.array([2.0, 0.0, 3.0])),
    sample(np.array([[0.0, 2.0, 0.0], [1.0, 5.0, 2.0]]), dim=1),
    sample(np.array([[0.0, 2.0, 0.5], [1.5, 5.0, 2.0]]), dim=0, keepdim=True),
]


def normalize(x, dim, eps=1e-5):
    mean = x.mean(dim, keepdims=True)
    variance = x.var(dim, keepdims=True)
    return (x - mean) / jnp.sqrt(variance + eps), mean, variance


NORMALIZED = [
    sample(numbers(4, 3), dim=0),
    sample(numbers(2, 4), dim=-1, eps=0.1),
    sample(numbers(2, 3, 2), dim=(0, 2)),
]

REDUCE = {
    "normalize": Op(normalize, NORMALIZED),
    "sum": Op(reduction(jnp.sum), folds()),
    "mean": Op(reduction(jnp.mean), folds(empty=False)),
    "prod": Op(reduction(jnp.prod), folds() + ZEROS),
    "amax": Op(reduction(jnp.max), folds(empty=False)),
    "amin": Op(reduction(jnp.min), folds(empty=False)),
    "var": spread(jnp.var),
    "std": spread(jnp.std),
    "logsumexp": Op(reduction(jax.scipy.special.logsumexp), folds(empty=False)),
    "euclidean_norm": Op(vector_norm, folds(empty=False)),
    "norm": Op(
        vector_norm,
        [
            *folds(empty=False),
            *(sample(numbers(2, 3), p=p) for p in (0, 1, 3, 2.5, np.inf, -np.inf)),
            sample(numbers(2, 3), p=1, dim=1),
            sample(np.array([2.0, -1.0, 0.5, 1.0]), p=3),
            sample(numbers(2, 3), p=3, dim=0, keepdim=True),
        ],
    ),
    "softmax": along(jax.nn.softmax),
    "log_softmax": along(jax.nn.log_softmax),
    "cumsum": along(jnp.cumsum, required=True),
}
