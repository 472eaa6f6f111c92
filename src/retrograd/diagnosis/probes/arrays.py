"""Measurements of one step on raw arrays: functions that run in NumPy or in a compiled step.

A compiled step pays for every reduction that XLA does not fuse, and for every value that it must
keep: 18 norms of a 13-64-64-1 network cost half of its step. So the step only copies numbers out
(`digest` computes the norms, for many steps at once), and large arrays are sampled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from retrograd.arrays import Array, barrier, namespace
from retrograd.diagnosis.record.record import Layer

__all__ = [
    "COTANGENT",
    "OUTPUT",
    "active_rows",
    "element_count",
    "elements",
    "layer_series",
    "layer_sums",
    "row_count",
    "rows",
    "square_sum",
    "sum_count",
]

# About this many elements of a layer's output and cotangent are used, in whole rows.
_LAYER_ELEMENTS = 1 << 14
# If a weight has more elements than the limit, at least half as many as the limit are used.
_SHARE = 2


# Some rows of a layer's output --------------------------------------------------------------------


def row_count(shape: Sequence[int]) -> int:
    """How many rows of an output of `shape` are used: at least one, all if it is small."""
    return len(range(0, shape[0], _row_stride(shape)))


def rows(array: Array) -> Array:
    """Every n-th row along the first axis."""
    stride = _row_stride(array.shape)
    return array if stride == 1 else array[::stride]


def _row_stride(shape: Sequence[int]) -> int:
    return max(1, min(shape[0], -(-math.prod(shape) // _LAYER_ELEMENTS)))


# Some elements of a weight ------------------------------------------------------------------------


def element_count(shape: Sequence[int], limit: int) -> int:
    """How many elements of a weight of `shape` are used: all up to `limit`, else a sample of at
    least half as many as that."""
    return len(range(0, math.prod(shape), _stride(shape, limit)))


def elements(array: Array, limit: int) -> Array:
    """All elements as one float32 vector; for a large array, the same sample each time."""
    # A stride, since indexing as many elements costs a small network's step 0.3 µs more.
    return array.reshape(-1)[:: _stride(array.shape, limit)].astype(np.float32)


def _stride(shape: Sequence[int], limit: int) -> int:
    """1, or n to take every n-th element. n has no factor in common with the length of a row, so
    all rows and all columns are sampled equally."""
    size = math.prod(shape)
    if size <= limit:
        return 1
    most = _SHARE * size // limit
    return next(n for n in range(most, 0, -1) if math.gcd(n, size // shape[0]) == 1)


# Numbers ------------------------------------------------------------------------------------------


def square_sum(array: Array) -> Array:
    """The sum of the squares in float32."""
    xp = namespace(array)
    if xp is np:
        flat = array.reshape(-1).astype(np.float32)
        return np.asarray(np.vecdot(flat, flat))
    # After a barrier the sum is a separate loop over an existing array. Fused with the product that
    # computes the gradient it took 2.4 times as long, 36 µs instead of 15 for 784 x 128.
    behind = barrier([array])[0].astype(np.float32)
    return xp.sum(behind * behind)


def active_rows(layer: Layer, output: Array) -> Array:
    """(units,): above 0 for each unit that was active on some row of `output`.

    A rectifier is active above 0, a layer with bounds between them.
    """
    xp = namespace(output)
    if layer.bounds is not None:
        low, high = layer.bounds
        output = (output > low) & (output < high)
    output = output.astype(np.float32)
    if layer.axis == output.ndim - 1:
        # A matrix product, since a sum along columns took four times as long. The weights alternate
        # between 1 and 2: XLA would create an array of ones anew in each step, with its own kernel.
        whole = output.reshape(-1, layer.units)
        weights = 1 + np.arange(len(whole), dtype=np.float32) % 2
        return weights @ whole
    return xp.sum(output, axis=tuple(i for i in range(output.ndim) if i != layer.axis))


# The series that `layer_series` computes from the result of `layer_sums`, in this order.
OUTPUT = ("mean", "std", "min", "max", "zeros", "at_bounds")
COTANGENT = ("cotangent_norm", "cotangent_std")


def layer_sums(layer: Layer, output: Array, cotangent: Array | None) -> list[Array]:
    """Extremes and sums over a layer's output, and over its cotangent if there is one."""
    output = output.astype(np.float32)
    sums = [output, *_about_first(output), output == 0]
    if layer.bounds is not None:
        low, high = layer.bounds
        sums.append((output <= low) | (output >= high))
    if cotangent is not None:
        cotangent = cotangent.astype(np.float32)
        sums += [cotangent * cotangent, *_about_first(cotangent)]
    floats = [each.astype(np.float32) for each in sums]
    if namespace(output) is np:
        return [output.min(), output.max(), *(each.sum() for each in floats)]
    return _in_one_pass(output, floats)


def sum_count(layer: Layer, cotangent: bool) -> int:
    """How many numbers `layer_sums` returns."""
    return 6 + (layer.bounds is not None) + 3 * cotangent


def _about_first(values: Array) -> tuple[Array, Array]:
    """The distances from the first value, and their squares. The squares of the values themselves
    would lose a spread that is small compared with the mean."""
    distance = values - values.reshape(-1)[0]
    return distance, distance * distance


def _in_one_pass(output: Array, sums: list[Array]) -> list[Array]:
    """The extremes of `output` and the sums, within a compiled step.

    A loop waits for its running sum at every element, so one loop with all numbers of 64 × 128
    outputs takes only 1.6 times as long as a single sum. With many independent loops, XLA hands
    some to another thread, whose core the host may need: four times in a step of the 13-64-64-1
    network with a loop per number, never with one per layer.
    """
    import jax

    def combined(so_far: list[Array], more: list[Array]) -> list[Array]:
        (low, high, *rest), (lower, higher, *added) = so_far, more
        extremes = [jax.lax.min(low, lower), jax.lax.max(high, higher)]
        return extremes + [x + y for x, y in zip(rest, added, strict=True)]

    values = [output, output, *sums]
    starts = [np.float32(np.inf), np.float32(-np.inf)] + [np.float32(0)] * len(sums)
    return list(jax.lax.reduce(values, starts, combined, range(output.ndim)))


def layer_series(layer: Layer, sums: Array) -> Array:
    """The values (steps, series) of `OUTPUT` and, if present, `COTANGENT`, from the sums."""
    count = math.prod(layer.shape) // layer.shape[0] * layer.sample
    low, high, total, distance, square, zeros, *more = sums.T
    at_bounds = np.full(len(sums), np.nan) if layer.bounds is None else more.pop(0) / count
    series = [total / count, _spread(distance, square, count), low, high, zeros / count, at_bounds]
    if more:
        cotangent, distance, square = more
        norm = np.sqrt(cotangent * (layer.shape[0] / layer.sample))
        series += [norm, _spread(distance, square, count)]
    return np.stack(series, axis=1)


def _spread(distance: Array, square: Array, count: int) -> Array:
    """The standard deviation from sums over `_about_first`."""
    return np.sqrt(np.maximum(square / count - (distance / count) ** 2, 0))
