"""PyTorch's ways of reading and writing by index, each returning a new tensor."""

from __future__ import annotations

from typing import Any

from retrograd.arrays import Array
from retrograd.autodiff.tape import Tensor
from retrograd.ops.elementwise import where

__all__ = ["masked_fill"]


def masked_fill(x: Tensor, mask: Tensor | Array, value: Any) -> Tensor:
    """`x` with `value` where the mask holds."""
    return where(mask, value, x)
