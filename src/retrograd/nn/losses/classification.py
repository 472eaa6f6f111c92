"""Losses of scores against classes.

Every one takes a `reduction` ("none", "mean" or "sum") and a `sample_weight`, one number per
example; the weighted mean is Σ w l / Σ w. Legend: n examples, c classes, y the class, p the
probabilities.
"""

from __future__ import annotations

import math
from typing import Any

from retrograd import ops
from retrograd.arrays import namespace
from retrograd.autodiff.precision import in_single
from retrograd.nn.arguments import as_tensor, check_range, integers, pair
from retrograd.nn.losses.base import Loss, fixed, reduce
from retrograd.ops.elementwise.arithmetic import along_slope
from retrograd.tensor import Tensor

__all__ = [
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "NLLLoss",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "nll_loss",
]


@in_single
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    sample_weight: Any = None,
) -> Tensor:
    """-Σ_c w_c q_c log softmax(x)_c: logits (n, c, ...) against classes (n, ...), or (c,) and ().

    q is 1 at the class, else 0; the target may also be q itself, of the logits' shape and not
    integers. `label_smoothing` ε makes it (1 - ε) q + ε / c (Szegedy et al. 2016, section 7).
    `weight` holds w, one per class. Examples of class `ignore_index` count nothing. As in PyTorch
    the mean over classes divides by the sum of their w, over given q by the number of examples.

    Raises IndexError for a class out of range (NaN in a compiled step, which cannot look), and
    ValueError where shapes do not fit or probabilities come with an `ignore_index`.
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(
            f"cross_entropy: label_smoothing lies between 0 and 1, found {label_smoothing}"
        )
    logits, target = as_tensor(input), as_tensor(target)
    axis = _class_axis("cross_entropy", logits)
    count = logits.shape[axis]
    log_p: Tensor = ops.log_softmax(logits, dim=axis)
    scale = _class_weights("cross_entropy", weight, log_p, axis)
    weighed = log_p if scale is None else log_p * scale
    if target.dtype.kind not in "iu":
        if ignore_index >= 0:
            raise ValueError(
                f"cross_entropy: probabilities have no class to ignore, found {ignore_index=}"
            )
        q = _probabilities(target, logits)
        q = q * (1 - label_smoothing) + label_smoothing / count
        return reduce("cross_entropy", -(q * weighed).sum(axis), reduction, sample_weight)
    losses, share = _at_class("cross_entropy", target, log_p, axis, scale, ignore_index)
    if label_smoothing:
        even = -weighed.sum(axis) / count
        counted = target != ignore_index
        losses = losses * (1 - label_smoothing) + even.where(counted, 0.0) * label_smoothing
    return reduce("cross_entropy", losses, reduction, sample_weight, share)


@in_single
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    sample_weight: Any = None,
) -> Tensor:
    """-w_y log p_y: log-probabilities (n, c, ...) against classes (n, ...), or (c,) and ().

    `weight`, `ignore_index`, the mean and the errors are those of `cross_entropy`.
    """
    log_p = as_tensor(input)
    axis = _class_axis("nll_loss", log_p)
    scale = _class_weights("nll_loss", weight, log_p, axis)
    losses, share = _at_class("nll_loss", as_tensor(target), log_p, axis, scale, ignore_index)
    return reduce("nll_loss", losses, reduction, sample_weight, share)


@in_single
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
    sample_weight: Any = None,
) -> Tensor:
    """-(r y log p + (1 - y) log(1 - p)), p = sigmoid(x): logits and targets from 0 to 1, one shape.

    `pos_weight` is r. As in PyTorch `weight` multiplies each loss and does not count in the mean's
    divisor; `sample_weight` does. Raises ValueError where shapes do not fit.
    """
    name = "binary_cross_entropy_with_logits"
    x, y = pair(name, input, target)
    # 0 where y excludes a side, also where the logit is infinite: 0 · ∞ would be NaN.
    positive: Tensor = along_slope(y, ops.softplus(-x))  # -log p
    if pos_weight is not None:
        positive = positive * _beside(name, "pos_weight", pos_weight, x)
    losses: Tensor = positive + along_slope(1 - y, ops.softplus(x))  # -log(1 - p)
    if weight is not None:
        losses = losses * _beside(name, "weight", weight, x)
    return reduce(name, losses, reduction, sample_weight)


def _class_axis(name: str, scores: Tensor) -> int:
    if scores.ndim == 0:
        raise ValueError(f"{name}: expected scores of shape (n, c), found a single number")
    return min(1, scores.ndim - 1)


def _class_weights(name: str, weight: Any, scores: Tensor, axis: int) -> Tensor | None:
    """One weight per class, in a shape that stands beside the scores."""
    if weight is None:
        return None
    weight, count = as_tensor(weight), scores.shape[axis]
    if weight.shape != (count,):
        raise ValueError(
            f"{name}: weight needs one number for each of the {count} classes, "
            f"found shape {tuple(weight.shape)}"
        )
    return weight.astype(scores.dtype).reshape(count, *(1,) * (scores.ndim - 1 - axis))


def _probabilities(target: Tensor, logits: Tensor) -> Tensor:
    if target.shape != logits.shape:
        raise ValueError(
            f"cross_entropy: a target of {target.dtype} holds probabilities and needs the logits' "
            f"shape {tuple(logits.shape)}, found {tuple(target.shape)}; classes are integers, "
            "y.astype('int64')"
        )
    return target.astype(logits.dtype)


def _at_class(
    name: str, target: Tensor, log_p: Tensor, axis: int, scale: Tensor | None, ignore_index: int
) -> tuple[Tensor, Tensor]:
    """-w_y log p_y, and what it counts in the mean: w_y. Both are 0 for an ignored example."""
    expected = log_p.shape[:axis] + log_p.shape[axis + 1 :]
    if target.shape != expected:
        raise ValueError(
            f"{name}: scores of shape {tuple(log_p.shape)} go with classes of shape {expected}, "
            f"found {tuple(target.shape)}"
            + (f"; use y.reshape({expected})" if target.numel() == math.prod(expected) else "")
        )
    count = log_p.shape[axis]
    check_range(f"{name}: a class", integers(name, target), count, ignored=ignore_index)
    y = target.data  # classes carry no gradient, so this is arithmetic on plain arrays
    w = None if scale is None else scale.data.reshape(-1)
    xp = namespace(y, w)
    counted = y != ignore_index
    y = xp.where(counted, y, 0)
    w_y = 1.0 if w is None else xp.asarray(w)[y]
    known = (y >= 0) & (y < count)  # all of them, if check_range could look
    share = xp.where(counted, xp.where(known, w_y, math.nan), 0.0).astype(log_p.dtype)
    log_p_y = ops.take_along_axis(log_p, xp.expand_dims(y, axis), dim=axis)
    losses = ops.squeeze(log_p_y, axis) * -share
    return losses.where(counted, 0.0), Tensor(share)


def _beside(name: str, argument: str, weight: Any, x: Tensor) -> Tensor:
    """A weight that stands beside the logits without making them more."""
    weight = as_tensor(weight)
    fits = all(w in (1, n) for w, n in zip(weight.shape[::-1], x.shape[::-1], strict=False))
    if weight.ndim > x.ndim or not fits:
        raise ValueError(
            f"{name}: {argument} of shape {tuple(weight.shape)} does not fit logits of shape "
            f"{tuple(x.shape)}"
        )
    return weight.astype(x.dtype)


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
        return cross_entropy(
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
        return nll_loss(
            input, target, self.weight, self.ignore_index, self.reduction, sample_weight
        )


class BCEWithLogitsLoss(Loss):
    """The cross-entropy of yes-or-no targets: `binary_cross_entropy_with_logits`."""

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight = fixed(weight)
        self.pos_weight = fixed(pos_weight)

    def forward(self, input: Any, target: Any, sample_weight: Any = None) -> Tensor:
        return binary_cross_entropy_with_logits(
            input, target, self.weight, self.reduction, self.pos_weight, sample_weight
        )
