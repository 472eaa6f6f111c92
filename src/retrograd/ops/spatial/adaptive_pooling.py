"""Adaptive pooling: as many windows as asked for, spread over the input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.autodiff.precision import floating, in_single
from retrograd.autodiff.tape import Tensor
from retrograd.ops.reductions.extremes import max
from retrograd.ops.shapes.shape import Shape, permute, reshape, squeeze
from retrograd.ops.spatial.arguments import along, batched
from retrograd.ops.spatial.pooling import answer
from retrograd.ops.spatial.windows import Windows, max_windows, sum_windows

OutputSize = int | Sequence[int | None]


def adaptive_avg_pool1d(input: Any, output_size: OutputSize) -> Tensor:
    """(n, c, length) -> (n, c, output_size): window i is the mean from floor(i·length / size) to
    ceil((i + 1)·length / size); n may be missing. Raises ValueError for arguments that do not fit.
    """
    return _mean(1, input, output_size)


def adaptive_avg_pool2d(input: Any, output_size: OutputSize) -> Tensor:
    """(n, c, height, width) -> (n, c, *output_size), where None keeps an axis's size."""
    return _mean(2, input, output_size)


def adaptive_avg_pool3d(input: Any, output_size: OutputSize) -> Tensor:
    """(n, c, d, h, w) -> (n, c, *output_size), where None keeps an axis's size."""
    return _mean(3, input, output_size)


def adaptive_max_pool1d(input: Any, output_size: OutputSize, return_indices: bool = False) -> Any:
    """(n, c, length) -> (n, c, output_size): the maxima of `adaptive_avg_pool1d`'s windows.

    Of equal elements the first receives the gradient. With `return_indices` the result is
    `(values, indices)`, positions in the input's spatial axes flattened.
    """
    return _max(1, input, output_size, return_indices)


def adaptive_max_pool2d(input: Any, output_size: OutputSize, return_indices: bool = False) -> Any:
    """(n, c, height, width) -> (n, c, *output_size); as `adaptive_max_pool1d`, over two axes."""
    return _max(2, input, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: OutputSize, return_indices: bool = False) -> Any:
    """(n, c, d, h, w) -> (n, c, *output_size); as `adaptive_max_pool1d`, over three axes."""
    return _max(3, input, output_size, return_indices)


def _wanted(name: str, output_size: OutputSize, found: Shape) -> Shape:
    """One output size for each spatial axis."""
    given = (output_size,) * len(found) if isinstance(output_size, int) else tuple(output_size)
    given = given * len(found) if len(given) == 1 else given
    if len(given) != len(found) or any(n is not None and n < 1 for n in given):
        raise ValueError(
            f"{name}: output_size must be a whole number of at least 1, or {len(found)} of them, "
            f"one for each spatial axis; found {output_size!r}"
        )
    if 0 in found:
        raise ValueError(f"{name}: an input of spatial sizes {found} has nothing to pool")
    return tuple(n if size is None else size for size, n in zip(given, found, strict=True))


def _edges(n: int, size: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Where each of `size` windows over n elements starts and ends."""
    i = np.arange(size)
    return i * n // size, -(-(i + 1) * n // size)


def _tiles(found: Shape, wanted: Shape) -> Windows | None:
    """The windows, if they are all of one size and do not overlap."""
    if any(n % size for n, size in zip(found, wanted, strict=True)):
        return None
    kernel = tuple(n // size for n, size in zip(found, wanted, strict=True))
    return Windows(kernel, kernel, ((0, 0),) * len(kernel), (1,) * len(kernel))


@in_single
def _mean(axes: int, input: Any, output_size: OutputSize) -> Tensor:
    name = f"adaptive_avg_pool{axes}d"
    x, alone = batched(name, input, axes)
    x = floating(x)
    found = x.shape[2:]
    wanted = _wanted(name, output_size, found)
    at = _tiles(found, wanted)
    if at is not None:
        x = sum_windows(x, at=at) / math.prod(at.kernel)
    else:  # the mean over a box is one mean for each axis
        for axis, (n, size) in enumerate(zip(found, wanted, strict=True)):
            start, end = (edge[:, None] for edge in _edges(n, size))
            inside = (np.arange(n) >= start) & (np.arange(n) < end)
            x = along(x, inside / (end - start), 2 + axis)
    return squeeze(x, 0) if alone else x


def _max(axes: int, input: Any, output_size: OutputSize, return_indices: bool) -> Any:
    name = f"adaptive_max_pool{axes}d"
    x, alone = batched(name, input, axes)
    found = x.shape[2:]
    wanted = _wanted(name, output_size, found)
    tables = []
    for n, size in zip(found, wanted, strict=True):
        start, end = _edges(n, size)
        steps = np.arange((end - start).max())
        # A window shorter than the longest repeats its last element, which is never first to win.
        tables.append(np.minimum(start[:, None] + steps, end[:, None] - 1))
    at = _tiles(found, wanted)
    if at is not None:
        values, chosen = max_windows(x, at=at)
    else:
        values, chosen = _ragged_max(x, tables)
    return answer(values, chosen, tables, found, alone, return_indices)


def _ragged_max(x: Tensor, tables: Sequence[np.ndarray[Any, Any]]) -> tuple[Tensor, Tensor]:
    """The maxima of windows listed as (window, position) -> coordinate, one table for each axis."""
    axes = len(tables)
    picks = tuple(
        table.reshape(*(1,) * 2 * axis, *table.shape, *(1,) * 2 * (axes - axis - 1))
        for axis, table in enumerate(tables)
    )
    order = (*range(2, 2 + 2 * axes, 2), *range(3, 3 + 2 * axes, 2))
    windows = permute(x[(slice(None), slice(None), *picks)], dims=(0, 1, *order))
    flat = reshape(windows, shape=(*windows.shape[: 2 + axes], -1))
    values, chosen = max(flat, dim=-1)
    return values, chosen
