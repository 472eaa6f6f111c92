"""What a loss expects, found by evaluating it: it may be any function of output and target."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd.autodiff.tape import no_grad
from retrograd.tensor import Tensor

__all__ = ["LossProbe"]

Array = np.ndarray[Any, Any]

# What a loss may raise for outputs or targets that it does not accept.
_REFUSALS = (ValueError, TypeError, IndexError, ArithmeticError, AttributeError)


@dataclass(frozen=True)
class LossProbe:
    """A loss and a batch of targets for it; outputs are `(rows, ...)` float arrays."""

    loss: Callable[[Tensor, Tensor], Tensor]
    target: Array

    def value(self, outputs: Array, target: Array | None = None) -> float:
        """The loss; NaN if it raises."""
        truth = self.target if target is None else target
        try:
            with no_grad(), np.errstate(all="ignore"):
                result = self.loss(Tensor(outputs.astype(np.float32)), Tensor(truth))
            return float(np.asarray(result).sum())
        except _REFUSALS:
            return math.nan

    def refuses(self, outputs: Array) -> bool:
        """Whether the loss raises for such outputs, whatever their values."""
        try:
            with no_grad(), np.errstate(all="ignore"):
                self.loss(Tensor(outputs.astype(np.float32)), Tensor(self.target))
        except _REFUSALS:
            return True
        return False

    def slope(self, outputs: Array, target: Array | None = None) -> Array | None:
        """d loss / d outputs in float64, None if the loss raises."""
        point = Tensor(outputs.astype(np.float64), requires_grad=True)
        try:
            with np.errstate(all="ignore"):
                self.loss(point, Tensor(self.target if target is None else target)).backward()
        except _REFUSALS:
            return None
        return None if point.grad is None else np.asarray(point.grad, np.float64)

    def follows(
        self,
        formula: Callable[[Array, Array], float],
        answer: Array,
        shape: tuple[int, ...],
        column: int | None = None,
    ) -> bool:
        """Whether the loss of outputs of `shape` is proportional to `formula(outputs, answer)`.

        With `column`, the formula gets only that column of the outputs.
        """
        rng = np.random.default_rng(0)
        draws = [rng.normal(0.0, size, shape) for size in (0.5, 1.0, 2.0)]
        ratios = []
        for outputs in draws:
            exact = outputs.astype(np.float32).astype(np.float64)
            expected = formula(exact if column is None else exact[:, column], answer)
            found = self.value(outputs)
            if not (math.isfinite(expected) and math.isfinite(found) and expected):
                return False
            ratios.append(found / expected)
        return ratios[0] != 0 and max(abs(r / ratios[0] - 1) for r in ratios) < 1e-3
