"""Losses of numbers against numbers: d is prediction - target, y the target.

Every one takes predictions and targets of one shape, a `reduction` ("none", "mean" or "sum") and a
`sample_weight` of that shape or with one number per example; the weighted mean is Σ w l / Σ w.
Every one raises ValueError where two shapes differ.
"""

from __future__ import annotations

import math
from typing import Any

from retrograd import ops
from retrograd.autodiff.precision import in_single
from retrograd.nn.arguments import pair
from retrograd.nn.losses.base import Loss, reduce
from retrograd.tensor import Tensor

__all__ = [
    "HuberLoss",
    "L1Loss",
    "MSELoss",
    "PoissonNLLLoss",
    "QuantileLoss",
    "SmoothL1Loss",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "poisson_nll_loss",
    "quantile_loss",
    "smooth_l1_loss",
]


@in_single
def mse_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Tensor:
    """d²."""
    input, target = pair("mse_loss", input, target)
    return reduce("mse_loss", ops.square(input - target), reduction, sample_weight)


@in_single
def l1_loss(input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None) -> Tensor:
    """|d|."""
    input, target = pair("l1_loss", input, target)
    return reduce("l1_loss", ops.abs(input - target), reduction, sample_weight)


@in_single
def huber_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    delta: float = 1.0,
    sample_weight: Any = None,
) -> Tensor:
    """d² / 2 where |d| ≤ δ, else δ (|d| - δ / 2) (Huber 1964)."""
    if delta <= 0:
        raise ValueError(f"huber_loss: delta must be positive, found {delta}")
    input, target = pair("huber_loss", input, target)
    return reduce("huber_loss", _huber(input - target, delta), reduction, sample_weight)


@in_single
def smooth_l1_loss(
    input: Any,
    target: Any,
    reduction: str = "mean",
    beta: float = 1.0,
    sample_weight: Any = None,
) -> Tensor:
    """d² / (2 β) where |d| < β, else |d| - β / 2; with β = 0 it is |d| (Girshick 2015, eq. 3)."""
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, found {beta}")
    input, target = pair("smooth_l1_loss", input, target)
    d = input - target
    losses = _huber(d, beta) / beta if beta else ops.abs(d)
    return reduce("smooth_l1_loss", losses, reduction, sample_weight)


def _huber(d: Tensor, delta: float) -> Tensor:
    held = d.clip(-delta, delta)
    return held * (d - 0.5 * held)  # d²/2 within ±δ, where held is d; δ (|d| - δ/2) beyond


@in_single
def quantile_loss(
    input: Any,
    target: Any,
    quantile: float = 0.5,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """q (y - ŷ) where the target lies above the prediction, else (1 - q) (ŷ - y).

    The prediction that minimizes it is the q-quantile of the targets (Koenker & Bassett 1978).
    """
    if not 0 < quantile < 1:
        raise ValueError(f"quantile_loss: the quantile lies between 0 and 1, found {quantile}")
    input, target = pair("quantile_loss", input, target)
    d = input - target
    losses = ops.where(d > 0, d * (1 - quantile), d * -quantile)
    return reduce("quantile_loss", losses, reduction, sample_weight)


@in_single
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """-log of the Poisson probability of y, without log y!: exp(x) - y x.

    `x` is the log of the rate, or with `log_input=False` the rate: x - y log(x + eps). `full` adds
    Stirling's approximation of log y!, y log y - y + log(2 π y) / 2, where y > 1.
    """
    input, y = pair("poisson_nll_loss", input, target)
    losses = ops.exp(input) - y * input if log_input else input - y * ops.log(input + eps)
    if full:
        above = ops.maximum(y, 1.0)
        stirling = above * ops.log(above) - above + 0.5 * ops.log(2 * math.pi * above)
        losses = losses + ops.where(y > 1, stirling, 0.0)
    return reduce("poisson_nll_loss", losses, reduction, sample_weight)


class MSELoss(Loss):
    """The mean squared error, (prediction - target)²."""

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return mse_loss(input, target, self.reduction, sample_weight)


class L1Loss(Loss):
    """The mean absolute error, |prediction - target|."""

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return l1_loss(input, target, self.reduction, sample_weight)


class HuberLoss(Loss):
    """Squared within ±`delta`, absolute beyond: `huber_loss`."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return huber_loss(input, target, self.reduction, self.delta, sample_weight)


class SmoothL1Loss(Loss):
    """Huber's loss divided by `beta`: `smooth_l1_loss`."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return smooth_l1_loss(input, target, self.reduction, self.beta, sample_weight)


class QuantileLoss(Loss):
    """The pinball loss, minimized by the `quantile` of the targets: `quantile_loss`."""

    def __init__(self, quantile: float = 0.5, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.quantile = quantile

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return quantile_loss(input, target, self.quantile, self.reduction, sample_weight)


class PoissonNLLLoss(Loss):
    """The negative log-likelihood of counts: `poisson_nll_loss`."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return poisson_nll_loss(
            input, target, self.log_input, self.full, self.eps, self.reduction, sample_weight
        )
