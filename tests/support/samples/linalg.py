"""Samples of products of matrices and of einstein summation."""

from __future__ import annotations

import jax.numpy as jnp

from retrograd import ops
from support.samples.kinds import Op, numbers, sample

MATRICES = [
    sample(numbers(2, 3), numbers(3, 2, seed=1)),
    sample(numbers(2, 1, 3), numbers(2, 3, 1, seed=1)),
    sample(numbers(2, 1, 2), numbers(1, 2, 2, seed=1)),
    sample(numbers(2, 1, 1, 2), numbers(2, 2, 1, seed=1)),
    sample(numbers(0, 2), numbers(2, 2, seed=1)),
    sample(numbers(2, 0), numbers(0, 2, seed=1)),
]

VECTORS = [
    sample(numbers(3), numbers(3, seed=1)),
    sample(numbers(2, 3), numbers(3, seed=1)),
    sample(numbers(3), numbers(3, 2, seed=1)),
    sample(numbers(3), numbers(2, 3, 1, seed=1)),
    sample(numbers(2, 1, 3), numbers(3, seed=1)),
    sample(numbers(2, 2, 3), numbers(3, 2, seed=1)),
    sample(numbers(2, 0, 3), numbers(3, 2, seed=1)),
]

WEIGHT, BIAS = numbers(2, 3, seed=1), numbers(2, seed=2)


def affine_oracle(x, weight, bias=None):
    return x @ weight.T + (0 if bias is None else bias)


ROWS = [
    sample(numbers(4, 3), WEIGHT, BIAS),
    sample(numbers(1, 3), WEIGHT),
    sample(numbers(4, 3), WEIGHT, None),
    sample(numbers(0, 3), WEIGHT, BIAS),
]

LEADING_AXES = [
    sample(numbers(3), WEIGHT, BIAS),
    sample(numbers(2, 1, 3), WEIGHT, BIAS),
    sample(numbers(2, 0, 3), WEIGHT, BIAS),
]


def summed(equation, *shapes):
    return sample(*(numbers(*s, seed=i) for i, s in enumerate(shapes)), equation=equation)


EQUATIONS = [
    summed("ij,jk->ik", (2, 3), (3, 2)),
    summed("ij, jk", (2, 3), (3, 2)),  # without an arrow
    summed("i,j->ij", (2,), (3,)),
    summed("i,i->", (3,), (3,)),
    summed("ij->", (2, 3)),
    summed("ij->ji", (2, 3)),
    summed("ij->i", (2, 3)),
    summed("ij,k->i", (2, 3), (2,)),  # letters summed away on their own
    summed("ii->i", (3, 3)),  # a diagonal
    summed("ii", (3, 3)),  # a trace
    summed("iij,j->i", (2, 2, 3), (3,)),
    summed("...ij,...jk->...ik", (2, 1, 2, 2), (3, 2, 1)),
    summed("...i->...", (2, 3)),
    summed("i...,...i", (2, 3), (3, 2)),
    summed("ij,jk,kl->il", (2, 2), (2, 3), (3, 1)),
    summed("ij,ij->ij", (1, 3), (2, 3)),  # size 1 broadcasts
    summed("ij,j->i", (0, 2), (2,)),
    summed("ijj->ij", (0, 0, 0)),
]

CONTRACTIONS = [
    sample(numbers(2, 3), numbers(3, 2, seed=1), inputs=("ij", "jk"), output="ik"),
    sample(numbers(2, 3), inputs=("ij",), output="j"),
    sample(numbers(2), numbers(3, seed=1), inputs=("i", "j"), output=""),
    sample(
        numbers(2, 2), numbers(2, 3, seed=1), numbers(3, 1, seed=2),
        inputs=("ij", "jk", "kl"), output="li",
    ),
]  # fmt: skip


LINALG = {
    "matrix_product": Op(jnp.matmul, MATRICES),
    "transposed_product": Op(
        lambda a, b: jnp.matmul(a.mT, b),
        [sample(numbers(3, 2), numbers(3, 4, seed=1)), sample(numbers(2, 1, 3), numbers(1, 1, 2))],
    ),
    "matmul": Op(jnp.matmul, MATRICES + VECTORS),
    "affine": Op(affine_oracle, ROWS),
    "linear": Op(affine_oracle, ROWS + LEADING_AXES),
    "contract": Op(
        lambda *x, inputs, output: jnp.einsum(f"{','.join(inputs)}->{output}", *x), CONTRACTIONS
    ),
    "einsum": Op(
        lambda *x, equation: jnp.einsum(equation, *x),
        EQUATIONS,
        call=lambda *x, equation: ops.einsum(equation, *x),
    ),
}
