"""Entries that move, cut, pick and place elements."""

from __future__ import annotations

from typing import Any

import numpy as np

import retrograd as rg
from opinfo.compare import Case
from opinfo.database import Sample
from opinfo.helpers import expressed, named
from retrograd import ops

__all__ = ["TABLE"]


def _diag(x: Any, diagonal: int = 0) -> Any:
    return ops.diag_embed(x, diagonal) if x.ndim == 1 else ops.diagonal(x, diagonal)


def _broadcast_tensors(*tensors: Any) -> Any:
    shape = np.broadcast_shapes(*(x.shape for x in tensors))
    return tuple(ops.broadcast_to(x, shape=shape) for x in tensors)


def _sizes(x: Any, *sizes: Any) -> Any:
    """Sizes one by one or as one sequence, or a tensor of the wanted shape."""
    if hasattr(sizes[0], "shape"):
        return sizes[0].shape
    return tuple(sizes[0]) if isinstance(sizes[0], list | tuple) else sizes


def _reshape(x: Any, *sizes: Any) -> Any:
    return ops.reshape(x, shape=_sizes(x, *sizes))


def _expand(x: Any, *sizes: Any) -> Any:
    return ops.expand(x, *_sizes(x, *sizes))


def _permute(x: Any, *dims: Any) -> Any:
    return ops.permute(x, dims=_sizes(x, *dims))


def _tile(x: Any, *counts: Any) -> Any:
    return ops.tile(x, _sizes(x, *counts))


def _squeeze(x: Any, dim: Any = None) -> Any:
    return ops.squeeze(x, dim)


def _at_least(rank: int) -> Any:
    def one(x: Any) -> Any:
        if rank == 3 and x.ndim == 2:
            return x[..., None]
        if rank >= 2 and x.ndim == 1:
            return x[None, :, None] if rank == 3 else x[None]
        return x if x.ndim >= rank else x.reshape((1,) * rank)

    def called(*tensors: Any) -> Any:
        tensors = tuple(tensors[0]) if isinstance(tensors[0], list | tuple) else tensors
        made = tuple(one(x) for x in tensors)
        return made[0] if len(made) == 1 else made

    return called


def _joined(rank: int, dim: int) -> Any:
    def called(tensors: Any) -> Any:
        made = _at_least(rank)(*tensors)
        return ops.concatenate(made if isinstance(made, tuple) else (made,), dim)

    return called


def _cut_at(dim: Any) -> Any:
    def called(x: Any, sections: Any) -> Any:
        return ops.tensor_split(x, sections, dim(x) if callable(dim) else dim)

    return called


def _column_stack(tensors: Any) -> Any:
    return ops.concatenate([x.reshape(-1, 1) if x.ndim < 2 else x for x in tensors], 1)


def _hstack(tensors: Any) -> Any:
    tensors = [x.reshape(1) if x.ndim == 0 else x for x in tensors]
    return ops.concatenate(tensors, 0 if tensors[0].ndim == 1 else 1)


def _cat(tensors: Any, dim: int = 0) -> Any:
    return ops.concatenate(tensors, dim)


def _slice(dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return (*(slice(None),) * dim, slice(start, end, step))


def _slice_scatter(x: Any, src: Any, *where: Any, **options: Any) -> Any:
    return ops.index_put(x, _slice(*where, **options), src)


def _select_scatter(x: Any, src: Any, dim: int, index: int) -> Any:
    return ops.index_put(x, (*(slice(None),) * (dim % x.ndim), index), src)


def _diagonal_places(x: Any, offset: int, dim1: int, dim2: int) -> Any:
    places = np.arange(x.numel()).reshape(x.shape)
    return np.diagonal(places, offset, dim1, dim2)


def _diagonal_scatter(x: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    places = _diagonal_places(x, offset, dim1, dim2)
    return ops.index_put(x.reshape(-1), places, src).reshape(x.shape)


def _put(x: Any, index: Any, source: Any, accumulate: bool = False) -> Any:
    flat = x.reshape(-1)
    return ops.index_put(flat, index.reshape(-1), source.reshape(-1), accumulate).reshape(x.shape)


def _index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    return ops.index_put(x, tuple(indices), values, accumulate)


def _index_reduce(
    x: Any, dim: int, index: Any, source: Any, reduce: str, include_self: bool = True
) -> Any:
    if x.ndim == 0:
        x, source = x.reshape(1), source.reshape(1)
        return _index_reduce(x, 0, index, source, reduce, include_self).reshape(())
    dim %= x.ndim
    shape = tuple(-1 if i == dim else 1 for i in range(x.ndim))
    spread = ops.broadcast_to(index.reshape(shape), shape=source.shape)
    return ops.scatter_reduce(x, dim, spread, source, reduce, include_self)


def _scatter(
    x: Any, dim: int, index: Any, src: Any = None, value: Any = None, reduce: Any = None
) -> Any:
    src = value if src is None else src
    if reduce == "add":
        return ops.scatter_add(x, dim, index, src)
    if reduce == "multiply":
        src = src if hasattr(src, "shape") else rg.Tensor(np.full(index.shape, src, x.dtype))
        return ops.scatter_reduce(x, dim, index, src, "prod")
    return ops.scatter(x, dim, index, src)


def _pad(x: Any, pad: Any, mode: str = "constant", value: Any = None) -> Any:
    return ops.pad(x, pad, mode, 0.0 if value is None else value)


def _constant_pad(x: Any, pad: Any, value: float = 0.0) -> Any:
    return ops.pad(x, pad, value=value)


def _unfold(x: Any, dimension: int, size: int, step: int) -> Any:
    return ops.unfold(x, dimension, size, step)


def _cartesian(*tensors: Any) -> Any:
    if len(tensors) == 1:
        return tensors[0]
    return ops.stack([grid.reshape(-1) for grid in ops.meshgrid(*tensors)], 1)


def _combinations(x: Any, r: int = 2, with_replacement: bool = False) -> Any:
    import itertools

    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    rows = np.array(list(choose(range(x.shape[0]), r)), int).reshape(-1, r)
    return x[rows]


def _repeat_interleave(x: Any, repeats: Any, dim: Any = None, **options: Any) -> Any:
    repeats = repeats.numpy() if hasattr(repeats, "numpy") else repeats
    return ops.repeat_interleave(x, repeats, dim)


def _meshgrid(*tensors: Any, indexing: str = "ij") -> Any:
    if isinstance(tensors[0], list | tuple):
        tensors = tuple(tensors[0])
    return ops.meshgrid(*tensors, indexing=indexing)


def _split_like(function: Any) -> Any:
    def called(x: Any, sizes: Any, dim: int = 0) -> Any:
        return function(x, sizes, dim)

    return called


def _tensor_split(x: Any, sections: Any, dim: int = 0) -> Any:
    return ops.tensor_split(x, getattr(sections, "tolist", lambda: sections)(), dim)


def _legacy_cat(sample: Sample) -> str | None:
    if len({x.ndim for x in sample.input}) > 1:
        return "a tensor of shape (0,) joined to matrices: kept there for old code"
    return None


def _empty_index(sample: Sample) -> str | None:
    if sample.input.ndim != sample.args[1].ndim and sample.args[1].numel() == 0:
        return "an empty index of another rank than the input: kept there for old code"
    return None


TABLE: dict[str, Case] = {
    "broadcast_to": expressed(lambda x, shape: ops.broadcast_to(x, shape=shape), "broadcast_to"),
    "broadcast_tensors": expressed(_broadcast_tensors, "broadcast_to"),
    "expand": expressed(_expand, "expand"),
    "expand_as": expressed(_expand, "expand(x, y.shape)"),
    "reshape": expressed(_reshape, "reshape"),
    "reshape_as": expressed(_reshape, "reshape(x, y.shape)"),
    "view": expressed(_reshape, "reshape"),
    "view_as": expressed(_reshape, "reshape(x, y.shape)"),
    "ravel": expressed(lambda x: ops.reshape(x, shape=-1), "reshape(x, -1)"),
    "flatten": named(ops.flatten),
    "unflatten": named(ops.unflatten),
    "permute": expressed(_permute, "permute"),
    "transpose": named(ops.transpose),
    "T": expressed(lambda x: x.T, "x.T"),
    "mT": expressed(lambda x: x.mT, "x.mT"),
    "t": expressed(lambda x: x.T, "x.T"),
    "movedim": named(ops.movedim),
    "squeeze": expressed(_squeeze, "squeeze"),
    "squeeze.multiple": expressed(_squeeze, "squeeze"),
    "unsqueeze": named(ops.unsqueeze),
    "flip": named(ops.flip),
    "fliplr": expressed(lambda x: ops.flip(x, 1), "flip(x, 1)"),
    "flipud": expressed(lambda x: ops.flip(x, 0), "flip(x, 0)"),
    "rot90": named(ops.rot90),
    "roll": named(ops.roll),
    "tile": expressed(_tile, "tile"),
    "repeat": expressed(_tile, "tile"),
    "repeat_interleave": expressed(
        _repeat_interleave, "repeat_interleave", eager_only="the counts give the shape"
    ),
    "cat": expressed(_cat, "concatenate", skip=_legacy_cat),
    "stack": named(ops.stack),
    "hstack": expressed(_hstack, "concatenate"),
    "vstack": expressed(_joined(2, 0), "concatenate"),
    "dstack": expressed(_joined(3, 2), "concatenate"),
    "column_stack": expressed(_column_stack, "concatenate"),
    "atleast_1d": expressed(_at_least(1), "reshape"),
    "atleast_2d": expressed(_at_least(2), "reshape"),
    "atleast_3d": expressed(_at_least(3), "reshape"),
    "split": named(ops.split),
    "split.list_args": named(ops.split),
    "split_with_sizes": named(ops.split),
    "chunk": named(ops.chunk),
    "tensor_split": expressed(
        _tensor_split, "tensor_split", eager_only="indices in a tensor give the shapes"
    ),
    "hsplit": expressed(_cut_at(lambda x: 0 if x.ndim == 1 else 1), "tensor_split"),
    "vsplit": expressed(_cut_at(0), "tensor_split"),
    "dsplit": expressed(_cut_at(2), "tensor_split"),
    "unbind": named(ops.unbind),
    "narrow": named(ops.narrow, eager_only="a start in a tensor gives the slice"),
    "select": named(ops.select),
    "slice": expressed(lambda x, *a, **k: x[_slice(*a, **k)], "x[a:b]"),
    "__getitem__": expressed(lambda x, index: x[index], "x[index]", static=True),
    "unfold": expressed(_unfold, "unfold"),
    "constant_pad_nd": expressed(_constant_pad, "pad"),
    "nn.functional.pad.constant": expressed(_pad, "pad"),
    "nn.functional.pad.reflect": expressed(_pad, "pad"),
    "nn.functional.pad.replicate": expressed(_pad, "pad"),
    "nn.functional.pad.replicate_negative": expressed(_pad, "pad"),
    "nn.functional.pad.circular": expressed(_pad, "pad"),
    "diag": expressed(_diag, "diagonal, diag_embed"),
    "diagflat": expressed(
        lambda x, offset=0: ops.diag_embed(x.reshape(-1), offset), "diag_embed(x.reshape(-1))"
    ),
    "diag_embed": named(ops.diag_embed),
    "diagonal": named(ops.diagonal),
    "linalg.diagonal": expressed(
        lambda x, offset=0, dim1=-2, dim2=-1: ops.diagonal(x, offset, dim1, dim2), "diagonal"
    ),
    "tril": named(ops.tril),
    "triu": named(ops.triu),
    "block_diag": named(ops.block_diag),
    "meshgrid.variadic_tensors": expressed(_meshgrid, "meshgrid"),
    "meshgrid.list_of_tensors": expressed(_meshgrid, "meshgrid"),
    "cartesian_prod": expressed(_cartesian, "stack(meshgrid)"),
    "combinations": expressed(_combinations, "x[rows]"),
    "gather": named(ops.gather, skip=_empty_index),
    "take_along_dim": named(ops.take_along_dim),
    "take": named(ops.take),
    "index_select": named(ops.index_select),
    "index_add": named(ops.index_add),
    "index_copy": named(ops.index_copy),
    "index_fill": named(ops.index_fill),
    "index_put": expressed(_index_put, "index_put", static=True),
    "put": expressed(_put, "index_put"),
    "index_reduce.amax": expressed(_index_reduce, "scatter_reduce"),
    "index_reduce.amin": expressed(_index_reduce, "scatter_reduce"),
    "index_reduce.mean": expressed(_index_reduce, "scatter_reduce"),
    "index_reduce.prod": expressed(_index_reduce, "scatter_reduce"),
    "scatter": expressed(_scatter, "scatter"),
    "scatter_add": named(ops.scatter_add),
    "scatter_reduce.amax": named(ops.scatter_reduce),
    "scatter_reduce.amin": named(ops.scatter_reduce),
    "scatter_reduce.mean": named(ops.scatter_reduce),
    "scatter_reduce.prod": named(ops.scatter_reduce),
    "scatter_reduce.sum": named(ops.scatter_reduce),
    "select_scatter": expressed(_select_scatter, "index_put"),
    "slice_scatter": expressed(_slice_scatter, "index_put"),
    "diagonal_scatter": expressed(_diagonal_scatter, "index_put"),
    "masked_scatter": named(ops.masked_scatter),
    "masked_select": named(
        ops.masked_select, eager_only="how many elements it picks is not known when compiling"
    ),
}
