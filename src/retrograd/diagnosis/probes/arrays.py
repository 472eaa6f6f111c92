"""What is measured of one step, on raw arrays: functions that run in NumPy or in a compiled step.

A compiled step pays for every reduction that XLA does not fuse, and for every value that it must
keep: 18 norms of a 13-64-64-1 network cost half of its step. So the step only copies numbers out
(`digest` makes norms of them, for many steps at once), and what is large is sampled.
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

# A layer's output and cotangent are looked at in about this many elements: whole rows.
_LAYER_ELEMENTS = 1 << 14
# A weight of more elements than a limit is looked at in half as many as that, or a few more.
_SHARE = 2


# Some rows of a layer's output --------------------------------------------------------------------


def row_count(shape: Sequence[int]) -> int:
    """How many rows of an output of `shape` are looked at: at least one, all if it is small."""
    return len(range(0, shape[0], _row_stride(shape)))


def rows(array: Array) -> Array:
    """Every n-th row along the first axis."""
    stride = _row_stride(array.shape)
    return array if stride == 1 else array[::stride]


def _row_stride(shape: Sequence[int]) -> int:
    return max(1, min(shape[0], -(-math.prod(shape) // _LAYER_ELEMENTS)))


# Some elements of a weight ------------------------------------------------------------------------


def element_count(shape: Sequence[int], limit: int) -> int:
    """How many elements of a weight of `shape` are looked at: all up to `limit`, else a sample of
    at least half as many as that."""
    return len(range(0, math.prod(shape), _stride(shape, limit)))


def elements(array: Array, limit: int) -> Array:
    """All elements, or of a large array the same ones each time, as one float32 vector."""
    # By a stride, since to take as many by index costs a small network's step 0.3 µs more.
    return array.reshape(-1)[:: _stride(array.shape, limit)].astype(np.float32)


def _stride(shape: Sequence[int], limit: int) -> int:
    """1, or n for every n-th element, which has no factor in common with the length of a row: so
    all rows and all columns take part alike."""
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
    # Behind a barrier the sum is a loop of its own over what is there anyway. Fused with the
    # product that makes the gradient it cost 2.4 times as much, 36 µs instead of 15 for 784 x 128.
    behind = barrier([array])[0].astype(np.float32)
    return xp.sum(behind * behind)


def active_rows(layer: Layer, output: Array) -> Array:
    """For each unit something above 0 unless it was idle on all rows of `output`: (units,).

    A rectifier is idle where it is not above 0, a layer with bounds where it is at one of them.
    """
    xp = namespace(output)
    if layer.bounds is not None:
        low, high = layer.bounds
        output = (output > low) & (output < high)
    output = output.astype(np.float32)
    if layer.axis == output.ndim - 1:
        # A product: a sum along columns cost four times as much. The rows weigh 1 and 2 in turn,
        # which is as good as 1; but ones XLA makes anew in each step, with a kernel of their own.
        whole = output.reshape(-1, layer.units)
        weights = 1 + np.arange(len(whole), dtype=np.float32) % 2
        return weights @ whole
    return xp.sum(output, axis=tuple(i for i in range(output.ndim) if i != layer.axis))


# What `layer_series` makes of what `layer_sums` gives, in this order.
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
    """How many numbers `layer_sums` gives."""
    return 6 + (layer.bounds is not None) + 3 * cotangent


def _about_first(values: Array) -> tuple[Array, Array]:
    """The distances from the first value, and their squares: of a spread that is small beside the
    mean, the squares of the values would leave nothing."""
    distance = values - values.reshape(-1)[0]
    return distance, distance * distance


def _in_one_pass(output: Array, sums: list[Array]) -> list[Array]:
    """The extremes of `output` and the sums, within a compiled step.

    A loop waits for the sum so far at every element: all numbers of 64 × 128 outputs take 1.6 times
    as long in one loop as a single sum does in a loop of its own. And of many loops that may run at
    once XLA hands some to another thread, which the host may want the core of: four times in a step
    of the 13-64-64-1 network with a loop for each number, and not once with one for each layer.
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
    """The values (steps, series) of `OUTPUT` and, if they are there, `COTANGENT` from the sums."""
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
