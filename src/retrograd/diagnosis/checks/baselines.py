"""What simple models come to on the same rows: a yardstick for a network, in a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "SimpleScores",
    "features",
    "finite",
    "nearest",
    "ridge",
    "scaled",
    "share_wrong",
    "simple_scores",
]

Array = np.ndarray[Any, Any]

_NEIGHBORS = 7
_WORDS = 4096  # token numbers beyond share places
_COLUMNS = 3072
_LARGEST = 1e100  # whose square is finite


@dataclass(frozen=True)
class SimpleScores:
    """The error on validation rows (share wrong, or of the variance) of three simple models.

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
    balanced: bool = False,
) -> SimpleScores:
    """The errors on the valid rows of models fitted to the others.

    With `balanced`, the share of wrong classes is that of each class, averaged over the classes,
    and the classes count alike in fitting.
    """
    x, x_valid = scaled(features(inputs), features(valid_inputs))
    if task == "classification":
        classes = np.unique(np.concatenate([target, valid_target]))
        y = (target[:, None] == classes).astype(np.float64)
        truth = np.searchsorted(classes, valid_target)

        if balanced:
            y = y / np.maximum(y.sum(0), 1)

        def error(answer: Array) -> float:
            return share_wrong(answer.argmax(1), truth, balanced)
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


def share_wrong(said: Array, truth: Array, balanced: bool = False) -> float:
    """The share of rows, or with `balanced` the mean of each class's share, that is said wrong."""
    wrong = said != truth
    if not balanced:
        return float(np.mean(wrong))
    return float(np.mean([wrong[truth == each].mean() for each in np.unique(truth)]))


def scaled(x: Array, other: Array) -> tuple[Array, Array]:
    """Both with the columns of `x` brought to mean 0 and standard deviation 1."""
    width = min(x.shape[1], other.shape[1])
    x, other = x[:, :width], other[:, :width]
    mean, std = x.mean(0), x.std(0)
    std = np.where(std > 1e-6 * np.maximum(np.abs(mean), std.max(initial=0.0)), std, np.inf)
    return (x - mean) / std, (other - mean) / std


def nearest(queries: Array, rows: Array, count: int, itself: bool = False) -> Array:
    """(queries, count): the numbers of the nearest `rows`, nearest first.

    With `itself` the queries are the rows, and none is its own neighbour.
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
