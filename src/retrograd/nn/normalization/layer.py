"""Normalization of each example over its last axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.arrays import limits
from retrograd.autodiff.precision import in_single
from retrograd.nn.module import Module
from retrograd.ops.layers.normalization import normalize
from retrograd.tensor import Tensor
from retrograd.variable import Parameter

__all__ = ["LayerNorm", "RMSNorm", "layer_norm", "rms_norm"]


@in_single
def layer_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """γ x̂ + β, each example normalized over its last axes, `normalized_shape`.

    Raises ValueError if the input does not end with that shape.
    """
    shape = as_shape(normalized_shape)
    if tuple(input.shape[-len(shape) :]) != shape:
        raise ValueError(
            f"layer_norm: expected an input of shape (..., {', '.join(map(str, shape))}), "
            f"found {tuple(input.shape)}"
        )
    x_hat, _, _ = normalize(input, dim=tuple(range(-len(shape), 0)), eps=eps)
    return affine(x_hat, weight, bias)


def affine(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    if weight is not None:
        x = x * weight
    return x if bias is None else x + bias


def as_shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """`normalized_shape` as a tuple."""
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)


@in_single
def rms_norm(
    input: Tensor,
    normalized_shape: int | Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """γ x / sqrt(mean(x²) + eps) over the last axes, `normalized_shape`.

    `eps` is the spacing of the dtype's numbers at 1 unless given, of half precision float32's.
    Raises ValueError if the input does not end with that shape, TypeError for integers.
    """
    shape = as_shape(normalized_shape)
    if tuple(input.shape[-len(shape) :]) != shape:
        raise ValueError(
            f"rms_norm: expected an input of shape (..., {', '.join(map(str, shape))}), "
            f"found {tuple(input.shape)}"
        )
    if input.dtype.kind not in "fV":
        raise TypeError(
            f"rms_norm: expected floating-point numbers, found {input.dtype}; use "
            "x.astype('float32')"
        )
    if eps is None:
        eps = float(limits(input.dtype).eps)
    square = ops.mean(ops.square(input), dim=tuple(range(-len(shape), 0)), keepdim=True)
    out = input * ops.rsqrt(square + eps)
    return out if weight is None else out * weight


class LayerNorm(Module):
    """Normalizes each example over its last axes: (..., *normalized_shape) -> the same.

    y = γ (x - μ) / sqrt(σ² + eps) + β (Ba, Kiros & Hinton 2016, eq. 3-4).
    Raises ValueError for an input that does not end with `normalized_shape`.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.normalized_shape = as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape, affine = self.normalized_shape, elementwise_affine
        self.weight = Parameter(np.ones(shape, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(shape, np.float32)) if affine and bias else None

    def forward(self, x: Tensor) -> Tensor:
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """Divides each example by its root mean square: (..., *normalized_shape) -> the same.

    y = γ x / sqrt(mean(x²) + eps) (Zhang & Sennrich 2019, eq. 4); `eps` is the spacing of the
    dtype's numbers at 1 unless given.
    Raises ValueError for an input that does not end with `normalized_shape`.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
    ) -> None:
        super().__init__()
        self.normalized_shape = as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        ones: Any = np.ones(self.normalized_shape, np.float32)
        self.weight = Parameter(ones) if elementwise_affine else None

    def forward(self, x: Tensor) -> Tensor:
        return rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )
