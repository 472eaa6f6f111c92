"""Normalization of each channel over the batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.arrays import Array, is_half
from retrograd.autodiff.precision import raised
from retrograd.nn.module import Module
from retrograd.nn.normalization.layer import affine
from retrograd.ops.layers.normalization import normalize
from retrograd.tensor import Tensor
from retrograd.variable import Buffer, Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "batch_norm"]


def batch_norm(
    input: Tensor,
    running_mean: Buffer | None,
    running_var: Buffer | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: Any = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """γ x̂ + β, each channel normalized over the batch: (n, c, ...) -> the same.

    In training, or without running statistics, μ and σ² are the batch's own, and the running ones
    move by `momentum` toward them (toward the unbiased σ²). Else the running ones are used.
    Raises ValueError for fewer than two axes, and in training for one value per channel or an `eps`
    that is not above 0.
    """
    if input.ndim < 2:
        raise ValueError(
            f"batch_norm: expected an input of shape (n, c, ...), found {tuple(input.shape)}"
        )
    if training and eps <= 0:
        raise ValueError(f"batch_norm: eps must be above 0 in training, found {eps}")
    over = (0, *range(2, input.ndim))
    column = (-1, *(1,) * (input.ndim - 2))  # the shape in which (c,) stands beside the input
    weight, bias = (None if p is None else ops.reshape(p, shape=column) for p in (weight, bias))
    if running_mean is None or running_var is None or training:
        n = math.prod(input.shape[axis] for axis in over)
        if n < 2:
            raise ValueError(
                f"batch_norm: a batch's statistics need more than one value per channel, found "
                f"an input of shape {tuple(input.shape)}; use a larger batch, or model.eval()"
            )
        x_hat, mu, variance = normalize(raised(input), dim=over, eps=eps)
        x_hat = x_hat if x_hat.dtype == input.dtype else x_hat.astype(input.dtype)
        with np.errstate(all="ignore"):
            _move(running_mean, mu.data, momentum)
            _move(running_var, variance.data * (n / (n - 1)), momentum)
    else:
        mu, variance = (ops.reshape(s, shape=column) for s in (running_mean, running_var))
        x_hat = (raised(input) - raised(mu)) * ops.rsqrt(raised(variance) + eps)
        x_hat = x_hat if not is_half(input.dtype) else x_hat.astype(input.dtype)
    return affine(x_hat, weight, bias)


def _move(running: Buffer | None, value: Array, momentum: Any) -> None:
    """running ← running + momentum (value - running)."""
    if running is not None:
        old = running.data
        running.data = (old + momentum * (value.reshape(old.shape) - old)).astype(old.dtype)


class _BatchNorm(Module):
    axes: tuple[int, ...]  # how many axes an input may have
    shapes: str

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter(np.ones(num_features, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(num_features, np.float32)) if affine and bias else None
        tracked = track_running_stats
        self.running_mean = Buffer(np.zeros(num_features, np.float32)) if tracked else None
        self.running_var = Buffer(np.ones(num_features, np.float32)) if tracked else None
        self.num_batches_tracked = Buffer(np.int64(0)) if tracked else None

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim not in self.axes or x.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__} takes {self.shapes}: expected {self.num_features} channels "
                f"on axis 1, found an input of shape {tuple(x.shape)}"
            )
        tracked = self.num_batches_tracked if self.training else None
        batches = None if tracked is None else (tracked + 1).data
        out = batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            1 / batches if self.momentum is None and batches is not None else self.momentum,
            self.eps,
        )
        if tracked is not None:
            tracked.data = batches
        return out

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Normalizes each channel over the batch: (n, c) or (n, c, length) -> the same.

    y = γ (x - μ) / sqrt(σ² + eps) + β (Ioffe & Szegedy 2015, algorithm 1). In evaluation μ and σ²
    are the running statistics, which in training move by `momentum` toward each batch's; with
    momentum None they are the plain average of all batches so far.
    Raises ValueError in training for one value per channel, and for another number of channels.
    """

    axes, shapes = (2, 3), "(n, c) or (n, c, length)"


class BatchNorm2d(_BatchNorm):
    """Normalizes each channel over the batch and the image: (n, c, height, width) -> the same.

    As `BatchNorm1d`.
    """

    axes, shapes = (4,), "(n, c, height, width)"


class BatchNorm3d(_BatchNorm):
    """Normalizes each channel over the batch and the volume: (n, c, d, h, w) -> the same.

    As `BatchNorm1d`.
    """

    axes, shapes = (5,), "(n, c, d, h, w)"
