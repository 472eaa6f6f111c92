"""What a mask picks, fills and writes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retrograd.arrays import Array, namespace
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise.selection import where
from retrograd.ops.indexing.index import as_tensor, getitem, raw, take
from retrograd.ops.shapes.shape import broadcast_to

__all__ = ["masked_fill", "masked_scatter", "masked_select"]


def masked_fill(x: Tensor, mask: Tensor | Array, value: Any) -> Tensor:
    """`x` with `value` where the mask holds; booleans stay booleans, and integers integers.

    A fraction makes integers float32.
    """
    number = not hasattr(value, "dtype")
    if x.dtype == bool or (number and x.dtype.kind in "iu" and value == int(value)):
        value = np.asarray(value, x.dtype) if number else as_tensor(value, None).astype(bool)
    return where(mask, value, x)


def masked_select(x: Tensor, mask: Tensor | Array) -> Tensor:
    """The elements where the mask holds, as a vector; only eagerly, since its size is their number.

    Raises IndexError in a compiled step, with the way out.
    """
    mask = raw(mask)
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return getitem(broadcast_to(x, shape=shape), namespace(mask).broadcast_to(mask, shape))


def masked_scatter(x: Tensor, mask: Tensor | Array, source: Tensor) -> Tensor:
    """`x` with the elements of `source`, in their order, where the mask holds."""
    mask = raw(mask)
    xp = namespace(mask)
    shape = np.broadcast_shapes(x.shape, mask.shape)
    x, mask = broadcast_to(x, shape=shape), xp.broadcast_to(mask, shape)
    order = (xp.cumsum(xp.reshape(mask, -1)) - 1).reshape(x.shape)
    last = math.prod(source.shape) - 1
    return where(mask, take(source, xp.clip(order, 0, last)), x) if last >= 0 else x
