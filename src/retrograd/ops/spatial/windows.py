"""Windows that slide over the last axes: gathered, laid over each other, summed, and their maxima.

Legend: n batch, c channels, k positions within a window, w windows; `k` and `w` stand for one axis
for each spatial axis `s`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from retrograd.arrays import Array, Namespace, namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.selection import where
from retrograd.ops.indexing.index import place_along_axis
from retrograd.ops.shapes.shape import Shape, broadcast_to, reshape

Padding = tuple[tuple[int, int], ...]


class Windows(NamedTuple):
    """Where the windows lie; one entry for each spatial axis.

    `padding` is what surrounds the input, before and after; a negative width crops it.
    """

    kernel: Shape
    stride: Shape
    padding: Padding
    dilation: Shape

    @property
    def spans(self) -> Shape:
        """How far a window reaches."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def counts(self, sizes: Sequence[int]) -> Shape:
        """How many windows fit along each axis of an input of `sizes`."""
        return tuple(
            max((n + before + after - span) // step + 1, 0)
            for n, (before, after), span, step in zip(
                sizes, self.padding, self.spans, self.stride, strict=True
            )
        )

    def positions(self) -> Iterator[Shape]:
        """The positions within a window, the last axis fastest."""
        return itertools.product(*map(range, self.kernel))

    def at(self, position: Shape, counts: Shape) -> tuple[Any, ...]:
        """The index that picks, from a padded input, every window's element at `position`."""
        starts = [p * d for p, d in zip(position, self.dilation, strict=True)]
        return (
            ...,
            *(
                slice(start, start + step * (count - 1) + 1, step) if count else slice(0, 0)
                for start, step, count in zip(starts, self.stride, counts, strict=True)
            ),
        )

    def tile(self, sizes: Sequence[int]) -> bool:
        """Whether the windows cover an input of `sizes` exactly, without overlap."""
        return (
            self.kernel == self.stride
            and all(d == 1 for d in self.dilation)
            and all(pair == (0, 0) for pair in self.padding)
            and all(n % k == 0 for n, k in zip(sizes, self.kernel, strict=True))
        )


def padded(
    xp: Namespace,
    x: Array,
    padding: Padding,
    value: float = 0,
    interior: Shape | None = None,
) -> Array:
    """The last axes with `padding` around them, and `interior - 1` elements between neighbors."""
    lead = x.ndim - len(padding)
    steps = (1,) * len(padding) if interior is None else interior
    if all(pair == (0, 0) for pair in padding) and all(step == 1 for step in steps):
        return x
    if xp is not np:
        from jax import lax

        widths = [
            (before, after, step - 1) for (before, after), step in zip(padding, steps, strict=True)
        ]
        return lax.pad(x, xp.asarray(value, x.dtype), [(0, 0, 0)] * lead + widths)
    spread = [(n - 1) * step + 1 if n else 0 for n, step in zip(x.shape[lead:], steps, strict=True)]
    sizes = [n + before + after for n, (before, after) in zip(spread, padding, strict=True)]
    out = np.full((*x.shape[:lead], *sizes), value, x.dtype)
    to: list[Any] = [...]
    source: list[Any] = [...]
    for n, size, (before, _), step in zip(spread, sizes, padding, steps, strict=True):
        first = -(-max(-before, 0) // step)  # the first element that the crop leaves
        last = -(-min(n, size - before) // step)
        to.append(slice(before + first * step, max(before + last * step, 0), step))
        source.append(slice(first, max(last, first)))
    out[tuple(to)] = x[tuple(source)]
    return out


def window_view(x: Array, at: Windows) -> Array:
    """(..., s) -> (..., k, w), a view of a padded NumPy array."""
    lead = x.ndim - len(at.kernel)
    counts = at._replace(padding=((0, 0),) * len(at.kernel)).counts(x.shape[lead:])
    steps = x.strides[lead:]
    return np.lib.stride_tricks.as_strided(
        x,
        (*x.shape[:lead], *at.kernel, *counts),
        (
            *x.strides[:lead],
            *(step * d for step, d in zip(steps, at.dilation, strict=True)),
            *(step * s for step, s in zip(steps, at.stride, strict=True)),
        ),
        writeable=False,
    )


def tiles(xp: Namespace, x: Array, at: Windows) -> Array:
    """(..., s) -> (..., w, positions), for windows that cover the input without overlap."""
    axes = len(at.kernel)
    lead = x.shape[: x.ndim - axes]
    counts = at.counts(x.shape[x.ndim - axes :])
    pairs = [n for pair in zip(counts, at.kernel, strict=True) for n in pair]
    n = len(lead)
    order = (*range(n), *range(n, n + 2 * axes, 2), *range(n + 1, n + 2 * axes, 2))
    apart = xp.transpose(x.reshape(*lead, *pairs), order)
    return apart.reshape(*lead, *counts, math.prod(at.kernel))


def overlaid(xp: Namespace, columns: Array, at: Windows, sizes: Shape) -> Array:
    """(..., k, w) -> (..., s): each window added where it lies."""
    axes = len(sizes)
    lead = columns.shape[: columns.ndim - 2 * axes]
    counts = columns.shape[columns.ndim - axes :]
    if at.tile(sizes):
        n = len(lead)
        order = [n + i + side for i in range(axes) for side in (axes, 0)]
        return xp.transpose(columns, (*range(n), *order)).reshape(*lead, *sizes)
    if xp is not np:
        return _overlaid_by_residue(xp, columns, at, sizes)
    full = [n + before + after for n, (before, after) in zip(sizes, at.padding, strict=True)]
    out = np.zeros((*lead, *full), columns.dtype)
    for position in at.positions():
        out[at.at(position, counts)] += columns[(..., *position, *(slice(None),) * axes)]
    return padded(xp, out, tuple((-before, -after) for before, after in at.padding))


def _overlaid_by_residue(xp: Namespace, columns: Array, at: Windows, sizes: Shape) -> Array:
    """As `overlaid`: elements with equal remainders by the stride are summed, then interleaved.

    XLA then shifts whole blocks: 0.36 of the CPU time of summing parts padded with a stride of 2.
    """
    axes = len(sizes)
    lead = columns.shape[: columns.ndim - 2 * axes]
    counts = columns.shape[columns.ndim - axes :]
    rows = tuple(
        -(-(before + n) // step)
        for n, (before, _), step in zip(sizes, at.padding, at.stride, strict=True)
    )
    blocks: dict[Shape, Array] = {}
    for position in at.positions():
        starts = [p * d for p, d in zip(position, at.dilation, strict=True)]
        residue = tuple(start % step for start, step in zip(starts, at.stride, strict=True))
        shifts = [start // step for start, step in zip(starts, at.stride, strict=True)]
        around = tuple(
            (shift, row - shift - count)
            for shift, row, count in zip(shifts, rows, counts, strict=True)
        )
        part = padded(xp, columns[(..., *position, *(slice(None),) * axes)], around)
        blocks[residue] = blocks[residue] + part if residue in blocks else part
    zeros = xp.zeros((*lead, *rows), columns.dtype)
    residues = itertools.product(*map(range, at.stride))
    joined = xp.stack([blocks.get(residue, zeros) for residue in residues], axis=-1)
    apart = joined.reshape(*lead, *rows, *at.stride)
    n = len(lead)
    order = [n + i + side for i in range(axes) for side in (0, axes)]
    full = [row * step for row, step in zip(rows, at.stride, strict=True)]
    out = xp.transpose(apart, (*range(n), *order)).reshape(*lead, *full)
    inside = [slice(max(b, 0), b + size) for (b, _), size in zip(at.padding, sizes, strict=True)]
    out = out[(..., *inside)]
    return padded(xp, out, tuple((max(-b, 0), 0) for b, _ in at.padding))


@primitive
def gather_windows(xp: Namespace, x: Array, *, at: Windows) -> Array:
    """(n, c, s) -> (n, c, k, w): a copy of every window."""
    counts = at.counts(x.shape[x.ndim - len(at.kernel) :])
    x = padded(xp, x, at.padding)
    if xp is np:
        return window_view(x, at).copy()
    lead = x.shape[: x.ndim - len(counts)]
    columns = xp.stack([x[at.at(p, counts)] for p in at.positions()], axis=len(lead))
    return columns.reshape(*lead, *at.kernel, *counts)


@primitive(single=True)
def scatter_windows(xp: Namespace, columns: Array, *, at: Windows, sizes: Shape) -> Array:
    """(n, c, k, w) -> (n, c, s): every window added where it lies."""
    return overlaid(xp, columns, at, sizes)


gather_windows.pullbacks(
    x=lambda g, x_shape, at: scatter_windows(g, at=at, sizes=x_shape[-len(at.kernel) :])
)
scatter_windows.pullbacks(columns=lambda g, at: gather_windows(g, at=at))


@primitive(single=True)
def sum_windows(xp: Namespace, x: Array, *, at: Windows) -> Array:
    """(n, c, s) -> (n, c, w): the sum of every window."""
    lead = x.shape[: x.ndim - len(at.kernel)]
    sizes = x.shape[len(lead) :]
    counts = at.counts(sizes)
    if at.tile(sizes):
        pairs = [n for pair in zip(counts, at.kernel, strict=True) for n in pair]
        return x.reshape(*lead, *pairs).sum(
            axis=tuple(range(len(lead) + 1, len(lead) + len(pairs), 2))
        )
    x = padded(xp, x, at.padding)
    return sum(x[at.at(position, counts)] for position in at.positions())


def _spread(g: Tensor, at: Windows) -> Tensor:
    """(n, c, w) -> (n, c, k, w)."""
    axes = len(at.kernel)
    lead, counts = g.shape[:-axes], g.shape[-axes:]
    return broadcast_to(
        reshape(g, shape=(*lead, *(1,) * axes, *counts)), shape=(*lead, *at.kernel, *counts)
    )


sum_windows.pullbacks(
    x=lambda g, x_shape, at: scatter_windows(
        _spread(g, at), at=at, sizes=x_shape[-len(at.kernel) :]
    )
)


@primitive
def max_windows(xp: Namespace, x: Array, *, at: Windows) -> tuple[Array, Array]:
    """(n, c, s) -> (n, c, w), twice: every window's maximum, and its position in the window.

    Of equal elements the first is taken; NaN counts as the largest. Padding is never taken.
    """
    sizes = x.shape[x.ndim - len(at.kernel) :]
    counts = at.counts(sizes)
    small = np.uint8 if math.prod(at.kernel) <= 256 else np.int32
    if xp is not np and at.tile(sizes):
        # Reduced where they stand, which XLA does faster than comparing strided slices: 0.7 of a
        # small CNN's whole step, in CPU time. Two plain reductions, because XLA does not vectorize
        # an argmax: the step takes 0.87 of the time with one.
        windows = tiles(xp, x, at)
        best = windows.max(axis=-1)
        is_best = (windows == xp.expand_dims(best, -1)) | (windows != windows)
        last = windows.shape[-1] - 1
        first = xp.where(is_best, xp.arange(last + 1, dtype=np.int32), last).min(axis=-1)
        return best, first.astype(small)
    lowest = np.iinfo(x.dtype).min if x.dtype.kind in "iu" else -np.inf if x.dtype != bool else 0
    outside = padded(xp, x, at.padding, lowest)
    lead = x.shape[: x.ndim - len(counts)]
    best = xp.full((*lead, *counts), lowest, x.dtype)
    chosen = xp.broadcast_to(xp.asarray(_first_inside(at, sizes).astype(small)), best.shape)
    for k, position in enumerate(at.positions()):
        value = outside[at.at(position, counts)]
        better = (value > best) | (value != value)
        best = xp.where(better, value, best)
        chosen = xp.where(better, xp.asarray(k, small), chosen)
    return best, chosen


def _first_inside(at: Windows, sizes: Shape) -> np.ndarray[Any, Any]:
    """(w): the position of every window's first element that is not padding."""
    counts = at.counts(sizes)
    first = np.zeros(counts, np.int64)
    for axis, (count, kernel, d, step, (before, _)) in enumerate(
        zip(counts, at.kernel, at.dilation, at.stride, at.padding, strict=True)
    ):
        starts = np.arange(count) * step - before
        inside = np.minimum(np.maximum(-(starts // d), 0), kernel - 1)
        first = first * kernel + inside.reshape(-1, *(1,) * (len(counts) - axis - 1))
    return first


def places(chosen: Array, tables: Sequence[np.ndarray[Any, Any]], sizes: Shape) -> Array:
    """(n, c, w): positions in windows as positions in the flattened spatial axes, of `sizes`.

    `tables[axis]` holds (window, position) -> coordinate.
    """
    xp = namespace(chosen)
    within = chosen.astype(np.int64)
    flat: Any = 0
    for axis, (table, n) in enumerate(zip(tables, sizes, strict=True)):
        later = math.prod(each.shape[1] for each in tables[axis + 1 :])
        window = np.arange(len(table)).reshape(-1, *(1,) * (len(sizes) - axis - 1))
        flat = flat * n + xp.asarray(table)[window, within // later % table.shape[1]]
    return flat


def coordinates(at: Windows, sizes: Shape) -> list[np.ndarray[Any, Any]]:
    """For each axis (window, position) -> coordinate in an input of `sizes`."""
    return [
        (np.arange(count) * step - before)[:, None] + np.arange(k) * d
        for count, step, (before, _), k, d in zip(
            at.counts(sizes), at.stride, at.padding, at.kernel, at.dilation, strict=True
        )
    ]


def _to_the_largest(
    g: list[Tensor], out: tuple[Tensor, Tensor], x_shape: Shape, at: Windows
) -> Any:
    """Each window's cotangent at its maximum, and 0 elsewhere in it."""
    axes = len(at.kernel)
    lead, sizes = x_shape[:-axes], x_shape[-axes:]
    if at.tile(sizes):
        numbers = np.arange(math.prod(at.kernel)).astype(out[1].dtype)
        here = _spread(out[1], at) == numbers.reshape(*at.kernel, *(1,) * axes)
        return scatter_windows(where(here, _spread(g[0], at), 0), at=at, sizes=sizes)
    # By address: the same comparisons as above would make XLA search every window once more for
    # each of its positions (29 times the CPU time for 3x3 windows with a stride of 2).
    flat = places(out[1].data, coordinates(at, sizes), sizes)
    windows = (*lead, math.prod(flat.shape[-axes:]))
    placed = place_along_axis(
        reshape(g[0], shape=windows),
        flat.reshape(windows),
        dim=-1,
        shape=(*lead, math.prod(sizes)),
    )
    return reshape(placed, shape=x_shape)


max_windows.pullbacks(x=_to_the_largest)
