"""Losses that ask for a margin between the right answer and the others.

Every one takes a `reduction` ("none", "mean" or "sum") and a `sample_weight`, one number per
example; the weighted mean is Σ w l / Σ w. Legend: n examples, c classes; [v] is the larger of v, 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from retrograd import ops
from retrograd.autodiff.precision import in_single
from retrograd.nn.arguments import as_tensor, check_range, integers, pair
from retrograd.nn.losses.base import Loss, fixed, reduce
from retrograd.tensor import Tensor

__all__ = [
    "HingeEmbeddingLoss",
    "MarginRankingLoss",
    "MultiLabelMarginLoss",
    "MultiLabelSoftMarginLoss",
    "MultiMarginLoss",
    "SoftMarginLoss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
]


@in_single
def soft_margin_loss(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Tensor:
    """log(1 + exp(-y x)): scores x and targets y of 1 or -1, one shape.

    Raises ValueError where shapes differ.
    """
    x, y = pair("soft_margin_loss", input, target)
    return reduce("soft_margin_loss", ops.softplus(-x * y), reduction, sample_weight)


@in_single
def hinge_embedding_loss(
    input: Any,
    target: Any,
    margin: float = 1.0,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """x where the target is 1, [margin - x] where it is -1: distances x and targets, one shape.

    Raises ValueError where shapes differ.
    """
    x, y = pair("hinge_embedding_loss", input, target)
    losses = ops.where(y != -1, x, 0.0) + ops.where(y != 1, ops.clip(margin - x, min=0), 0.0)
    return reduce("hinge_embedding_loss", losses, reduction, sample_weight)


@in_single
def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """[margin - y (a - b)]: y = 1 asks that score a be above b, -1 that it be below; one shape.

    Raises ValueError where shapes differ.
    """
    a, b = pair("margin_ranking_loss", input1, input2)
    _, y = pair("margin_ranking_loss", input1, target)
    losses = ops.clip(margin - y * (a - b), min=0)
    return reduce("margin_ranking_loss", losses, reduction, sample_weight)


@in_single
def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """Σ [margin - x_y + x_i]^p / c over the classes i other than y: scores (n, c), classes (n,).

    Or (c,) and (). `p` is 1 or 2. `weight` holds one number per class, which multiplies the loss
    and, as in PyTorch, does not count in the mean. Raises ValueError if shapes do not fit.
    """
    name = "multi_margin_loss"
    if p not in (1, 2):
        raise ValueError(f"{name}: p is 1 or 2, found {p}")
    x, y, alone = _scores(name, input, target)
    count = x.shape[-1]
    own = ops.take_along_axis(x, y, dim=-1)
    short = ops.clip(margin - own + x, min=0)
    if p == 2:
        short = ops.square(short)
    if weight is not None:
        weight = as_tensor(weight)
        if weight.shape != (count,):
            raise ValueError(
                f"{name}: weight needs one number for each of the {count} classes, found shape "
                f"{tuple(weight.shape)}"
            )
        short = short * weight.astype(x.dtype)[y.data]
    losses = ops.where(y == np.arange(count), 0.0, short).sum(-1) / count
    return reduce(name, losses[0] if alone else losses, reduction, sample_weight)


@in_single
def multilabel_margin_loss(
    input: Any, target: Any, reduction: str = "mean", sample_weight: Any = None
) -> Tensor:
    """Σ [1 - x_j + x_i] / c over the right classes j and the others i: (n, c) and (n, c), or (c,).

    A row of the target lists the right classes; what follows the first -1 does not count.
    Raises ValueError where shapes differ, IndexError for a class out of range.
    """
    name = "multilabel_margin_loss"
    x, y = as_tensor(input), integers(name, target)
    if x.shape != y.shape or x.ndim > 2:
        raise ValueError(
            f"{name}: expected scores and lists of classes of one shape, (n, c) or (c,); found "
            f"{tuple(x.shape)} and {tuple(y.shape)}"
        )
    count = x.shape[-1] if x.ndim else 1
    shape = x.shape[:-1]
    x, y = x.reshape(-1, count), y.reshape(-1, count)
    listed = ops.cumprod((y >= 0).astype(x.dtype), 1) > 0
    y = ops.where(listed, y, 0)
    check_range(f"{name}: a class", y, count)
    named = (y[:, :, None] == np.arange(count)) & listed[:, :, None]  # (n, which one, class)
    right = named.astype(x.dtype).sum(1) > 0
    own = ops.take_along_axis(x, y, dim=-1)
    short = ops.clip(1 - own[:, :, None] + x[:, None, :], min=0)
    counted = listed[:, :, None] & ~right[:, None, :]
    losses = ops.where(counted, short, 0.0).sum((1, 2)) / count
    return reduce(name, losses.reshape(shape), reduction, sample_weight)


@in_single
def multilabel_soft_margin_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """-(y log p + (1 - y) log(1 - p)), p = sigmoid(x), as a mean over classes: (..., c), one shape.

    `weight` multiplies each class's part. Raises ValueError where shapes differ.
    """
    name = "multilabel_soft_margin_loss"
    x, y = pair(name, input, target)
    parts = y * ops.softplus(-x) + (1 - y) * ops.softplus(x)
    if weight is not None:
        parts = parts * as_tensor(weight).astype(x.dtype)
    return reduce(name, parts.mean(-1), reduction, sample_weight)


def _scores(name: str, input: Any, target: Any) -> tuple[Tensor, Tensor, bool]:
    """Scores (n, c), classes (n, 1), and whether they came without the n."""
    x, y = as_tensor(input), integers(name, target)
    alone = x.ndim < 2
    if alone:
        x = x.reshape(1, -1)
    if x.ndim != 2 or y.numel() != len(x) or y.ndim > 1:
        raise ValueError(
            f"{name}: expected scores (n, c) and classes (n,), or (c,) and (); found "
            f"{tuple(as_tensor(input).shape)} and {tuple(y.shape)}"
        )
    check_range(f"{name}: a class", y, x.shape[1])
    return x, y.reshape(-1, 1), alone


class SoftMarginLoss(Loss):
    """log(1 + exp(-y x)), y = ±1: `soft_margin_loss`."""

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return soft_margin_loss(input, target, self.reduction, sample_weight)


class HingeEmbeddingLoss(Loss):
    """Distances to shrink, or to grow up to a margin: `hinge_embedding_loss`."""

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return hinge_embedding_loss(input, target, self.margin, self.reduction, sample_weight)


class MarginRankingLoss(Loss):
    """Which of two scores is to be above the other: `margin_ranking_loss`."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return margin_ranking_loss(
            input1, input2, target, self.margin, self.reduction, sample_weight
        )


class MultiMarginLoss(Loss):
    """The class's score above all others by a margin: `multi_margin_loss`."""

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.p = p
        self.margin = margin
        self.weight = fixed(weight)

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return multi_margin_loss(
            input, target, self.p, self.margin, self.weight, self.reduction, sample_weight
        )


class MultiLabelMarginLoss(Loss):
    """Each right class's score above all others by 1: `multilabel_margin_loss`."""

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return multilabel_margin_loss(input, target, self.reduction, sample_weight)


class MultiLabelSoftMarginLoss(Loss):
    """Yes or no for each class, as a mean over classes: `multilabel_soft_margin_loss`."""

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = fixed(weight)

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return multilabel_soft_margin_loss(
            input, target, self.weight, self.reduction, sample_weight
        )
