"""Samples of operations that pick elements by position."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from retrograd import ops
from support.samples.kinds import Op, numbers, sample

ROWS = np.array([0, 2, 0])  # a repeated index: its cotangents add up
MASK = np.array([[True, False, True], [False, False, True], [True, True, False]])

INDEXED = [
    sample(numbers(4), index=(1,)),
    sample(numbers(4), index=(-1,)),
    sample(numbers(3, 3), index=(slice(None), slice(None, None, -2))),
    sample(numbers(3, 3), index=(Ellipsis, None, slice(1, 3))),
    sample(numbers(3, 3), index=(ROWS,)),
    sample(numbers(3, 3), index=(ROWS, np.array([1, 1, 1]))),
    sample(numbers(3, 3), index=(slice(0, 2), ROWS)),
    sample(numbers(3, 3), index=(ROWS[:, None], np.array([0, -1]))),
    sample(numbers(2, 3, 2), index=(0, slice(None), np.array([1, 1]))),
    sample(numbers(3, 3), index=(MASK,)),
    sample(numbers(3, 3), index=(MASK[0],)),
    sample(numbers(3, 3), index=(np.zeros((0,), np.int64),)),
    sample(numbers(), index=(None,)),
    sample(numbers(0, 2), index=(slice(None), 1)),
]


def read_as_pytorch(x, index):
    """PyTorch takes a leading integer first, where NumPy counts it among the arrays."""
    leads = isinstance(index[0], int) and len(index) > 1
    return x[index[0]][index[1:]] if leads else x[index]


def values_placed(values, index, shape):
    return jnp.zeros(shape, values.dtype).at[index].add(values)


PLACED = [
    sample(numbers(*np.zeros(each.operands[0].shape)[each.attributes["index"]].shape),
           index=each.attributes["index"], shape=each.operands[0].shape)
    for each in INDEXED
]  # fmt: skip

TAKEN = [
    sample(numbers(4), np.array([[0, 3], [3, 3]])),
    sample(numbers(2, 3), np.array([5, 0])),
    sample(numbers(2, 3), np.array([2, 0, 2, 1]), dim=1),
    sample(numbers(2, 1, 3), np.array(1), dim=0),
    sample(numbers(2, 3), np.array([1, 1]), dim=-2),
    sample(numbers(2, 3), np.zeros((0,), np.int64), dim=1),
]


def take_oracle(x, index, dim=None):
    return x.ravel()[index] if dim is None else jnp.moveaxis(jnp.moveaxis(x, dim, 0)[index],
        range(index.ndim), range(dim % x.ndim, dim % x.ndim + index.ndim))  # fmt: skip


ALONG = [
    sample(numbers(4), np.array([2, 0, 2]), dim=0),
    sample(numbers(2, 3), np.array([[0, 0], [2, 1]])),
    sample(numbers(2, 3), np.array([[1, 1, 0]]), dim=0),
    sample(numbers(2, 3), np.array([[2, 0]]), dim=-1),  # one row of positions for all rows
    sample(numbers(1, 3), np.array([[2, 0], [1, 1]]), dim=1),  # one row of values for all
    sample(numbers(2, 1, 3), np.array([[[-1]], [[0]]]), dim=-1),
    sample(numbers(0, 3), np.zeros((0, 1), np.int64), dim=1),
]


def placed_along(values, indices, dim, shape):
    # As a sum of one-hot rows: no scatter.
    chosen = (jnp.expand_dims(indices, -1) % shape[dim]) == jnp.arange(shape[dim])
    spread = jnp.expand_dims(values, -1) * chosen
    axis = dim % len(shape)
    return jnp.moveaxis(spread.sum(axis), -1, axis)


PLACED_ALONG = [
    sample(numbers(3), np.array([2, 0, 2]), dim=0, shape=(4,)),
    sample(numbers(2, 2), np.array([[0, 0], [2, 1]]), dim=1, shape=(2, 3)),
    sample(numbers(1, 3), np.array([[1, 1, 0]]), dim=0, shape=(2, 3)),
    sample(numbers(2, 1, 1), np.array([[[-1]], [[0]]]), dim=-1, shape=(2, 1, 3)),
]


def extreme(values, positions):
    def oracle(x, dim=None, keepdim=False):
        if dim is None:
            return values(x, keepdims=keepdim)
        return (
            values(x, axis=dim, keepdims=keepdim),
            positions(x, axis=dim, keepdims=keepdim),
        )

    samples = [
        sample(numbers()),
        sample(numbers(2, 3)),
        sample(numbers(2, 3), keepdim=True),
        sample(numbers(4), dim=0),
        sample(numbers(2, 1, 3), dim=-1, keepdim=True),
        sample(numbers(2, 3), dim=-2),
        sample(numbers(0, 3), dim=1),
    ]
    return Op(oracle, samples)


def argsort_oracle(x, dim=-1, descending=False):
    return jnp.argsort(x, axis=dim, descending=descending, stable=True)


def sort_oracle(x, dim=-1, descending=False):
    if x.ndim == 0:
        return x, jnp.zeros((), jnp.int64)
    return (
        jnp.sort(x, axis=dim, descending=descending, stable=True),
        argsort_oracle(x, dim, descending),
    )


SORTED = [
    sample(numbers(5)),
    sample(numbers(5), descending=True),
    sample(numbers(2, 3), dim=0),
    sample(numbers(2, 1, 3), dim=-1, descending=True),
    sample(numbers(0)),
    sample(np.array([2, 1, 2, 1]), descending=True),  # equal ones stay in their order
    sample(np.arange(50) % 3),
    sample(np.arange(50) % 3, descending=True),
]


def scatter_max(x, src, index):
    return x.at[index].max(src)


RAISED = [
    sample(numbers(4), numbers(3, seed=1), index=(np.array([2, 0, 2]),)),
    sample(
        numbers(2, 3),
        numbers(2, 2, seed=1),
        index=(np.array([[0], [1]]), np.array([[1, 1], [2, 0]])),
    ),
]

INDEX = {
    "scatter_max": Op(scatter_max, RAISED),
    "getitem": Op(read_as_pytorch, INDEXED, call=ops.getitem),
    "pick": Op(lambda x, index: x[index], INDEXED),
    "place": Op(values_placed, PLACED),
    "take": Op(take_oracle, TAKEN),
    "take_along_axis": Op(lambda x, i, dim=-1: jnp.take_along_axis(x, i, dim), ALONG),
    "place_along_axis": Op(placed_along, PLACED_ALONG),
    "max": extreme(jnp.max, jnp.argmax),
    "min": extreme(jnp.min, jnp.argmin),
    "argsort": Op(argsort_oracle, SORTED),
    "sort": Op(sort_oracle, [*SORTED, sample(numbers())], call=ops.sort),
}
