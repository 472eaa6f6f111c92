"""Losses that pull vectors alike together and push others apart.

Every one takes a `reduction` ("none", "mean" or "sum") and a `sample_weight`, one number per
example; the weighted mean is Σ w l / Σ w. [v] is the larger of v and 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from retrograd import ops
from retrograd.autodiff.precision import in_single
from retrograd.nn.arguments import as_tensor
from retrograd.nn.layers.distance import pairwise_distance
from retrograd.nn.losses.base import Loss, reduce
from retrograd.tensor import Tensor

__all__ = [
    "CosineEmbeddingLoss",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "cosine_embedding_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

Distance = Callable[[Tensor, Tensor], Tensor]


@in_single
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: float = 0.0,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """1 - cos where the target is 1, [cos - margin] where it is -1: (n, d) twice and (n,).

    Or (d,) twice and (). Raises ValueError where shapes do not fit.
    """
    name = "cosine_embedding_loss"
    a, b, y = as_tensor(input1), as_tensor(input2), as_tensor(target)
    if a.shape != b.shape or a.ndim not in (1, 2) or y.shape != a.shape[:-1]:
        raise ValueError(
            f"{name}: expected vectors (n, d) twice and targets (n,), or (d,) and (); found "
            f"{tuple(a.shape)}, {tuple(b.shape)} and {tuple(y.shape)}"
        )
    # eps beside the squares, as PyTorch has it here: smooth where a vector is 0.
    lengths = [ops.square(x).sum(-1) + 1e-12 for x in (a, b)]
    cos = (a * b).sum(-1) / ops.sqrt(lengths[0] * lengths[1])
    losses = ops.where(y == 1, 1 - cos, 0.0) + ops.where(y == -1, ops.clip(cos - margin, min=0), 0)
    return reduce(name, losses, reduction, sample_weight)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """[d(a, p) - d(a, n) + margin], d the `pairwise_distance`: (..., d) each (Schroff et al. 2015).

    `swap` takes d(p, n) if that is smaller than d(a, n) (Balntas et al. 2016). Raises ValueError
    where shapes or the margin do not fit.
    """
    return triplet_margin_with_distance_loss(
        anchor,
        positive,
        negative,
        distance_function=lambda a, b: pairwise_distance(a, b, p, eps),
        margin=margin,
        swap=swap,
        reduction=reduction,
        sample_weight=sample_weight,
    )


@in_single
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """`triplet_margin_loss` for a distance of one's own, `pairwise_distance` unless given."""
    name = "triplet_margin_loss"
    a, same, other = (as_tensor(x) for x in (anchor, positive, negative))
    if not a.ndim == same.ndim == other.ndim:
        raise ValueError(
            f"{name}: anchor, positive and negative need as many axes as each other; found "
            f"{tuple(a.shape)}, {tuple(same.shape)} and {tuple(other.shape)}"
        )
    if margin <= 0:
        raise ValueError(f"{name}: the margin must be above 0, found {margin}")
    distance = pairwise_distance if distance_function is None else distance_function
    far = distance(a, other)
    if swap:
        far = ops.minimum(far, distance(same, other))
    losses = ops.clip(distance(a, same) - far + margin, min=0)
    return reduce(name, losses, reduction, sample_weight)


class CosineEmbeddingLoss(Loss):
    """Vectors to align, or to keep apart up to a margin: `cosine_embedding_loss`."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return cosine_embedding_loss(
            input1, input2, target, self.margin, self.reduction, sample_weight
        )


class TripletMarginLoss(Loss):
    """An anchor nearer to its like than to another by a margin: `triplet_margin_loss`."""

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(
        self, anchor: Any, positive: Any, negative: Any, sample_weight: Any = None
    ) -> Tensor:
        return triplet_margin_loss(
            anchor,
            positive,
            negative,
            self.margin,
            self.p,
            self.eps,
            self.swap,
            self.reduction,
            sample_weight,
        )


class TripletMarginWithDistanceLoss(Loss):
    """`TripletMarginLoss` for a distance of one's own: `triplet_margin_with_distance_loss`."""

    def __init__(
        self,
        *,
        distance_function: Distance | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.distance_function = distance_function
        self.margin = margin
        self.swap = swap

    def forward(
        self, anchor: Any, positive: Any, negative: Any, sample_weight: Any = None
    ) -> Tensor:
        return triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
            sample_weight=sample_weight,
        )
