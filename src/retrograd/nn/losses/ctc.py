"""Connectionist temporal classification: labels against longer sequences, the alignment unknown.

Legend: t time, n batch, c classes, s labels, l = 2 s + 1 labels with blanks before, between, after.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.arrays import Array, is_traced, namespace
from retrograd.autodiff.precision import in_single
from retrograd.nn.arguments import as_tensor, check_range, integers
from retrograd.nn.losses.base import Loss, check_reduction, reduce
from retrograd.tensor import Tensor

__all__ = ["CTCLoss", "ctc_loss"]


@in_single
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
    sample_weight: Any = None,
) -> Tensor:
    """-log of the probability of the labels over all alignments (Graves et al. 2006, equation 8).

    `log_probs` is (t, n, c), log-softmax of the scores, or (t, c); `targets` (n, s), padded, or all
    labels one after the other, which costs more in a compiled step; the lengths (n,). What lies
    beyond a length counts nothing. Labels that cannot fit into their sequence have an infinite
    loss, with `zero_infinity` 0 and no slope. As in PyTorch "mean" divides each loss by its number
    of labels first, and the gradient is that of the scores before their log-softmax.

    Raises ValueError where shapes do not fit, IndexError for a label out of range.
    """
    name = "ctc_loss"
    check_reduction(reduction)
    log_p = as_tensor(log_probs)
    # Each row of probabilities sums to 1 and must keep doing so: a change to one class moves all.
    mass = ops.exp(log_p).sum(-1, keepdim=True)
    log_p = log_p + (mass.detach() - mass)
    labels = integers(name, targets)
    given, wanted = (integers(name, x).reshape(-1).data for x in (input_lengths, target_lengths))
    alone = log_p.ndim == 2
    if alone:
        log_p = ops.unsqueeze(log_p, 1)
    _, n, count = log_p.shape
    if labels.ndim == 1:
        labels = Tensor(_padded(labels.data, wanted))
    if labels.shape[0] != n or given.shape != (n,) or wanted.shape != (n,):
        raise ValueError(
            f"{name}: expected targets and lengths for {n} sequences; found targets of shape "
            f"{tuple(labels.shape)} and lengths of {tuple(given.shape)} and {tuple(wanted.shape)}"
        )
    check_range(f"{name}: a label", labels, count)
    losses = _negative_log_likelihood(log_p, labels.data, given, wanted, blank)
    if zero_infinity:
        losses = ops.where(losses == math.inf, 0.0, losses)
    losses = losses[0] if alone else losses
    if reduction == "mean":
        lengths = ops.maximum(Tensor(wanted), 1).astype(losses.dtype)
        losses = losses / (lengths[0] if alone else lengths)
    return reduce(name, losses, reduction, sample_weight)


def _padded(labels: Array, lengths: Array) -> Array:
    """(Σ s,) -> (n, s): labels that stand one after the other, a row for each sequence."""
    xp = namespace(labels, lengths)
    # How long the longest is cannot be seen in a compiled step.
    most = labels.shape[0] if is_traced(lengths) else int(lengths.max(initial=0))
    starts = xp.cumsum(lengths) - lengths
    places = xp.clip(starts[:, None] + np.arange(most), 0, max(labels.shape[0] - 1, 0))
    rows: Array = xp.asarray(labels)[places]
    return rows


def _negative_log_likelihood(
    log_p: Tensor, labels: Array, given: Array, wanted: Array, blank: int
) -> Tensor:
    """(t, n, c), (n, s), (n,), (n,) -> (n,): the forward variables α along time, in logarithms."""
    steps, n, _ = log_p.shape
    xp = namespace(log_p.data, labels, given, wanted)
    blanks = xp.full((n, labels.shape[1] + 1), blank, labels.dtype)
    path = xp.stack([blanks[:, 1:], labels], 2).reshape(n, -1)
    path = xp.concatenate([path, blanks[:, :1]], 1)  # (n, l)
    # From two places before, past a blank, if the labels on its sides differ.
    differ = (path[:, 2:] != blank) & (path[:, 2:] != path[:, :-2])
    skips = xp.concatenate([xp.zeros((n, 2), bool), differ], 1)[:, : path.shape[1]]
    emitted = ops.gather(log_p, 2, xp.broadcast_to(path[None], (steps, *path.shape)))
    running = xp.arange(steps)[:, None, None] < xp.asarray(given)[:, None]  # (t, n, 1)
    impossible = Tensor(np.full((n, 2), -math.inf, log_p.dtype))

    def step(alpha: Tensor, x: tuple[Tensor, Tensor]) -> tuple[Tensor, None]:
        now, runs = x
        before = ops.concatenate([impossible, alpha], 1)
        moved = ops.logaddexp(alpha, before[:, 1:-1])
        moved = ops.where(skips, ops.logaddexp(moved, before[:, :-2]), moved)
        return ops.where(runs, moved + now, alpha), None

    # Before the first step every path stands at the first blank.
    start = np.where(np.arange(path.shape[1]) == 0, 0.0, -math.inf).astype(log_p.dtype)
    alpha = Tensor(np.broadcast_to(start, path.shape).copy())
    last, _ = ops.scan(step, alpha, (emitted, Tensor(running)))
    # A path ends at the last blank or at the last label.
    ends = xp.stack([2 * wanted, xp.maximum(2 * wanted - 1, 0)], 1)
    blank_end, label_end = ops.unbind(ops.take_along_axis(last, ends, dim=1), 1)
    return -ops.where(wanted > 0, ops.logaddexp(blank_end, label_end), blank_end)


class CTCLoss(Loss):
    """Labels against longer sequences, the alignment unknown: `ctc_loss`."""

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self,
        log_probs: Any,
        targets: Any,
        input_lengths: Any,
        target_lengths: Any,
        sample_weight: Any = None,
    ) -> Tensor:
        return ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
            sample_weight,
        )
