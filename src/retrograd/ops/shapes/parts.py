"""Parts joined, cut off, padded and repeated."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor
from retrograd.ops.shapes.shape import (
    Dims,
    Shape,
    axis,
    broadcast_to,
    reshape,
    squeeze,
    unsqueeze,
)

__all__ = ["chunk", "concatenate", "pad", "roll", "split", "stack", "tile", "unbind"]


@primitive
def concatenate_all(xp: Namespace, *tensors: Array, dim: int = 0) -> Array:
    """The operands one after the other along an existing axis."""
    return xp.concatenate(tensors, axis=dim)


concatenate_all.pullbacks(
    tensors=lambda g, tensors_shape, position, dim: g[_section(tensors_shape, position, dim)]
)


def _section(shapes: Sequence[Shape], position: int, dim: int) -> tuple[slice, ...]:
    """Where operand `position` lies in the concatenation."""
    dim %= len(shapes[0])
    start = builtins.sum(shape[dim] for shape in shapes[:position])
    return (slice(None),) * dim + (slice(start, start + shapes[position][dim]),)


def concatenate(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors one after the other along an existing axis."""
    return concatenate_all(*tensors, dim=dim)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """The tensors side by side along a new axis."""
    return concatenate_all(*(unsqueeze(tensor, dim) for tensor in tensors), dim=dim)


@primitive
def split_sizes(xp: Namespace, x: Array, *, sizes: Shape, dim: int = 0) -> tuple[Array, ...]:
    """Consecutive parts of the given sizes along `dim`."""
    return tuple(xp.split(x, np.cumsum(sizes)[:-1].tolist(), axis=dim))


split_sizes.pullbacks(x=lambda g, dim: concatenate_all(*g, dim=dim))


def split(
    x: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Parts of one size (the last may be smaller), or of the sizes listed, along `dim`.

    Raises IndexError for an axis that does not exist, ValueError for parts of less than 1 element
    and if the sizes listed do not add up to the size of the axis.
    """
    dim = axis(dim, x.ndim)
    total = x.shape[dim]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 1 and total:
            raise ValueError(f"split: a part needs at least 1 element, found {size}")
        size = builtins.max(size, 1)
        sizes = tuple(min(size, total - start) for start in range(0, total, size)) or (0,)
    else:
        sizes = tuple(split_size_or_sections)
        if builtins.sum(sizes) != total:
            raise ValueError(
                f"split: the sections {list(sizes)} add up to {builtins.sum(sizes)}, "
                f"but axis {dim} has size {total}"
            )
    parts: tuple[Tensor, ...] = split_sizes(x, sizes=sizes, dim=dim)
    return parts


@primitive
def pad_constant(
    xp: Namespace, x: Array, *, widths: tuple[tuple[int, int], ...], value: float = 0.0
) -> Array:
    """`x` with `widths[i] = (before, after)` elements of `value` around axis i."""
    return xp.pad(x, widths, constant_values=value)


pad_constant.pullbacks(
    x=lambda g, x_shape, widths: g[
        tuple(slice(a, a + n) for n, (a, _) in zip(x_shape, widths, strict=True))
    ]
)


def pad(x: Tensor, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Tensor:
    """`x` with `pad = (left, right, top, bottom, ...)` elements around it, the last axis first.

    A negative width crops. `mode` is "constant", "reflect" (the edge is not repeated), "replicate"
    or "circular". Raises ValueError for another.
    """
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    widths = [(0, 0)] * (x.ndim - len(pairs)) + pairs[::-1]
    if mode in ("constant", "circular") and any(a < 0 or b < 0 for a, b in widths):
        edges = [(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape, widths, strict=True)]
        x = x[tuple(slice(first, last) for first, last in edges)]
        widths = [(max(a, 0), max(b, 0)) for a, b in widths]
    if mode == "constant":
        return pad_constant(x, widths=tuple(widths), value=value)
    if mode not in _SOURCES:
        raise ValueError(f"pad: mode {mode!r} is not one of constant, {', '.join(_SOURCES)}")
    for dim, (before, after) in enumerate(widths):
        if before or after:
            n = x.shape[dim]
            x = x[(slice(None),) * dim + (_SOURCES[mode](np.arange(-before, n + after), n),)]
    return x


# Which element of an axis of size n stands at position i, before its start and after its end too.
_SOURCES: dict[str, Callable[[Any, int], Any]] = {
    "reflect": lambda i, n: np.abs((i + n - 1) % max(2 * (n - 1), 1) - (n - 1)),
    "replicate": lambda i, n: np.clip(i, 0, n - 1),
    "circular": lambda i, n: i % n,
}


def unbind(x: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along `dim`, each without that axis."""
    dim = axis(dim, x.ndim)
    return tuple(squeeze(part, dim) for part in split(x, 1, dim)) if x.shape[dim] else ()


def chunk(x: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` parts of equal size along `dim`; the last may be smaller.

    Raises IndexError for an axis that does not exist, ValueError for less than one part.
    """
    if chunks < 1:
        raise ValueError(f"chunk: expected at least 1 part, found {chunks}")
    return split(x, builtins.max(-(-x.shape[axis(dim, x.ndim)] // chunks), 1), dim)


def roll(x: Tensor, shifts: Dims, dims: Dims | None = None) -> Tensor:
    """The elements moved by `shifts` along `dims`, those pushed out coming in at the other end.

    Without `dims` the flattened tensor is rolled.
    """
    if dims is None:
        return reshape(roll(reshape(x, shape=(-1,)), shifts, 0), shape=x.shape)
    shifts = [shifts] if isinstance(shifts, int) else shifts
    for shift, dim in zip(shifts, [dims] if isinstance(dims, int) else dims, strict=True):
        dim = axis(dim, x.ndim)
        n = x.shape[dim] if x.ndim else 0
        if n and shift % n:
            first = n - shift % n
            x = concatenate(split(x, [first, n - first], dim)[::-1], dim)
    return x


def tile(x: Tensor, dims: Sequence[int]) -> Tensor:
    """`x` repeated `dims[i]` times along axis i, aligned at the last axis."""
    rank = builtins.max(x.ndim, len(dims))
    counts = [1] * (rank - len(dims)) + list(dims)
    shape = (1,) * (rank - x.ndim) + tuple(x.shape)
    apart = reshape(x, shape=tuple(size for n in shape for size in (1, n)))
    spread = tuple(size for pair in zip(counts, shape, strict=True) for size in pair)
    return reshape(
        broadcast_to(apart, shape=spread),
        shape=tuple(c * n for c, n in zip(counts, shape, strict=True)),
    )
