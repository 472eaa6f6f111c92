"""Operations that move elements and compute nothing."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from retrograd.arrays import Array, Namespace
from retrograd.autodiff.primitive import primitive
from retrograd.autodiff.tape import Tensor

Shape = tuple[int, ...]


def axis(dim: int, ndim: int) -> int:
    """`dim` counted from 0; raises IndexError for an axis that does not exist."""
    count = max(ndim, 1)  # as in PyTorch, a single number answers to axis 0
    if not -count <= dim < count:
        raise IndexError(f"axis {dim} is out of range for a tensor with {ndim} axes")
    return int(dim % count)


@primitive
def reshape(xp: Namespace, x: Array, *, shape: int | Shape) -> Array:
    """The same elements in another shape; one size may be -1."""
    return xp.reshape(x, shape)


reshape.pullbacks(x=lambda g, x_shape: g.reshape(x_shape))


@primitive
def permute(xp: Namespace, x: Array, *, dims: Shape) -> Array:
    """The axes in the order `dims`."""
    return xp.transpose(x, dims)


permute.pullbacks(
    x=lambda g, dims: permute(
        g, dims=tuple(int(i) for i in np.argsort([d % len(dims) for d in dims]))
    )
)


def transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    """`x` with two axes exchanged."""
    if x.ndim == 0:
        return x
    dims = list(range(x.ndim))
    dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
    return permute(x, dims=tuple(dims))


@primitive
def broadcast_to(xp: Namespace, x: Array, *, shape: Shape) -> Array:
    """`x` repeated along new axes and axes of size 1; the walk sums the cotangent back."""
    return xp.broadcast_to(x, shape)


broadcast_to.pullbacks(x=lambda g: g)


def expand(x: Tensor, *sizes: int | Shape) -> Tensor:
    """`broadcast_to`, where -1 keeps an axis as it is."""
    shape = _sizes(sizes)
    offset = len(shape) - x.ndim
    return broadcast_to(
        x, shape=tuple(x.shape[i - offset] if n == -1 else n for i, n in enumerate(shape))
    )


def squeeze(x: Tensor, dim: int | Shape | None = None) -> Tensor:
    """`x` without its axes of size 1 (only those in `dim`, if given)."""
    chosen = range(x.ndim) if dim is None else [axis(d, x.ndim) for d in _sizes((dim,))]
    return reshape(x, shape=tuple(n for i, n in enumerate(x.shape) if n != 1 or i not in chosen))


def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """`x` with a new axis of size 1 at `dim`."""
    shape = list(x.shape)
    shape.insert(axis(dim, x.ndim + 1), 1)
    return reshape(x, shape=tuple(shape))


def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """The axes from `start_dim` to `end_dim` as one."""
    if x.ndim == 0:
        return reshape(x, shape=(1,))
    first, last = axis(start_dim, x.ndim), axis(end_dim, x.ndim)
    size = int(np.prod(x.shape[first : last + 1]))
    return reshape(x, shape=(*x.shape[:first], size, *x.shape[last + 1 :]))


def _sizes(sizes: tuple[Any, ...]) -> Shape:
    """Sizes given one by one or as one sequence."""
    if len(sizes) == 1 and not isinstance(sizes[0], int | np.integer):
        return tuple(sizes[0])
    return tuple(sizes)


@primitive
def flip(xp: Namespace, x: Array, *, dims: int | Shape) -> Array:
    """The elements in reverse order along `dims`."""
    return xp.flip(x, dims)


flip.pullbacks(x=lambda g, dims: flip(g, dims=dims))


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

    Raises ValueError if the sizes listed do not add up to the size of the axis.
    """
    total = x.shape[dim]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
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
        raise ValueError(f"pad: mode {mode!r} is none of constant, {', '.join(_SOURCES)}")
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
