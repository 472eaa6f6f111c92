"""The scores of simple models on the same rows: a yardstick for a network, in a second."""

from __future__ import annotations

import math
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
    """The errors of three simple models on validation rows, see `simple_scores`.

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
    inputs: Array,
    target: Array,
    valid_inputs: Array,
    valid_target: Array,
    task: str,
    ranked: bool = False,
) -> SimpleScores:
    """The errors on the validation rows of models fitted to the training rows.

    For classification, the error rate, or with `ranked` the share of `misranked` pairs; for
    regression, the share of unexplained variance.
    """
    x, x_valid = scaled(features(inputs), features(valid_inputs))
    if task == "classification":
        classes = np.unique(np.concatenate([target, valid_target]))
        y = (target[:, None] == classes).astype(np.float64)
        truth = np.searchsorted(classes, valid_target)

        def error(answer: Array) -> float:
            return misranked(answer, truth) if ranked else float(np.mean(answer.argmax(1) != truth))
    else:
        y = finite(target.reshape(len(target), -1))
        numbers = finite(valid_target.reshape(len(valid_target), -1))
        spread = max(float(((numbers - numbers.mean(0)) ** 2).sum()), 1e-300)

        def error(answer: Array) -> float:
            return float(((answer - numbers) ** 2).sum()) / spread

    return SimpleScores(
        constant=error(np.broadcast_to(y.mean(0), (len(x_valid), y.shape[1]))),
        linear=error(ridge(x, y, x_valid)),
        neighbors=error(y[nearest(x_valid, x, _NEIGHBORS)].mean(1)),
    )


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
