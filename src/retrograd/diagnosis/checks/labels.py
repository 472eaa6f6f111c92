"""Checks of the labels: their balance, and whether nearly identical rows have the same label."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.finding import Finding, Severity
from retrograd.diagnosis.outcome.baselines import features, finite, nearest, ridge, scaled
from retrograd.diagnosis.outcome.performance import Performance
from retrograd.diagnosis.probes.loss import LossProbe
from retrograd.diagnosis.register import check

Array = np.ndarray[Any, Any]

# He & Garcia 2009 call 10 : 1 an imbalance that needs care.
_RATIO = 10.0
_MANY = 20
# With fewer rows, neighbors say nothing.
_ROWS = 60


@check("RG308", reads=("train",))
def constant_target(case: Case, train: Data) -> Iterator[Finding]:
    """RG308. All values of the target are the same, over all rows and columns.

    Judged where outputs answer the target: an embedding or a generator may have no use for one.
    """
    target = train.target
    if len(target) < 2 or not target.size or (case.outputs is not None and case.answers is None):
        return
    if (target == target.reshape(-1)[0]).all():
        yield finding(
            "RG308",
            f"All {len(target):,} rows have the target {target.reshape(-1)[0]:g}.",
            value=target.reshape(-1)[0],
        )


@check("RG306", reads=("train_labels", "labels"))
def imbalance(case: Case, train_labels: Array, labels: Array) -> Iterator[Finding]:
    """RG306. One class is ten times as frequent as another, and the loss does not compensate.

    The check compares the gradient of the loss at rows of both classes to see whether it weights
    them. Before a run, a note if a rehearsal ends well; after it, if the rare class is recalled at
    least half as often as the frequent one. A note also for more than twenty classes, of which some
    are always rare, as words and letters are.
    """
    classes, counts = np.unique(train_labels, return_counts=True)
    if len(classes) < 2:
        return
    rare, frequent = classes[counts.argmin()], classes[counts.argmax()]
    ratio = counts.max() / counts.min()
    if ratio < _RATIO or counts.min() < 3 or _weighs(case, int(rare), int(frequent)):
        return
    severity = None if case.has_run else _unless_well(case)
    text = f"Class {frequent} is {ratio:.0f} times as frequent as class {rare}"
    numbers = {"ratio": ratio, "rows": counts.min()}
    if case.has_run and case.predicted is not None:
        predicted = case.predicted
        found = [
            float(np.mean(predicted[labels == c] == c)) if (labels == c).any() else 1.0
            for c in (rare, frequent)
        ]
        text += f"; the model recognizes {found[0]:.0%} of its rows, against {found[1]:.0%}"
        numbers |= {"found": found[0], "found_of_frequent": found[1]}
        if found[0] >= 0.5 * found[1] or len(classes) > _MANY:
            severity = "note"
    yield finding("RG306", text + ".", severity=severity, numbers=numbers)


@check("RG306", reads=("performance",))
def dominance(case: Case, performance: Performance) -> Iterator[Finding]:
    """RG306. The same for pixels and tokens: one class makes up more than ten elevenths of them,
    such as the padding, and the model recognizes less than half as many of the others."""
    target, answers = performance.train.target, performance.answers
    if not case.has_run or answers.kind != "classes" or case.labels is not None:
        return
    counted = performance.counted(target)
    truth = answers.truth(target)[counted]
    predicted = answers.predicted(performance.outputs, performance.last_operation)[counted]
    counts = np.bincount(truth)
    frequent = truth == counts.argmax()
    share = float(frequent.mean())
    if share <= _RATIO / (_RATIO + 1) or frequent.all():
        return
    right = predicted == truth
    found, of_frequent = float(right[~frequent].mean()), float(right[frequent].mean())
    if found < 0.5 * of_frequent:
        yield finding(
            "RG306",
            f"{share:.0%} of the answers are class {counts.argmax()}; the model recognizes "
            f"{found:.0%} of all others, against {of_frequent:.0%}.",
            share=share,
            found=found,
            found_of_frequent=of_frequent,
        )


def _weighs(case: Case, rare: int, frequent: int) -> bool:
    """Whether the loss weights rows of the rare class more than twice as much as frequent ones."""
    if case.loss is None or case.outputs is None or case.sample is None or case.labels is None:
        return False
    rows = [np.flatnonzero(case.labels == c)[:8] for c in (rare, frequent)]
    count = min(map(len, rows))
    if not count:
        return False
    picked = np.concatenate([each[:count] for each in rows])
    shape = (len(picked), *case.outputs.shape[1:])
    # Neutral outputs, the same for every class.
    even = np.full(shape, 0.0 if case.last_operation not in ("softmax", "sigmoid") else 0.5)
    slope = LossProbe(case.loss, case.sample.target[picked]).slope(even)
    if slope is None or not np.isfinite(slope).all():
        return False
    size = np.abs(slope).reshape(len(picked), -1).sum(1)
    return bool(size[:count].sum() > 2 * size[count:].sum())


@check("RG307", reads=("scaled_features", "labels"))
def classes_disagree(case: Case, scaled_features: Array, labels: Array) -> Iterator[Finding]:
    """RG307. Nearly identical rows have different labels, or the inputs do not predict the labels.

    Judged by nearest neighbors (the idea of Wilson 1972 and of Northcutt et al. 2021): (a) they
    predict the training labels much worse than the validation labels, so the training labels are
    wrong; (b) they predict no better than chance; (c) rows with the same inputs have different
    labels, or rows deep inside a region of one class have other labels about as often as rows
    anywhere, and at least 10 % of them do (a natural class boundary leaves the inside clean).
    Neighbors may be wrong about (b) and about the inside, so that these are notes if the run ended
    well.
    """
    x, y = scaled_features, labels
    if len(y) < _ROWS:
        return
    count = int(y.max()) + 1
    near = nearest(x, x, 10, itself=True)
    votes = _votes(y[near], count)
    agreed = float(np.mean(votes == y))
    shares = np.bincount(y, minlength=count) / len(y)
    margin = 3 * math.sqrt(0.25 / len(y))
    same = _same_inputs(x, y)
    clean = _clean_vote(case)
    if same is not None:
        yield finding(
            "RG307",
            f"{same:.0%} of the training rows have the same inputs as a row of another class.",
            share=same,
        )
    elif clean is not None and clean[1] - clean[0] > 2 * margin:
        yield finding(
            "RG307",
            f"Nearest neighbors predict the class of {clean[0]:.0%} of the training rows and "
            f"{clean[1]:.0%} of the validation rows: the training labels have more errors.",
            training=clean[0],
            validation=clean[1],
        )
    elif shares.max() < 0.8 and agreed < shares.max() + margin and _says_nothing(case):
        yield finding(
            "RG307",
            f"Nearest neighbors predict the class of {agreed:.0%} of the rows; always answering "
            f"the most frequent class is right for {shares.max():.0%}. The inputs say nothing "
            "about the labels.",
            severity=_unless_well(case),
            agreed=agreed,
            by_chance=shares.max(),
        )
    elif case.is_table and (inside := _inside(x, votes, y)) > max(0.1, 0.75 * (1 - agreed)):
        yield finding(
            "RG307",
            f"Deep inside the region of one class, {inside:.0%} of the rows have another label.",
            severity=_unless_well(case),
            share=inside,
        )


def _unless_well(case: Case) -> Severity | None:
    return None if case.outcome == "badly" else "note"


def _votes(near: Array, count: int) -> Array:
    """The most frequent of the classes (rows, neighbors) in each row; the lowest in a tie."""
    return np.stack([(near == c).sum(1) for c in range(count)], 1).argmax(1)


def _same_inputs(x: Array, y: Array) -> float | None:
    """The share of rows whose continuous inputs equal those of a row with another label."""
    if max(len(np.unique(column)) for column in x.T[:200]) < 0.2 * len(x):
        return None  # rows of a few categories naturally coincide
    _, groups = np.unique(x, axis=0, return_inverse=True)
    groups = groups.reshape(-1)
    low = np.full(groups.max() + 1, y.max())
    high = np.full(groups.max() + 1, y.min())
    np.minimum.at(low, groups, y)
    np.maximum.at(high, groups, y)
    share = float(np.mean((low != high)[groups]))
    return share if share > 0.05 else None


def _clean_vote(case: Case) -> tuple[float, float] | None:
    """The accuracy of the neighbors' vote on the training rows and on the validation rows."""
    if case.valid_sample is None or case.sample is None or len(case.valid_sample) < _ROWS:
        return None
    if len(case.sample.inputs) > 1:
        return None  # of a pair one input says nothing
    train, valid = scaled(features(case.sample.inputs[0]), features(case.valid_sample.inputs[0]))
    y, truth = case.labels, case.row_classes(case.valid_sample)
    if y is None or truth is None:
        return None
    count = int(max(y.max(), truth.max())) + 1
    right = []
    for queries, answers, itself in ((train, y, True), (valid, truth, False)):
        near = nearest(queries, train, 10, itself=itself)
        right.append(float(np.mean(_votes(y[near], count) == answers)))
    return right[0], right[1]


