"""Where and which elements there are: positions, distinct values, counts, places in an order.

How many there are is known only once the numbers are, so that most of these run eagerly; in a
compiled step they raise TraceError. None of the answers carries a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.arrays import Array, namespace
from retrograd.autodiff import tape
from retrograd.autodiff.tape import Tensor
from retrograd.ops.indexing.index import raw

__all__ = [
    "argwhere",
    "bincount",
    "bucketize",
    "histc",
    "isin",
    "nonzero",
    "searchsorted",
    "unique",
    "unique_consecutive",
    "unravel_index",
]


def _known(x: Any) -> np.ndarray[Any, Any]:
    """The numbers themselves; a traced tensor refuses."""
    return x.numpy() if isinstance(x, tape.tensor_type) else np.asarray(x)


def _made(array: Array) -> Tensor:
    return tape.tensor_type(array)


def nonzero(x: Tensor, *, as_tuple: bool = False) -> Tensor | tuple[Tensor, ...]:
    """The positions of the elements that are not 0: (found, axes), or with `as_tuple` one vector
    for each axis, which indexes `x`.
    """
    found = np.nonzero(np.atleast_1d(_known(x)))
    if as_tuple:
        return tuple(map(_made, found))
    return _made(np.stack(found, -1) if x.ndim else np.empty((len(found[0]), 0), np.int64))


def argwhere(x: Tensor) -> Tensor:
    """The positions of the elements that are not 0, (found, axes)."""
    return nonzero(x)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements (or slices along `dim`) in rising order.

    With `return_inverse` also which of them each element is, with `return_counts` how often each
    occurs.
    """
    values, inverse, counts = np.unique(
        _known(input), return_inverse=True, return_counts=True, axis=dim
    )
    answers = [_made(values)]
    if return_inverse:
        answers.append(_made(inverse.reshape(input.shape if dim is None else -1)))
    if return_counts:
        answers.append(_made(counts))
    return tuple(answers) if len(answers) > 1 else answers[0]


def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The elements (or slices along `dim`) without the repetitions of the one before."""
    values = _known(input)
    rows = values.reshape(-1, 1) if dim is None else np.moveaxis(values, dim, 0)
    flat = rows.reshape(len(rows), -1)
    starts = np.ones(len(flat), bool)
    starts[1:] = (flat[1:] != flat[:-1]).any(1)
    kept = rows[starts].reshape(-1) if dim is None else np.moveaxis(rows[starts], 0, dim)
    answers = [_made(kept)]
    if return_inverse:
        which = np.cumsum(starts) - 1
        answers.append(_made(which.reshape(input.shape) if dim is None else which))
    if return_counts:
        answers.append(_made(np.diff(np.flatnonzero(np.append(starts, True)))))
    return tuple(answers) if len(answers) > 1 else answers[0]


def bincount(input: Tensor, weights: Tensor | Array | None = None, minlength: int = 0) -> Tensor:
    """How often each whole number from 0 on occurs, or the sum of its weights."""
    return _made(
        np.bincount(_known(input), None if weights is None else _known(weights), minlength)
    )


def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements lie in each of `bins` equal parts of [min, max], by default all of them."""
    values = _known(input)
    if min == max == 0 and values.size:
        min, max = values.min(), values.max()
    if min == max:
        min, max = min - 1, max + 1
    return _made(np.histogram(values, bins, (min, max))[0].astype(values.dtype))


def searchsorted(
    sorted_sequence: Tensor | Array, values: Any, *, right: bool = False, side: str | None = None
) -> Tensor:
    """Where each value would be inserted to keep the last axis of the sequence in order.

    Before equal elements, or after them with `right` (or side="right"). Leading axes, where the
    sequence has them, are those of `values`.
    """
    sequence, sought = raw(sorted_sequence), raw(values)
    after = right or side == "right"
    xp = namespace(sequence, sought)
    if sequence.ndim == 1:
        return _made(xp.asarray(xp.searchsorted(sequence, sought, "right" if after else "left")))
    here, there = xp.expand_dims(sought, -1), xp.expand_dims(sequence, -2)
    before = there <= here if after else there < here
    return _made(xp.sum(before, -1))


def bucketize(input: Any, boundaries: Tensor | Array, *, right: bool = False) -> Tensor:
    """Which interval between the boundaries each element lies in; see `searchsorted`."""
    return searchsorted(boundaries, input, right=right)


def isin(elements: Tensor | Array, test_elements: Any, *, invert: bool = False) -> Tensor:
    """Whether each element is one of `test_elements`."""
    x, among = raw(elements), raw(test_elements)
    return _made(namespace(x, among).isin(x, among, invert=invert))


def unravel_index(indices: Tensor | Array, shape: Sequence[int]) -> tuple[Tensor, ...]:
    """The position along each axis of `shape` of elements given by their place in flat order."""
    flat = raw(indices)
    return tuple(_made(each) for each in namespace(flat).unravel_index(flat, tuple(shape)))
