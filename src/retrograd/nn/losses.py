"""Losses as modules: arguments at construction, `loss(input, target, sample_weight=None)` at call.

Each is the function of `nn.functional` that it names, whose docstring has the formula and the
errors. An unknown reduction is refused at construction already.
"""

from __future__ import annotations

from typing import Any

from retrograd.nn import classification_losses, regression_losses
from retrograd.nn.arguments import as_tensor
from retrograd.nn.module import Module
from retrograd.nn.reduction import check_reduction
from retrograd.tensor import Tensor
from retrograd.variable import Buffer

__all__ = [
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "PoissonNLLLoss",
    "QuantileLoss",
    "SmoothL1Loss",
]


class Loss(Module):
    """A module with a `reduction`: "none", "mean" or "sum"."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = check_reduction(reduction)


def fixed(weight: Any) -> Buffer | None:
    """A loss's weights: saved with it, not trained."""
    return None if weight is None else Buffer(as_tensor(weight))


class MSELoss(Loss):
    """The mean squared error, (prediction - target)²."""

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return regression_losses.mse_loss(input, target, self.reduction, sample_weight)


class L1Loss(Loss):
    """The mean absolute error, |prediction - target|."""

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return regression_losses.l1_loss(input, target, self.reduction, sample_weight)


class HuberLoss(Loss):
    """Squared within ±`delta`, absolute beyond: `huber_loss`."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return regression_losses.huber_loss(
            input, target, self.reduction, self.delta, sample_weight
        )


class SmoothL1Loss(Loss):
    """Huber's loss divided by `beta`: `smooth_l1_loss`."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return regression_losses.smooth_l1_loss(
            input, target, self.reduction, self.beta, sample_weight
        )


class QuantileLoss(Loss):
    """The pinball loss, minimized by the `quantile` of the targets: `quantile_loss`."""

    def __init__(self, quantile: float = 0.5, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.quantile = quantile

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return regression_losses.quantile_loss(
            input, target, self.quantile, self.reduction, sample_weight
        )


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
        return regression_losses.poisson_nll_loss(
            input, target, self.log_input, self.full, self.eps, self.reduction, sample_weight
        )


class CrossEntropyLoss(Loss):
    """-log softmax(logits) at the class: `cross_entropy`."""

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.weight = fixed(weight)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return classification_losses.cross_entropy(
            input,
            target,
            self.weight,
            self.ignore_index,
            self.reduction,
            self.label_smoothing,
            sample_weight,
        )


class NLLLoss(Loss):
    """Minus the log-probability at the class: `nll_loss`."""

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.weight = fixed(weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return classification_losses.nll_loss(
            input, target, self.weight, self.ignore_index, self.reduction, sample_weight
        )


class BCEWithLogitsLoss(Loss):
    """The cross-entropy of yes-or-no targets: `binary_cross_entropy_with_logits`."""

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight = fixed(weight)
        self.pos_weight = fixed(pos_weight)

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return classification_losses.binary_cross_entropy_with_logits(
            input, target, self.weight, self.reduction, self.pos_weight, sample_weight
        )
