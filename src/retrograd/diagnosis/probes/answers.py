"""How a model's outputs answer its targets: one class of several, yes or no, or a number.

Decided once, from the shapes, the values of the target, and what the loss makes of them: whole
numbers may be class codes or counts, zeros and ones may be one class of several, several labels at
once, or numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from retrograd.diagnosis.probes.loss import LossProbe

__all__ = ["Answers", "Domain", "domain_of", "how_answered", "threshold"]

Array = np.ndarray[Any, Any]
Domain = Literal["scores", "probabilities", "log-probabilities"]
Link = Literal["identity", "logistic", "exp", "softmax"]

# Confident answers: probabilities this far from 0 and 1, scores this far from 0.
_SURE, _SCORE = 1e-4, 10.0
# A loss that differs by less than this share does not tell right answers from wrong ones.
_INDIFFERENT = 1e-3
_PROBABILITIES = frozenset({"sigmoid", "softmax"})


@dataclass(frozen=True)
class Answers:
    """What outputs `(rows, ...)` say about targets `(rows, ...)`.

    An item is what has one answer: a row, or a pixel, a token, a time step of it.

    - "classes": each item is of one class. The outputs hold a score for each class along `axis`;
      the target holds a code for each item, or with `is_one_hot` a 1 along the same axis.
    - "yes or no": each output is the score of an item or of one of its labels, and the target
      holds 1 for yes; for no 0, or -1.
    - "numbers": outputs of the target's size. The answer is the output itself, or its `link`:
      "logistic" or "exp" of it, or "softmax" of a row.

    Of labels and numbers a row is one item with a column for each, or, if not `by_row`, every
    element is an item: a pixel of larger targets. A negative class code, as in PyTorch's
    `ignore_index`, marks an item without a class.
    """

    kind: Literal["classes", "yes or no", "numbers"]
    axis: int = 1
    is_one_hot: bool = False
    link: Link = "identity"
    by_row: bool = True

    @property
    def task(self) -> str:
        """ "classification" or "regression"."""
        return "regression" if self.kind == "numbers" else "classification"

    def truth(self, target: Array) -> Array:
        """Codes `(items,)` of classes; 0 and 1 of yes and no, numbers `(items, columns)`."""
        if self.kind == "classes":
            if self.is_one_hot:
                return np.moveaxis(target, self.axis, -1).argmax(-1).reshape(-1)
            return np.nan_to_num(target.reshape(-1)).astype(np.int64)
        flat = self._columns(target)
        return (flat > 0).astype(np.int64) if self.kind == "yes or no" else flat.astype(np.float64)

    def scores(self, outputs: Array) -> Array:
        """Outputs as `(items, columns)`: one column a class, a label or a number."""
        if self.kind == "classes":
            last = np.moveaxis(outputs, self.axis, -1)
            return last.reshape(-1, last.shape[-1])
        flat = self._columns(outputs)
        if self.link == "logistic":
            return 1 / (1 + np.exp(-np.clip(flat, -500, 500)))
        if self.link == "softmax":
            powers = np.exp(flat - flat.max(1, keepdims=True))
            return powers / powers.sum(1, keepdims=True)
        return np.exp(np.clip(flat, -500, 500)) if self.link == "exp" else flat

    def _columns(self, array: Array) -> Array:
        return array.reshape(len(array), -1) if self.by_row else array.reshape(-1, 1)

    def outputs(self, scores: Array, shape: tuple[int, ...]) -> Array:
        """The reverse of `scores`, for outputs of `shape`; not for numbers with a link."""
        if self.kind != "classes":
            return scores.reshape(shape)
        moved = list(shape)
        moved.append(moved.pop(self.axis))
        return np.moveaxis(scores.reshape(moved), -1, self.axis)

    def predicted(self, outputs: Array, last_operation: str) -> Array:
        """The predicted codes, shaped like `truth`.

        The largest score wins; a single score says yes above the `threshold`.
        """
        scores = self.scores(outputs)
        if self.kind == "classes":
            return scores.argmax(1)
        return (scores > threshold(last_operation)).astype(np.int64)

    def sure(self, truth: Array, shape: tuple[int, ...], domain: Domain) -> Array:
        """Outputs of `shape` that give confident answers, equal to `truth`, in a domain."""
        columns = shape[self.axis] if self.kind == "classes" else 1
        yes = truth[:, None] == np.arange(columns) if self.kind == "classes" else truth > 0
        if domain == "scores":
            return self.outputs(np.where(yes, _SCORE, -_SCORE), shape)
        sure = np.where(yes, 1 - _SURE, _SURE)
        return self.outputs(np.log(sure) if domain == "log-probabilities" else sure, shape)


def threshold(last_operation: str) -> float:
    """Above which a single score says yes: 0.5 if the `last_operation` of the model gives
    probabilities, else 0, as for a logit or a score with a margin."""
    return 0.5 if last_operation in _PROBABILITIES else 0.0


def how_answered(
    outputs: Array,
    target: Array,
    *,
    task: str | None = None,
    last_operation: str = "",
    loss: Callable[..., Any] | None = None,
) -> Answers | None:
    """How some rows' `outputs` answer their `target`; None if they do not, as far as one can see.

    They do not where the shapes do not meet, or where the loss is indifferent to right and wrong
    answers, as that of an embedding is. `task` is what the user says; None leaves it open.
    """
    if not outputs.ndim or len(outputs) != len(target) or not outputs.size or not target.size:
        return None
    found = _found(outputs, target, task, last_operation, loss)
    by_row = target.ndim < 3 and outputs.ndim < 3
    return None if found is None else replace(found, by_row=by_row or found.kind == "classes")


def _found(
    outputs: Array,
    target: Array,
    task: str | None,
    last_operation: str,
    loss: Callable[..., Any] | None,
) -> Answers | None:
    probe = None if loss is None else LossProbe(loss, target)
    possible: list[tuple[Answers, Domain]] = []
    indifferent = False
    for found in [] if task == "regression" else _as_classes(outputs.shape, target):
        axis = found.axis if found.kind == "classes" else 1
        domain = domain_of(outputs, last_operation, axis)
        if task is None and _is_number(found, outputs, target, probe, domain):
            break
        if _matters(found, outputs, target, probe, domain):
            possible.append((found, domain))
        indifferent = True
    if possible:
        return min(
            possible, key=lambda each: _cost(each[0], each[1], outputs.shape, target, probe)
        )[0]
    if task == "classification" or indifferent:
        return None
    return _as_numbers(outputs, target, probe, task is None)


def domain_of(outputs: Array, last_operation: str, axis: int = 1) -> Domain:
    """What the outputs look like: scores, probabilities or their logarithms."""
    if last_operation in _PROBABILITIES:
        return "probabilities"
    if outputs.ndim > 1 and outputs.shape[axis] > 1 and np.isfinite(outputs).all():
        flat = np.moveaxis(outputs, axis, -1)
        if flat.min() >= 0 and np.allclose(flat.sum(-1), 1, atol=1e-3):
            return "probabilities"
        if flat.max() <= 0 and np.allclose(np.exp(flat).sum(-1), 1, atol=1e-3):
            return "log-probabilities"
    return "scores"


def _as_classes(shape: tuple[int, ...], target: Array) -> list[Answers]:
    """The classifications that the shapes and the values allow."""
    known = target[np.isfinite(target)] if target.dtype.kind == "f" else target.reshape(-1)
    if not known.size or (known != np.round(known)).any():
        return []
    is_binary = bool(np.isin(known, (0, 1)).all() or np.isin(known, (-1, 1)).all())
    axes = range(1, len(shape))
    if target.shape == shape and is_binary and len(shape) > 1 and shape[1] > 1:
        hot = [axis for axis in axes if (target.sum(axis) == 1).all()]
        if hot and known.min() >= 0:
            # Which place holds the right one may be a convention, as in noise-contrastive losses.
            if len(target) > 1 and (target == target[0]).all():
                return []
            return [Answers("classes", axis=axis, is_one_hot=True) for axis in hot]
    if target.size == math.prod(shape):
        return [Answers("yes or no")] if is_binary or target.dtype.kind in "iub" else []
    items = target.shape[:1] if target.size == len(target) else target.shape
    return [
        Answers("classes", axis=axis)
        for axis in sorted({1, len(shape) - 1} & set(axes))
        if shape[:axis] + shape[axis + 1 :] == items
    ]


def _is_number(
    found: Answers, outputs: Array, target: Array, probe: LossProbe | None, domain: Domain
) -> bool:
    """Whether a target that may be yes or no, or a code, is a number, where nobody says so."""
    is_whole = target.dtype.kind in "iub"
    if found.kind == "classes":
        return False
    is_binary = len(np.unique(target)) <= 2
    if domain == "probabilities" or probe is None:
        return not is_binary or not (is_whole or domain == "probabilities")
    if not is_binary:
        return _as_numbers(outputs, target, probe, is_open=True) is not None
    # A loss of numbers is least where the output is the target (or most, if its sign is wrong); one
    # of classes is no greater where the output goes beyond it.
    y = target.astype(np.float64).reshape(outputs.shape)
    away = y - (y.max() + y.min()) / 2
    at, beyond, within = (probe.value(y + share * away) for share in (0.0, 0.5, -0.5))
    blur = 1e-6 * abs(at)
    return min(beyond, within) > at + blur or max(beyond, within) < at - blur


def _is_extreme(probe: LossProbe, outputs: Array) -> bool:
    """Whether the loss is least at `outputs`, or most, among outputs near them.

    Elsewhere it has a slope, and of a step and its opposite one raises it and one lowers it.
    """
    at = probe.value(outputs)
    if not math.isfinite(at):
        return False
    small = 0.1 * max(float(outputs.std()), 1e-3)
    steps = np.random.default_rng(0).normal(0.0, small, (4, *outputs.shape))
    near = np.array([probe.value(outputs + sign * step) for step in steps for sign in (1, -1)])
    near = near[np.isfinite(near)]  # beyond 0 and 1 a logarithm may be none
    if not len(near):
        return False
    blur = 1e-6 * abs(at)
    return bool((near >= at - blur).all() or (near <= at + blur).all())


def _cost(
    found: Answers, domain: Domain, shape: tuple[int, ...], target: Array, probe: LossProbe | None
) -> float:
    """The loss of right answers: of two axes that may be the classes' it is the one that costs
    less."""
    cost = (
        math.nan if probe is None else probe.value(found.sure(found.truth(target), shape, domain))
    )
    return cost if math.isfinite(cost) else math.inf


def _matters(
    found: Answers, outputs: Array, target: Array, probe: LossProbe | None, domain: Domain
) -> bool:
    """Whether the loss tells right answers from wrong ones."""
    if probe is None:
        return True
    shape = outputs.shape
    truth = found.truth(target)
    wrong = 1 - truth
    if found.kind == "classes":
        columns = shape[found.axis]
        if truth.max(initial=0) >= columns and len(truth) == len(target):
            # There are fewer outputs than classes, or they are no scores of classes at all: a mean
            # and a spread are not, and their loss takes any number.
            if math.isfinite(probe.value(outputs)):
                return False
            fits = np.flatnonzero((truth >= 0) & (truth < columns))
            truth, target, shape = truth[fits], target[fits], (len(fits), *shape[1:])
            probe = LossProbe(probe.loss, target)
        wrong = np.where(truth < 0, truth, (truth + 1) % columns)
        if not found.is_one_hot and _holds_more(found, truth, shape, probe):
            return False
    sure = found.sure(truth, shape, domain)
    right, other = probe.value(sure), probe.value(found.sure(wrong, shape, domain))
    if not (math.isfinite(right) and math.isfinite(other)):
        return True
    changed = target[::-1] if (target[::-1] != target).any() else 1 - target
    if probe.value(sure, changed) == right:
        return False  # it never looks at the target
    if found.kind == "yes or no" and domain == "scores":
        if outputs.min() >= 0 and other < right:
            return False  # a distance, which is small for a pair that belongs together
        scores = np.asarray(np.random.default_rng(0).normal(size=shape))
        if probe.value(2 * scores) == 2 * probe.value(scores):
            return False  # a critic's mean, which grows with its output and knows no threshold
    return abs(right - other) > _INDIFFERENT * max(abs(right), abs(other))


def _holds_more(found: Answers, truth: Array, shape: tuple[int, ...], probe: LossProbe) -> bool:
    """Whether the outputs hold more than scores, as an autoencoder's code beside its classes.

    To raise the score of a class that no item has costs something in any loss of classes. A column
    that sometimes costs and sometimes gains is no score.
    """
    slope = probe.slope(np.random.default_rng(0).normal(size=shape))
    first = int(truth.max(initial=-1)) + 1
    if slope is None or not np.isfinite(slope).all() or first >= shape[found.axis]:
        return False
    unused = found.scores(slope)[:, first:]
    blur = 1e-6 * float(np.abs(slope).max(initial=0.0))
    return bool(((unused < -blur).any(0) & (unused > blur).any(0)).any())


def _as_numbers(
    outputs: Array, target: Array, probe: LossProbe | None, is_open: bool
) -> Answers | None:
    """Numbers, and what the loss makes of an output before it compares it with one.

    None if the loss does not tell targets apart, or, where the task is open, if it is neither least
    nor most where the outputs are the targets.
    """
    y = target.astype(np.float64)
    if target.size != outputs.size or probe is None or not np.isfinite(y).all():
        return Answers("numbers") if target.size == outputs.size else None
    if _are_shares(y, outputs, probe):
        return Answers("numbers", link="softmax")
    forms: dict[Link, Array] = {"identity": y}
    if y.min() >= 0 and y.max() <= 1:
        inside = np.clip(y, _SURE, 1 - _SURE)
        forms["logistic"] = np.log(inside) - np.log1p(-inside)
    if y.min() >= 0:
        forms["exp"] = np.log(np.maximum(y, _SURE))
    costs = {link: probe.value(each.reshape(outputs.shape)) for link, each in forms.items()}
    known = [link for link, cost in costs.items() if math.isfinite(cost)]
    if not known:
        # A loss of the outputs that takes no targets in their place compares them with none.
        return None if is_open and math.isfinite(probe.value(outputs)) else Answers("numbers")
    link = min(known, key=lambda each: costs[each])
    at, right = costs[link], forms[link].reshape(outputs.shape)
    # Turned alone does not tell: targets may be all the same, or meet all outputs by mistake.
    others = [
        probe.value(right, each) for each in (target[::-1], target + np.ones((), target.dtype))
    ]
    if all(abs(at - other) <= _INDIFFERENT * max(abs(at), abs(other)) for other in others):
        return None
    if is_open and not _is_extreme(probe, right):
        return None
    return None if _contradicts(probe, outputs, right) else Answers("numbers", link=link)


def _are_shares(y: Array, outputs: Array, probe: LossProbe) -> bool:
    """Whether the target's rows (rows, columns) are shares of 1, and the loss takes a softmax of
    the outputs: to raise all outputs of a row changes nothing."""
    if y.ndim != 2 or y.shape != outputs.shape or y.shape[1] < 2 or y.min() < 0:
        return False
    if not np.allclose(y.sum(1), 1, atol=1e-3):
        return False
    at = probe.value(outputs)
    moved, other = probe.value(outputs + 3.0), probe.value(outputs[:, ::-1])
    return abs(moved - at) <= 1e-4 * abs(at) and abs(other - at) > 1e-4 * abs(at)


def _contradicts(probe: LossProbe, outputs: Array, right: Array) -> bool:
    """Whether the loss is well content with outputs that are further from `right` than its mean.

    The residual of an equation has the shape of the outputs, and is not what they should be.
    """
    even = np.broadcast_to(right.mean(0), right.shape)
    at, usual = probe.value(outputs), probe.value(even)
    further = float(((outputs - right) ** 2).sum()) > float(((even - right) ** 2).sum())
    return further and 0 <= at < usual / 2
