"""Distances between vectors, and losses that pull alike ones together and push others apart.

The losses take a `reduction` ("none", "mean" or "sum") and a `sample_weight`, one number an
example; the weighted mean is Σ w l / Σ w. [v] is the larger of v and 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.nn.arguments import as_tensor
from retrograd.nn.losses import Loss
from retrograd.nn.module import Module
from retrograd.nn.reduction import reduce
from retrograd.tensor import Tensor

__all__ = [
    "CosineEmbeddingLoss",
    "CosineSimilarity",
    "PairwiseDistance",
    "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
    "cosine_embedding_loss",
    "cosine_similarity",
    "normalize",
    "pairwise_distance",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]

Distance = Callable[[Tensor, Tensor], Tensor]


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / max(‖x‖ₚ, eps) along `dim`."""
    x = as_tensor(input)
    return x / ops.clip(ops.norm(x, p, dim, keepdim=True), min=eps)


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Tensor:
    """‖x1 - x2 + eps‖ₚ over the last axis: (..., d), (..., d) -> (...)."""
    return ops.norm(as_tensor(x1) - as_tensor(x2) + eps, p, -1, keepdim)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps)) along `dim`, the two broadcast."""
    x1, x2 = as_tensor(x1), as_tensor(x2)
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    a, b = (normalize(x.broadcast_to(shape), 2.0, dim, eps) for x in (x1, x2))
    return (a * b).sum(dim)


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


class PairwiseDistance(Module):
    """‖x1 - x2 + eps‖ₚ over the last axis: `pairwise_distance`."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.p = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between vectors along `dim`: `cosine_similarity`."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return cosine_similarity(x1, x2, self.dim, self.eps)


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
