"""What simple models come to on the same rows: a yardstick for a network, in a second."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["SimpleScores", "features", "misranked", "nearest", "scaled", "simple_scores"]

Array = np.ndarray[Any, Any]

_NEIGHBOURS = 7
_WORDS = 4096  # token numbers beyond share places
_COLUMNS = 3072


@dataclass(frozen=True)
class SimpleScores:
    """The error on held-out rows, see `simple_scores`, of three simple models.

    `constant` answers with the most frequent class or the mean, `linear` is ridge regression,
    `neighbours` the vote or mean of the nearest training rows.
    """

    constant: float
    linear: float
    neighbours: float

    @property
    def best(self) -> float:
        """The least of the errors."""
        return min(self.constant, self.linear, self.neighbours)


def features(inputs: Array) -> Array:
    """(rows, ...) -> (rows, columns) float64; of token numbers, how often each occurs."""
    flat = inputs.reshape(len(inputs), -1)
    if flat.dtype.kind in "iu" and inputs.ndim == 2 and flat.size and flat.min() >= 0:
        counts = np.zeros((len(flat), min(int(flat.max()) + 1, _WORDS)))
        np.add.at(counts, (np.arange(len(flat))[:, None], flat % counts.shape[1]), 1.0)
        return counts
    # Of very wide rows, columns evenly spread.
    flat = flat[:, :: max(1, flat.shape[1] // _COLUMNS)]
    return np.nan_to_num(flat.astype(np.float64), posinf=0.0, neginf=0.0)


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
        y = np.nan_to_num(target.reshape(len(target), -1).astype(np.float64))
        numbers = np.nan_to_num(valid_target.reshape(len(valid_target), -1).astype(np.float64))
        spread = max(float(((numbers - numbers.mean(0)) ** 2).sum()), 1e-300)

        def error(answer: Array) -> float:
            return float(((answer - numbers) ** 2).sum()) / spread

    centre = y.mean(0)
    rows = nearest(x_valid, x, _NEIGHBOURS)
    return SimpleScores(
        constant=error(np.broadcast_to(centre, (len(x_valid), y.shape[1]))),
        linear=error(centre + x_valid @ _ridge(x, y - centre)),
        neighbours=error(y[rows].mean(1)),
    )


def misranked(scores: Array, truth: Array) -> float:
    """1 - the area under the ROC curve, of `scores` (rows, classes) for class codes (rows,).

    The share of the pairs of a row of a class and one of another that the score of the class puts
    the wrong way round, ties counting half; the mean over the classes. 0.5 knows nothing, however
    unequal the classes are. NaN where all rows are of one class.
    """
    shares = []
    for code in np.unique(truth):
        inside = truth == code
        among, others = int(inside.sum()), int((~inside).sum())
        if not others:
            return math.nan
        # Of a class that the scores have no column for they know nothing.
        score = scores[:, code] if 0 <= code < scores.shape[1] else np.zeros(len(scores))
        _, places, counts = np.unique(score, return_inverse=True, return_counts=True)
        ranks = (np.cumsum(counts) - (counts - 1) / 2)[places.reshape(-1)]
        won = ranks[inside].sum() - among * (among + 1) / 2
        shares.append(1 - won / (among * others))
    return float(np.mean(shares))


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
    count = min(count, len(rows) - itself)
    distances = (queries**2).sum(1)[:, None] - 2 * queries @ rows.T + (rows**2).sum(1)
    if itself:
        np.fill_diagonal(distances, np.inf)
    near = np.argpartition(distances, count - 1, axis=1)[:, :count]
    order = np.argsort(np.take_along_axis(distances, near, 1), axis=1)
    return np.take_along_axis(near, order, 1)


def _ridge(x: Array, y: Array) -> Array:
    """Weights (columns, outputs) of a ridge regression, its penalty one in ten of the rows."""
    penalty = 0.1 * len(x)
    if x.shape[1] <= len(x):
        return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
    return x.T @ np.linalg.solve(x @ x.T + penalty * np.eye(len(x)), y)