def _says_nothing(case: Case) -> bool:
    """Whether neither simple models nor the network do better than a constant on other rows.

    The distances of raw pixels and of sparse words say little, so that there it takes a run.
    """
    performance = case.performance
    if performance is None or not (case.has_run or case.is_table):
        return case.is_table
    simple = performance.simple
    finds = simple.best <= simple.constant - performance.margin(simple.constant)
    return not finds and not performance.beats_constant


def _inside(x: Array, smooth: Array, y: Array) -> float:
    """The share of other labels in the third of the rows that lies deepest in its region.

    The neighbors' votes define the regions. Depth is the distance to the nearest row of another
    region, divided by the distance to the tenth nearest row of its own.
    """
    from sklearn.metrics.pairwise import euclidean_distances

    distances = euclidean_distances(x, squared=True)
    np.fill_diagonal(distances, np.inf)
    other = smooth[:, None] != smooth
    if not other.any():
        return 0.0
    away = np.where(other, distances, np.inf).min(1)
    own = np.partition(np.where(other, np.inf, distances), 9, axis=1)[:, 9]
    usable = np.isfinite(away) & np.isfinite(own) & (own > 0)
    if usable.sum() < _ROWS:
        return 0.0
    depth = np.where(usable, away / np.where(own > 0, own, 1), -np.inf)
    deep = np.argsort(-depth)[: int(usable.sum()) // 3]
    return float(np.mean(smooth[deep] != y[deep]))


@check("RG307", reads=("scaled_features", "numbers"))
def numbers_disagree(case: Case, scaled_features: Array, numbers: Array) -> Iterator[Finding]:
    """RG307. The same for regression, by the variance that nearest neighbors leave unexplained.

    Only for tables: numbers of users, words and pixels are no distances.
    """
    x, y = scaled_features, finite(numbers[:, 0])
    if len(y) < _ROWS or not case.is_table:
        return
    spread = float(((y - y.mean()) ** 2).mean())
    if spread == 0:
        return
    near = nearest(x, x, 10, itself=True)
    unexplained = float(((y[near].mean(1) - y) ** 2).mean()) / spread
    simple = (
        None
        if case.performance is None or case.performance.valid is None
        else case.performance.simple
    )
    # The mean of ten unrelated rows leaves 1.1 times the variance.
    if unexplained > 1.0 and (simple is None or simple.best > 0.98) and _linear_left(x, y) > 0.95:
        yield finding(
            "RG307",
            f"Nearest neighbors leave {unexplained:.0%} of the target's variance unexplained, and "
            "a linear model does no better: the inputs say nothing about the target.",
            severity=_unless_well(case),
            unexplained=unexplained,
        )
    elif simple is not None and unexplained > 0.3 and simple.neighbors < 0.5 * unexplained:
        yield finding(
            "RG307",
            f"Nearest neighbors leave {unexplained:.0%} of the variance of the training targets "
            f"unexplained, but only {simple.neighbors:.0%} of that of the validation targets: the "
            "training targets have more errors.",
            unexplained=unexplained,
            validation=simple.neighbors,
        )


def _linear_left(x: Array, y: Array) -> float:
    """The variance that ridge regression leaves unexplained on every second row, as a share."""
    learn, judge = slice(0, None, 2), slice(1, None, 2)
    left = y[judge] - ridge(x[learn], y[learn], x[judge])
    return float((left**2).mean() / max(float(y[judge].var()), 1e-300))
