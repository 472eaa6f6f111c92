"""New tensors of random numbers.

They come from the stream that `manual_seed` sets, the same eagerly and in a compiled step;
`generator` is a `Key` of one's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd import devices, random
from retrograd.arrays import DType
from retrograd.inherited.conversions import sizes
from retrograd.tensor import Tensor
from retrograd.variable import Key

__all__ = [
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
]


def rand(
    *size: Any,
    generator: Key | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from [0, 1)."""
    devices.check(device)
    drawn = random.uniform(sizes(size), dtype or np.float32, key=generator)
    return drawn.requires_grad_(requires_grad)


def randn(
    *size: Any,
    generator: Key | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from the standard normal distribution."""
    devices.check(device)
    drawn = random.normal(sizes(size), dtype or np.float32, key=generator)
    return drawn.requires_grad_(requires_grad)


def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Key | None = None
) -> Tensor:
    """Numbers from normal distributions of the given means and standard deviations.

    Numbers with a `size`, or tensors, whose shapes broadcast.
    """
    if size is None:
        size = np.broadcast_shapes(*(getattr(each, "shape", ()) for each in (mean, std)))
    return random.normal(tuple(size), key=generator) * std + mean


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Key | None = None,
    dtype: DType | None = None,
    device: Any = None,
) -> Tensor:
    """Whole numbers from `low` up to but not including `high`: `randint(10, (3,))` from 0 to 9."""
    devices.check(device)
    if size is None:
        low, high, size = 0, low, high
    return random.integers(low, high, tuple(size), dtype or np.int64, key=generator)


def randperm(
    n: int, *, generator: Key | None = None, dtype: DType | None = None, device: Any = None
) -> Tensor:
    """0 to n - 1 in random order."""
    devices.check(device)
    return random.permutation(n, dtype or np.int64, key=generator)


def rand_like(
    input: Tensor,
    *,
    generator: Key | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from [0, 1), in the shape and dtype of `input`."""
    return rand(
        input.shape,
        generator=generator,
        dtype=dtype or input.dtype,
        device=device,
        requires_grad=requires_grad,
    )


def randn_like(
    input: Tensor,
    *,
    generator: Key | None = None,
    dtype: DType | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers from the standard normal distribution, in the shape and dtype of `input`."""
    return randn(
        input.shape,
        generator=generator,
        dtype=dtype or input.dtype,
        device=device,
        requires_grad=requires_grad,
    )


def randint_like(
    input: Tensor, low: int, high: int | None = None, *, dtype: DType | None = None
) -> Tensor:
    """Whole numbers from `low` (or 0) up to `high`, in the shape and dtype of `input`."""
    if high is None:
        low, high = 0, low
    return random.integers(low, high, input.shape, dtype or input.dtype)
