"""The scores of simple models on the same rows: a yardstick for a network, in a second."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "SimpleScores",
    "features",
    "finite",
    "misranked",
    "nearest",
    "ridge",
    "scaled",
    "simple_scores",
]

Array = np.ndarray[Any, Any]

_NEIGHBORS = 7
_WORDS = 4096  # larger token ids share columns
_COLUMNS = 3072
_LARGEST = 1e100  # whose square is finite


@dataclass(frozen=True)
class SimpleScores:
    """The errors of three simple models on the same rows, see `simple_scores`.

    `constant` always predicts the most frequent class or the mean, `linear` is ridge regression,
    `neighbors` the vote or mean of the nearest training rows.
    """

    constant: float
    linear: float
    neighbors: float

    @property
    def best(self) -> float:
        """The smallest of the errors."""
        return min(self.constant, self.linear, self.neighbors)


def features(inputs: Array) -> Array:
    """(rows, ...) -> (rows, columns) float64; token ids become counts."""
    flat = inputs.reshape(len(inputs), -1)
    if flat.dtype.kind in "iu" and inputs.ndim == 2 and flat.size and flat.min() >= 0:
        counts = np.zeros((len(flat), min(int(flat.max()) + 1, _WORDS)))
        np.add.at(counts, (np.arange(len(flat))[:, None], flat % counts.shape[1]), 1.0)
        return counts
    # Very wide rows are thinned to evenly spaced columns.
    flat = flat[:, :: max(1, flat.shape[1] // _COLUMNS)]
    return finite(flat)


def finite(values: Array) -> Array:
    """The values in float64, 0 where not finite, clipped so that squares do not overflow."""
    known = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    return np.clip(known, -_LARGEST, _LARGEST)


def simple_scores(
    inputs: Array, y: Array, others: Array | None, error: Callable[[Array], float]
) -> SimpleScores:
    """The errors of models fitted to rows of `inputs` and their `y` (rows, columns).

    `error` judges their answers, columns like those of `y`, for the rows of `others`; without these
    for the rows themselves, each half of them answered by models of the other half. Inputs without
    a column, as of a table that has only categories, leave the constant answer alone.
    """
    x = features(inputs)
    if not x.shape[1]:
        rows = len(x) if others is None else len(others)
        constant = np.broadcast_to(finite(y).mean(0), (rows, y.shape[1]))
        return SimpleScores(error(constant), math.inf, math.inf)
    if others is None:
        halves = np.arange(len(x)) % 2
        parts = [_fitted(x[halves != h], y[halves != h], x[halves == h]) for h in (0, 1)]
        answers = [np.zeros((len(x), y.shape[1])) for _ in range(3)]
        for half, part in enumerate(parts):
            for whole, answer in zip(answers, part, strict=True):
                whole[halves == half] = answer
    else:
        answers = _fitted(x, y, features(others))
    return SimpleScores(*map(error, answers))


def _fitted(x: Array, y: Array, at: Array) -> list[Array]:
    """The answers `at` other rows: of the mean, of ridge regression, of the nearest rows."""
    y = finite(y)
    x, at = scaled(x, at)
    mean = np.broadcast_to(y.mean(0), (len(at), y.shape[1]))
    return [mean, ridge(x, y, at), y[nearest(at, x, _NEIGHBORS)].mean(1)]


def misranked(scores: Array, truth: Array) -> float:
    """1 - the area under the ROC curve, for `scores` (rows, classes) and class codes (rows,).

    For each class: the share of pairs, one row of the class and one of another, that its score
    ranks the wrong way; ties count half. The result is the mean over classes. 0.5 is chance,
    however unbalanced the classes are. NaN if all rows are of one class.
    """
    from sklearn.metrics import roc_auc_score

    found = np.unique(truth)
    if len(found) < 2:
        return math.nan
    nothing = np.zeros(len(scores))  # for a class that has no column in `scores`
    known = [scores[:, c] if 0 <= c < scores.shape[1] else nothing for c in found]
    return 1 - float(
        np.mean([roc_auc_score(truth == c, s) for c, s in zip(found, known, strict=True)])
    )


def scaled(x: Array, other: Array) -> tuple[Array, Array]:
    """Both arrays, standardized with the mean and standard deviation of `x`'s columns."""
    width = min(x.shape[1], other.shape[1])
    x, other = x[:, :width], other[:, :width]
    mean, std = x.mean(0), x.std(0)
    std = np.where(std > 1e-6 * np.maximum(np.abs(mean), std.max(initial=0.0)), std, np.inf)
    return (x - mean) / std, (other - mean) / std


def nearest(queries: Array, rows: Array, count: int, itself: bool = False) -> Array:
    """(queries, count): the indices of the nearest `rows`, nearest first.

    With `itself` the queries are the rows, and no row is its own neighbor.
    """
    from sklearn.neighbors import NearestNeighbors

    known = NearestNeighbors(n_neighbors=min(count, len(rows) - itself), algorithm="brute")
    return known.fit(rows).kneighbors(None if itself else queries, return_distance=False)


def ridge(x: Array, y: Array, at: Array) -> Array:
    """The predictions at other rows of ridge regression from `x`, columns of mean 0, to `y`.

    The penalty is a tenth of the number of rows.
    """
    from sklearn.linear_model import Ridge

    mean = y.mean(0)
    model = Ridge(alpha=0.1 * len(x), fit_intercept=False)
    return mean + model.fit(x, y - mean).predict(at).reshape(len(at), *y.shape[1:])
