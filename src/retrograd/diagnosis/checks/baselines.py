"""What simple models come to on the same rows: a yardstick for a network, in a second."""

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
_WORDS = 4096  # token numbers beyond share places
_COLUMNS = 3072
_LARGEST = 1e100  # whose square is finite


@dataclass(frozen=True)
class SimpleScores:
    """The error on validation rows, see `simple_scores`, of three simple models.

    `constant` answers with the most frequent class or the mean, `linear` is ridge regression,
    `neighbors` the vote or mean of the nearest training rows.
    """

    constant: float
    linear: float
    neighbors: float

    @property
    def best(self) -> float:
        """The least of the errors."""
        return min(self.constant, self.linear, self.neighbors)


def features(inputs: Array) -> Array:
    """(rows, ...) -> (rows, columns) float64; of token numbers, how often each occurs."""
    flat = inputs.reshape(len(inputs), -1)
    if flat.dtype.kind in "iu" and inputs.ndim == 2 and flat.size and flat.min() >= 0:
        counts = np.zeros((len(flat), min(int(flat.max()) + 1, _WORDS)))
        np.add.at(counts, (np.arange(len(flat))[:, None], flat % counts.shape[1]), 1.0)
        return counts
    # Of very wide rows, columns evenly spread.
    flat = flat[:, :: max(1, flat.shape[1] // _COLUMNS)]
    return finite(flat)


def finite(values: Array) -> Array:
    """The values in float64, 0 for what is not finite, and none so large that squares overflow."""
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
    """The errors on the valid rows of models fitted to the others.

    Of classes it is the share of wrong rows, or with `ranked` that of `misranked` pairs; of numbers
    the share of the variance that is left.
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
    """1 - the area under the ROC curve, of `scores` (rows, classes) for class codes (rows,).

    The share of the pairs of a row of a class and one of another that the score of the class puts
    the wrong way round, ties counting half; the mean over the classes. 0.5 knows nothing, however
    unequal the classes are. NaN where all rows are of one class.
    """
    from sklearn.metrics import roc_auc_score

    found = np.unique(truth)
    if len(found) < 2:
        return math.nan
    nothing = np.zeros(len(scores))  # what scores without a column for a class know of it
    known = [scores[:, c] if 0 <= c < scores.shape[1] else nothing for c in found]
    return 1 - float(
        np.mean([roc_auc_score(truth == c, s) for c, s in zip(found, known, strict=True)])
    )


def scaled(x: Array, other: Array) -> tuple[Array, Array]:
    """Both with the columns of `x` brought to mean 0 and standard deviation 1."""
    width = min(x.shape[1], other.shape[1])
    x, other = x[:, :width], other[:, :width]
    mean, std = x.mean(0), x.std(0)
    std = np.where(std > 1e-6 * np.maximum(np.abs(mean), std.max(initial=0.0)), std, np.inf)
    return (x - mean) / std, (other - mean) / std


def nearest(queries: Array, rows: Array, count: int, itself: bool = False) -> Array:
    """(queries, count): the numbers of the nearest `rows`, nearest first.

    With `itself` the queries are the rows, and none is its own neighbor.
    """
    from sklearn.neighbors import NearestNeighbors

    known = NearestNeighbors(n_neighbors=min(count, len(rows) - itself), algorithm="brute")
    return known.fit(rows).kneighbors(None if itself else queries, return_distance=False)


def ridge(x: Array, y: Array, at: Array) -> Array:
    """What ridge regression from `x`, columns of mean 0, to `y` says at other rows.

    Its penalty is a tenth of the number of rows.
    """
    from sklearn.linear_model import Ridge

    mean = y.mean(0)
    model = Ridge(alpha=0.1 * len(x), fit_intercept=False)
    return mean + model.fit(x, y - mean).predict(at).reshape(len(at), *y.shape[1:])
