"""Normalization within each example: by groups of channels, and by channel."""

from __future__ import annotations

import math

import numpy as np

from retrograd import ops
from retrograd.autodiff.precision import in_single, raised
from retrograd.nn.module import Module
from retrograd.nn.normalization.batch import batch_norm
from retrograd.ops.layers.normalization import normalize
from retrograd.tensor import Tensor
from retrograd.variable import Buffer, Parameter

__all__ = [
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "group_norm",
    "instance_norm",
]


def _by_channel(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """γ x + β with one γ and β per channel, on axis 1."""
    column = (-1, *(1,) * (x.ndim - 2))
    if weight is not None:
        x = x * ops.reshape(weight, shape=column)
    return x if bias is None else x + ops.reshape(bias, shape=column)


@in_single
def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """γ x̂ + β, each group of neighboring channels of an example normalized: (n, c, ...).

    Raises ValueError if the channels are not a multiple of `num_groups`.
    """
    if input.ndim < 2 or num_groups < 1 or input.shape[1] % num_groups:
        raise ValueError(
            f"group_norm: expected (n, a multiple of {num_groups}, ...), found {tuple(input.shape)}"
        )
    inside = math.prod(input.shape[1:]) // num_groups
    groups = ops.reshape(input, shape=(input.shape[0], num_groups, inside))
    x_hat, _, _ = normalize(groups, dim=-1, eps=eps)
    return _by_channel(ops.reshape(x_hat, shape=input.shape), weight, bias)


def instance_norm(
    input: Tensor,
    running_mean: Buffer | None = None,
    running_var: Buffer | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """γ x̂ + β, each channel of each example normalized over its spatial axes: (n, c, spatial).

    With `use_input_stats` μ and σ² are the example's own, and the running ones, if given, move by
    `momentum` toward their mean over the batch. Else the running ones are used.
    Raises ValueError for an input without spatial axes, or with one element on them.
    """
    elements = math.prod(input.shape[2:])
    if input.ndim < 3 or (use_input_stats and elements < 2):
        raise ValueError(
            "instance_norm: expected (n, c, spatial) with more than one element per channel, found "
            f"{tuple(input.shape)}"
        )
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    x_hat, mu, variance = normalize(raised(input), dim=tuple(range(2, input.ndim)), eps=eps)
    x_hat = x_hat if x_hat.dtype == input.dtype else x_hat.astype(input.dtype)
    with np.errstate(all="ignore"):
        unbiased = variance.data * (elements / max(elements - 1, 1))
        for running, value in ((running_mean, mu.data), (running_var, unbiased)):
            if running is not None:
                old = running.data
                new = value.reshape(-1, *old.shape).mean(axis=0)
                running.data = (old + momentum * (new - old)).astype(old.dtype)
    return _by_channel(x_hat, weight, bias)


class GroupNorm(Module):
    """Normalizes groups of neighboring channels within each example: (n, c, ...) -> the same.

    y = γ (x - μ) / sqrt(σ² + eps) + β, with one γ and β per channel (Wu & He 2018). The batch size
    does not matter. Raises ValueError if the channels are not a multiple of the groups.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_channels {num_channels} must be a multiple of num_groups, "
                f"found {num_groups}"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.weight = Parameter(np.ones(num_channels, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(num_channels, np.float32)) if affine and bias else None

    def forward(self, x: Tensor) -> Tensor:
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ValueError(
                f"GroupNorm: expected {self.num_channels} channels on axis 1, found an input of "
                f"shape {tuple(x.shape)}"
            )
        return group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class _InstanceNorm(Module):
    axes: int

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
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
        alone = x.ndim == self.axes + 1
        if alone:
            x = ops.unsqueeze(x, 0)
        if x.ndim != self.axes + 2 or x.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: expected the axes (n, {self.num_features} channels, "
                f"{self.axes} spatial), or those without n; found {tuple(x.shape)}"
            )
        out = instance_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum,
            self.eps,
        )
        return ops.squeeze(out, 0) if alone else out

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


class InstanceNorm1d(_InstanceNorm):
    """Normalizes each channel of each example: (n, c, length) -> the same; n may be missing.

    y = γ (x - μ) / sqrt(σ² + eps) + β, with γ and β if `affine` (Ulyanov et al. 2016). With
    `track_running_stats` evaluation uses the running statistics. As in PyTorch, the count of
    batches is kept in the state but does not move.
    Raises ValueError for other axes, and for a single element per channel.
    """

    axes = 1


class InstanceNorm2d(_InstanceNorm):
    """Normalizes each channel of each image: (n, c, height, width); as `InstanceNorm1d`."""

    axes = 2


class InstanceNorm3d(_InstanceNorm):
    """Normalizes each channel of each volume: (n, c, d, h, w); as `InstanceNorm1d`."""

    axes = 3
