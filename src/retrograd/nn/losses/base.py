"""What every loss does after its formula: the sample weights and the reduction, and its module.

With sample weights w the mean of the losses l is Σ w l / Σ w, so that doubling an example's weight
is the same as having it twice; the sum is Σ w l, and "none" leaves w l.

A module takes its function's arguments in its constructor, which refuses an unknown reduction, and
is called as `loss(input, target, sample_weight=None)`.
"""

from __future__ import annotations

from typing import Any

from retrograd.nn.arguments import as_tensor
from retrograd.nn.module import Module
from retrograd.tensor import Tensor
from retrograd.variable import Buffer

__all__ = ["Loss", "check_reduction", "fixed", "reduce"]

REDUCTIONS = ("none", "mean", "sum")


def check_reduction(reduction: str) -> str:
    """`reduction` itself; raises ValueError for an unknown one."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction must be 'none', 'mean' or 'sum', found {reduction!r}")
    return reduction


def _spread(name: str, weight: Any, losses: Tensor) -> Tensor:
    """One weight per example, or one per loss, in a shape that stands beside the losses.

    Raises ValueError unless the weights have the losses' leading axes.
    """
    weight = as_tensor(weight)
    if weight.shape != losses.shape[: weight.ndim]:
        raise ValueError(
            f"{name}: sample_weight has shape {tuple(weight.shape)}; expected one weight per "
            f"example, {tuple(losses.shape[:1])}, or one per loss, {tuple(losses.shape)}"
        )
    weight = weight if weight.dtype == losses.dtype else weight.astype(losses.dtype)
    return weight.reshape(*weight.shape, *(1,) * (losses.ndim - weight.ndim))


def reduce(
    name: str,
    losses: Tensor,
    reduction: str,
    sample_weight: Any = None,
    share: Tensor | None = None,
) -> Tensor:
    """The weighted losses, their mean or their sum.

    `share` is what each loss counts in the mean's divisor before sample weights: 1 by default.
    """
    check_reduction(reduction)
    if sample_weight is not None:
        weight = _spread(name, sample_weight, losses)
        losses = losses * weight
        share = (weight if share is None else share * weight).broadcast_to(losses.shape)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    return losses.mean() if share is None else losses.sum() / share.sum()


class Loss(Module):
    """A module with a `reduction`: "none", "mean" or "sum"."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = check_reduction(reduction)


def fixed(weight: Any) -> Buffer | None:
    """A loss's weights: saved with it, not trained."""
    return None if weight is None else Buffer(as_tensor(weight))
