"""What a model's predictions rest on: integrated gradients, and the cost of shuffling an input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from retrograd.kinds.base.fitted import Picture
from retrograd.tensor import Tensor
from retrograd.transforms import grad

__all__ = ["Explains", "Importance", "Reasons", "RunningText", "integrated_gradients"]

Array = np.ndarray[Any, Any]


class RunningText(tuple[tuple[str, float], ...]):
    """A running text as pieces in their order, each with what it adds to the prediction."""


Reasons = Picture | RunningText | tuple[tuple[str, float], ...]
"""Why one prediction is what it is: a picture with the important parts marked, a text with what its
words add, or pieces (a column and its value), each with what it adds to the prediction."""


@dataclass(frozen=True)
class Importance:
    """How much each input matters to the predictions.

    `attribution` (inputs,) is the mean absolute integrated gradient over `attributed` rows, in
    `unit`. `shuffled` (inputs,) is the error, named by `error`, when that input is shuffled among
    `rows` rows; NaN if that was not tried. `intact` is the error with no input shuffled.
    """

    names: tuple[str, ...]
    attribution: Array
    unit: str
    shuffled: Array
    intact: float
    error: str
    attributed: int
    rows: int


class Explains(Protocol):
    """What a FittedModel has in addition if it can explain its predictions."""

    def importance(self, data: Any, *, rows: int, predictions: int) -> Importance:
        """Attributions over at most `rows` rows of labeled data, the same rows each time.

        Inputs are shuffled, the most important first, until `predictions` rows have been
        predicted.
        """

    def reasons(self, data: Any, rows: Array) -> list[Reasons]:
        """Why the predictions for some rows are what they are."""


def integrated_gradients(
    function: Callable[[Tensor], Tensor], x: Array, baseline: Array, points: int = 8
) -> Array:
    """(rows, ...) -> (rows, ...): what each element of `x` adds to `function`'s value, (rows,).

    The elements of a row sum to function(x) - function(baseline); `baseline` broadcasts to `x`.
    The mean gradient along the straight line between the two, times the difference (Sundararajan,
    Taly, Yan 2017, equation 1), by Gauss-Legendre quadrature with `points` points.
    """
    slope = grad(lambda point: function(point).sum())
    difference = x - baseline
    nodes, weights = np.polynomial.legendre.leggauss(points)
    total = np.zeros_like(difference)
    for node, weight in zip(nodes, weights, strict=True):
        at = (baseline + np.float32((node + 1) / 2) * difference).astype(x.dtype)
        total += np.float32(weight / 2) * np.asarray(slope(Tensor(at)))
    return difference * total
