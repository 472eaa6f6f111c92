"""`NeuralRegressor`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.validation import check_is_fitted

from retrograd.estimators.base import NeuralEstimator, WeightedTable
from retrograd.estimators.fitting.objective import Numbers, WeightedObjective
from retrograd.training.metrics import REGRESSION, Metric

__all__ = ["NeuralRegressor"]

Array = np.ndarray[Any, Any]


class NeuralRegressor(RegressorMixin, NeuralEstimator):  # type: ignore[misc]  # an untyped base
    """A network that predicts numbers, (rows,) or (rows, outputs).

    Its parameters have the names and meanings of `MLPRegressor`'s where that has the thing;
    docs/estimators.md lists them. After a fit: `history_`, `loss_curve_`, `loss_`, `best_loss_`,
    `n_iter_`, `n_features_in_`, `feature_names_in_`, `n_outputs_`, and `findings_` with
    `record=True`.
    """

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train on X (rows, features) and y (rows,) or (rows, outputs).

        A row of `sample_weight` 2 counts like the same row twice. `X_val`, `y_val` and their
        weights are rows to stop by; without them, `early_stopping` says whether a share is taken
        out of X. Raises ValueError for data that cannot be learned from.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch more, at a constant learning rate.

        The first call measures the columns: give it rows that are typical.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> Array:
        """(rows,) or (rows, outputs) float64."""
        return self._unscaled(self._answers(X))

    def predict_interval(self, X: Any, confidence_level: float = 0.9) -> Array:
        """(rows, [outputs,] 2): bounds that hold the truth with the given probability.

        Split conformal prediction (Vovk et al. 2005; Lei et al. 2018, algorithm 2): the prediction,
        plus and minus a quantile of its absolute errors on the validation rows. It holds for rows
        like those, on average over rows. Raises ValueError if the fit had no validation rows, or
        too few for this level.
        """
        check_is_fitted(self)
        if not 0 < confidence_level < 1:
            raise ValueError(f"confidence_level is {confidence_level}; expected between 0 and 1.")
        prediction = self.predict(X)
        half = self._half_width(confidence_level)
        half = half if prediction.ndim == 2 else half[0]
        return np.stack([prediction - half, prediction + half], axis=-1)

    # What the targets are -------------------------------------------------------------------------

    out_activation_ = "identity"

    def _target(self, y: Any, rows: int, *, reset: bool) -> Array:
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if y.ndim > 2:
            raise ValueError(f"y has shape {y.shape}; expected (rows,) or (rows, outputs).")
        check_consistent_length(y, np.empty(rows))
        columns: Array = y.reshape(rows, -1)
        if reset:
            self._is_flat = y.ndim == 1
            self.n_outputs_ = columns.shape[1]
        if columns.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {columns.shape[1]} outputs, but {type(self).__name__} was fitted with "
                f"{self.n_outputs_}."
            )
        return columns

    def _measure(self, train: WeightedTable) -> None:
        self._mean = np.average(train.target, axis=0, weights=train.weight)
        variance = np.average((train.target - self._mean) ** 2, axis=0, weights=train.weight)
        self._scale = np.where(variance > 0, np.sqrt(variance), 1.0)

    def _encoded(self, target: Array) -> Array:
        return ((target - self._mean) / self._scale).astype(np.float32)

    def _unscaled(self, answers: Array) -> Array:
        numbers: Array = answers * self._scale + self._mean
        return numbers[:, 0] if self._is_flat else numbers

    def _objective(self, metric: Metric | None) -> WeightedObjective:
        return Numbers(self.n_outputs_, metric)

    def _metrics(self) -> Sequence[Metric]:
        return REGRESSION

    def _calibrate(self, validation: WeightedTable | None) -> None:
        """Keep each output's absolute errors on the validation rows, sorted, and their weights."""
        if validation is None:
            self._errors = self._error_weights = np.empty((0, self.n_outputs_))
            return
        answers = self._answered(validation.table) * self._scale + self._mean
        errors = np.abs(validation.target - answers)
        order = errors.argsort(axis=0)
        self._errors = np.take_along_axis(errors, order, 0)
        self._error_weights = validation.weight[order]

    def _half_width(self, level: float) -> Array:
        """(outputs,): the smallest error that, with those below it, weighs `level` of all and one.

        Of n errors of weight 1, the ⌈(n + 1) level⌉-th smallest.
        """
        reached = self._error_weights.cumsum(axis=0)
        weight = reached[-1, 0] if len(reached) else 0.0
        # What rounding has put above the last error is not above it.
        needed = (weight + 1) * level - 1e-9
        if needed > weight:
            raise ValueError(
                f"The fit had {len(reached)} validation rows, of weight {weight:g}, and an "
                f"interval of level {level:g} takes at least "
                f"{math.ceil(level / (1 - level) - 1e-9)}: fit with early_stopping=True, or with "
                "X_val and y_val."
            )
        places = (reached < needed).sum(axis=0)
        width: Array = np.take_along_axis(self._errors, places[None], 0)[0]
        return width
