"""Samples of equations, determinants and decompositions of matrices."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import jax.scipy.linalg
import numpy as np

from retrograd import ops
from retrograd.autodiff.primitive import REGISTRY
from support.samples.kinds import Op, numbers, sample


def regular(*shape: int, seed: int = 0):
    """Matrices far from singular, whose singular values are far from each other."""
    return numbers(*shape, seed=seed) + np.eye(*shape[-2:]) * np.arange(3, 3 + shape[-1])


def positive(*shape: int):
    a = numbers(*shape)
    return a @ a.mT + np.eye(shape[-1])


SQUARE = [
    sample(regular(3, 3)),
    sample(regular(2, 2, 2)),
    sample(regular(1, 1)),
    sample(regular(1, 3, 2, 2)),
]
SYSTEMS = [
    sample(regular(3, 3), numbers(3, 2, seed=1)),
    sample(regular(2, 2, 2), numbers(2, 2, 1, seed=1)),
    sample(regular(2, 2), numbers(2, 0)),
]
ANY = [sample(regular(1, 3, 2)), sample(regular(2, 3)), sample(regular(2, 2, 2))]


def symmetric(function):
    """Perturbed element by element, a matrix stays symmetric."""
    return lambda a, **options: function((a + a.mT) / 2, **options)


def of_parts(function, squared):
    """Vectors are compared by their squares: their signs are anyone's choice."""

    def call(a, **options):
        parts = function(a, **options)
        return tuple(part * part if i in squared else part for i, part in enumerate(parts))

    return call


def cofactors(a):
    return jnp.linalg.det(a)[..., None, None] * jnp.linalg.inv(a).mT


def missing_directions(u, vh):
    """The projections on what U and Vh lack, which are unique."""
    return u @ u.mT, vh.mT @ vh


def complete_oracle(a):
    u, s, vh = jnp.linalg.svd(jax.lax.stop_gradient(a), full_matrices=True)
    k = s.shape[-1]
    return missing_directions(u[..., k:], vh[..., k:, :])


MATRICES = {
    "solve_matrix": Op(jnp.linalg.solve, SYSTEMS, half=False),
    "triangular_solve": Op(
        lambda a, b, upper: jax.scipy.linalg.solve_triangular(a, b, lower=not upper),
        [
            sample(np.triu(regular(3, 3)), numbers(3, 2, seed=1), upper=True),
            sample(np.tril(regular(2, 2, 2)), numbers(2, 2, 1, seed=1), upper=False),
        ],
        call=lambda a, b, upper: REGISTRY["triangular_solve"](
            ops.triu(a) if upper else ops.tril(a), b, upper=upper
        ),
        half=False,
    ),
    "pinv_full": Op(
        lambda a, rcond: jnp.linalg.pinv(a, rtol=rcond),
        [sample(each.operands[0], rcond=1e-6) for each in ANY],
        half=False,
    ),
    "det": Op(jnp.linalg.det, SQUARE, half=False),
    "cofactors": Op(cofactors, SQUARE, half=False),
    "log_determinant": Op(
        lambda a: tuple(jnp.linalg.slogdet(a)), [*SQUARE, sample(-regular(3, 3))], half=False
    ),
    "cholesky_lower": Op(
        symmetric(jnp.linalg.cholesky),
        [sample(positive(3, 3)), sample(positive(2, 2, 2))],
        call=symmetric(REGISTRY["cholesky_lower"]),
        half=False,
    ),
    "symmetric_eigen": Op(
        symmetric(of_parts(jnp.linalg.eigh, {1})),
        [sample(positive(3, 3)), sample(positive(2, 2, 2))],
        call=symmetric(of_parts(REGISTRY["symmetric_eigen"], {1})),
        half=False,
    ),
    "reduced_svd": Op(
        of_parts(lambda a: jnp.linalg.svd(a, full_matrices=False), {0, 2}),
        ANY,
        call=of_parts(REGISTRY["reduced_svd"], {0, 2}),
        half=False,
    ),
    "complete_bases": Op(
        complete_oracle,
        ANY,
        call=lambda a: missing_directions(*REGISTRY["complete_bases"](a)),
        order=0,
        half=False,
    ),
    "qr_factors": Op(
        of_parts(lambda a, mode: jnp.linalg.qr(a, mode=mode), {0, 1}),
        [sample(each.operands[0], mode="reduced") for each in ANY],
        call=of_parts(REGISTRY["qr_factors"], {0, 1}),
        half=False,
    ),
}
