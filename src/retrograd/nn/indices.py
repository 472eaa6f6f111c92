"""Integers that name a row or a class, checked before they pick anything."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.arrays import Array, is_traced, namespace
from retrograd.tensor import Tensor

__all__ = ["check_range", "integers"]


def integers(name: str, values: Any) -> Tensor:
    """`values` as a tensor; raises TypeError unless they are integers."""
    tensor = values if isinstance(values, Tensor) else Tensor(values)
    if tensor.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: expected integers, found {tensor.dtype}; if the values are whole, "
            "use x.astype('int64')"
        )
    return tensor


def check_range(what: str, index: Tensor, count: int, ignored: int | None = None) -> None:
    """Raise IndexError for an index outside [0, count) that is not `ignored`.

    A compiled step cannot look, and passes.
    """
    array: Array = index.data
    if is_traced(array) or not array.size:
        return
    outside = (array < 0) | (array >= count)
    if ignored is not None:
        outside = outside & (array != ignored)
    if outside.any():
        where = tuple(int(i) for i in np.argwhere(np.asarray(outside))[0])
        found = int(namespace(array).asarray(array)[where])
        raise IndexError(
            f"{what} must be from 0 to {count - 1}, found {found}"
            + (f" at position {list(where)}" if where else "")
        )
