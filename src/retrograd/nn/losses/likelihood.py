"""Losses of probabilities and distributions: yes or no, a Gaussian, one distribution to another.

Every one takes a `reduction` ("none", "mean" or "sum") and a `sample_weight`, one number per
example; the weighted mean is Σ w l / Σ w. Every one raises ValueError where two shapes differ.
"""

from __future__ import annotations

import math
from typing import Any

from retrograd import ops
from retrograd.arrays import is_traced
from retrograd.autodiff.precision import in_single
from retrograd.nn.arguments import as_tensor, pair
from retrograd.nn.losses.base import Loss, check_reduction, fixed, reduce
from retrograd.nn.module import Module
from retrograd.tensor import Tensor

__all__ = [
    "BCELoss",
    "GaussianNLLLoss",
    "KLDivLoss",
    "binary_cross_entropy",
    "gaussian_nll_loss",
    "kl_div",
]


@in_single
def binary_cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """-(y log p + (1 - y) log(1 - p)): probabilities p and targets from 0 to 1, one shape.

    Logarithms below -100 count as -100, as in PyTorch, and have no slope there, where PyTorch's is
    1e12: `binary_cross_entropy_with_logits` needs no such limit. `weight` multiplies each loss.
    Raises ValueError for a probability outside 0 to 1, which a compiled step cannot see.
    """
    name = "binary_cross_entropy"
    p, y = pair(name, input, target)
    if not is_traced(p.data) and ((p.data < 0) | (p.data > 1)).any():
        raise ValueError(
            f"{name}: probabilities lie between 0 and 1; for logits use "
            "binary_cross_entropy_with_logits"
        )
    yes, no = ops.clip(ops.log(p), min=-100), ops.clip(ops.log1p(-p), min=-100)
    losses = -(y * yes + (1 - y) * no)
    if weight is not None:
        losses = losses * as_tensor(weight).astype(p.dtype)
    return reduce(name, losses, reduction, sample_weight)


@in_single
def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """-log of the Gaussian density of y: (log v + (y - x)² / v) / 2, x the mean, v the variance.

    v has the shape of x, or 1 for one of its axes, or lacks its last one; a number is for all. It
    counts as `eps` where it is below, with the slope of v. `full` adds log(2 π) / 2.
    Raises ValueError for another shape or a negative variance.
    """
    name = "gaussian_nll_loss"
    x, y = pair(name, input, target)
    v = as_tensor(var).astype(x.dtype)
    if v.ndim and v.shape != x.shape:
        v = ops.unsqueeze(v, -1) if v.shape == x.shape[:-1] else v
        one = [n for n, wanted in zip(v.shape, x.shape, strict=False) if n != wanted]
        if v.ndim != x.ndim or one not in ([], [1]):
            raise ValueError(
                f"{name}: the variances' shape {tuple(as_tensor(var).shape)} does not fit that of "
                f"the means, {tuple(x.shape)}"
            )
    if not is_traced(v.data) and (v.data < 0).any():
        raise ValueError(f"{name}: a variance is negative")
    v = v + ops.clip(eps - v, min=0).detach()
    losses = 0.5 * (ops.log(v) + ops.square(x - y) / v)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return reduce(name, losses, reduction, sample_weight)


@in_single
def kl_div(
    input: Any,
    target: Any,
    reduction: str = "mean",
    log_target: bool = False,
    sample_weight: Any = None,
) -> Tensor:
    """q (log q - x), the divergence of exp(x) from q, elementwise: log-probabilities x, and q.

    With `log_target` the target holds log q. "batchmean" sums and divides by the number of
    examples, which is the divergence as it is defined; "mean" divides by that of elements.
    """
    x, q = pair("kl_div", input, target)
    losses = ops.exp(q) * (q - x) if log_target else ops.xlogy(q, q) - q * x
    if reduction != "batchmean":
        return reduce("kl_div", losses, reduction, sample_weight)
    each = losses.sum(tuple(range(1, losses.ndim)))
    return reduce("kl_div", each, "mean", sample_weight)


class BCELoss(Loss):
    """The cross-entropy of yes-or-no targets and probabilities: `binary_cross_entropy`."""

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = fixed(weight)

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return binary_cross_entropy(input, target, self.weight, self.reduction, sample_weight)


class GaussianNLLLoss(Loss):
    """The negative log-likelihood of a Gaussian of given variance: `gaussian_nll_loss`."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Any, target: Any, var: Any, sample_weight: Any = None) -> Tensor:
        return gaussian_nll_loss(
            input, target, var, self.full, self.eps, self.reduction, sample_weight
        )


class KLDivLoss(Module):
    """The Kullback-Leibler divergence: `kl_div`."""

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__()
        self.reduction = reduction if reduction == "batchmean" else check_reduction(reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return kl_div(input, target, self.reduction, self.log_target, sample_weight)
