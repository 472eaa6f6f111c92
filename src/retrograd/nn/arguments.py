"""Arguments of layers and losses as tensors, checked before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd.arrays import Array, is_traced, namespace
from retrograd.tensor import Tensor

__all__ = ["as_tensor", "check_range", "integers", "pair"]


def as_tensor(values: Any) -> Tensor:
    """Tensors unchanged; arrays and numbers as tensors."""
    return values if isinstance(values, Tensor) else Tensor(values)


def pair(name: str, input: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Predictions and targets as tensors of one dtype, that of the predictions.

    Raises ValueError unless their shapes are equal, TypeError for predictions that are not floats.
    """
    input, target = as_tensor(input), as_tensor(target)
    if input.dtype.kind not in "fV":
        raise TypeError(
            f"{name}: the predictions must be floating-point numbers, found {input.dtype}; the "
            "first argument is the prediction, the second the target"
        )
    if input.shape != target.shape:
        raise ValueError(
            f"{name}: the predictions have shape {tuple(input.shape)}, the targets "
            f"{tuple(target.shape)}; broadcast, each prediction would be compared with other rows' "
            f"targets. {_way_out(input, target)}"
        )
    return input, target if target.dtype == input.dtype else target.astype(input.dtype)


def _way_out(input: Tensor, target: Tensor) -> str:
    if input.numel() == target.numel():
        return (
            f"Give the targets the predictions' shape, y.reshape({tuple(input.shape)}), or drop "
            "the predictions' axis of size 1, model(x).squeeze(-1)"
        )
    return "Check how many rows and outputs each of the two has"


def integers(name: str, values: Any) -> Tensor:
    """`values` as a tensor; raises TypeError unless they are integers."""
    tensor = as_tensor(values)
    if tensor.dtype.kind not in "iu":
        raise TypeError(
            f"{name}: expected integers, found {tensor.dtype}; if the values are whole, "
            "use x.astype('int64')"
        )
    return tensor


def check_range(what: str, index: Tensor, count: int, ignored: int | None = None) -> None:
    """Raise IndexError for an index outside [0, count) that is not `ignored`.

    A compiled step cannot check this.
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
