"""Position encodings: sines and learned vectors to add, and rotations."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd import ops
from retrograd.nn import init
from retrograd.nn.arguments import as_tensor
from retrograd.nn.module import Module
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["LearnedPositions", "RotaryPositions", "SinusoidalPositions"]

Vector = np.ndarray[Any, Any]


def _angles(length: int, dim: int, base: float) -> Vector:
    """(length, dim / 2): position times base^(-2i / dim)."""
    frequencies = base ** (-np.arange(0, dim, 2) / dim)
    return np.arange(length)[:, None] * frequencies


def _even(name: str, dim: int) -> int:
    if dim < 2 or dim % 2:
        raise ValueError(f"{name}: the size must be an even number, found {dim}")
    return dim


class SinusoidalPositions(Module):
    """x plus sines and cosines of its position: (..., length, dim) -> the same.

    Element 2i of position p gets sin(p · base^(-2i / dim)), element 2i + 1 the cosine (Vaswani et
    al. 2017, section 3.5). It has no parameters and takes any length.
    Raises ValueError for an odd size.
    """

    def __init__(self, dim: int, base: float = 10000.0) -> None:
        super().__init__()
        self.dim = _even("SinusoidalPositions", dim)
        self.base = base

    def forward(self, x: Any) -> Tensor:
        x = as_tensor(x)
        angles = _angles(x.shape[-2], self.dim, self.base)
        waves = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
        return x + waves.reshape(-1, self.dim).astype(x.dtype)

    def extra_repr(self) -> str:
        return f"{self.dim}"


class LearnedPositions(Module):
    """x plus a trained vector for each position: (..., length, dim) -> the same.

    `weight` has shape `(max_length, dim)` and starts normal with deviation 0.02 (Radford et al.
    2018). Raises ValueError for a sequence longer than `max_length`.
    """

    def __init__(self, max_length: int, dim: int) -> None:
        super().__init__()
        self.max_length = max_length
        self.dim = dim
        self.weight = Parameter(np.empty((max_length, dim), np.float32))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial vectors."""
        init.normal_(self.weight, std=0.02)

    def forward(self, x: Any) -> Tensor:
        x = as_tensor(x)
        length = x.shape[-2]
        if length > self.max_length:
            raise ValueError(
                f"LearnedPositions: a sequence of {length} is longer than max_length, "
                f"{self.max_length}; shorten it, or make the layer with a larger one"
            )
        return x + self.weight[:length]

    def extra_repr(self) -> str:
        return f"{self.max_length}, {self.dim}"


class RotaryPositions(Module):
    """Queries or keys, rotated by their position: (..., length, dim) -> the same.

    Elements i and i + dim / 2 are turned as a plane by the angle p · base^(-2i / dim), so that the
    product of a query and a key depends on how far apart they are, not on where (Su et al. 2021,
    section 3.2; the pairing of halves is that of GPT-NeoX and Llama). It has no parameters.
    Raises ValueError for an odd size.
    """

    def __init__(self, dim: int, base: float = 10000.0) -> None:
        super().__init__()
        self.dim = _even("RotaryPositions", dim)
        self.base = base

    def forward(self, x: Any, offset: int = 0) -> Tensor:
        """`offset` is the position of the first vector."""
        x = as_tensor(x)
        half = self.dim // 2
        angles = _angles(offset + x.shape[-2], self.dim, self.base)[offset:]
        cos, sin = np.cos(angles).astype(x.dtype), np.sin(angles).astype(x.dtype)
        first, second = x[..., :half], x[..., half:]
        return ops.concatenate([first * cos - second * sin, second * cos + first * sin], -1)

    def extra_repr(self) -> str:
        return f"{self.dim}"
