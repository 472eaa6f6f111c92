"""`NeuralClassifier`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import scipy.sparse
from sklearn.base import ClassifierMixin
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target

from retrograd.estimators.base import NeuralEstimator
from retrograd.estimators.fitting.objective import Labels, SingleClass, WeightedObjective
from retrograd.training.metrics import CLASSIFICATION, Metric
from retrograd.wording import listed

__all__ = ["NeuralClassifier"]

Array = np.ndarray[Any, Any]


class NeuralClassifier(ClassifierMixin, NeuralEstimator):  # type: ignore[misc]  # an untyped base
    """A network that predicts classes, (rows,), or any number of labels, (rows, labels).

    Its parameters have the names and meanings of `MLPClassifier`'s where that has the thing;
    docs/estimators.md lists them. `class_weight` is a weight for each class, or "balanced". After
    a fit: `classes_`, `history_`, `loss_curve_`, `loss_`, `best_loss_`, `n_iter_`,
    `n_features_in_`, `feature_names_in_`, `n_outputs_`, and `findings_` with `record=True`.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NeuralEstimator._parameter_constraints,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes: Sequence[int] = (128, 128),
        activation: str = "silu",
        *,
        solver: str = "adam",
        alpha: float = 0.01,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.004,
        max_iter: int | None = None,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.15,
        n_iter_no_change: int = 15,
        dropout: float = 0.0,
        members: int = 8,
        metric: str | None = None,
        categorical_features: Any = "from_dtype",
        callbacks: Any = None,
        device: str | None = None,
        record: bool = False,
        class_weight: Any = None,
    ) -> None:
        super().__init__(
            hidden_layer_sizes,
            activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate_init=learning_rate_init,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            dropout=dropout,
            members=members,
            metric=metric,
            categorical_features=categorical_features,
            callbacks=callbacks,
            device=device,
            record=record,
        )
        self.class_weight = class_weight

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train on X (rows, features) and y: classes (rows,), or labels 0 and 1 (rows, labels).

        A row of `sample_weight` 2 counts like the same row twice. `X_val`, `y_val` and their
        weights are rows to stop by; without them, `early_stopping` says whether a share is taken
        out of X. Raises ValueError for data that cannot be learned from.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Self:
        """Train for one epoch more, at a constant learning rate.

        The first call measures the columns, so give it rows that are typical; it needs all
        `classes`, unless y has them. Raises ValueError for a class that is not among them, and for
        balanced class weights, which take all rows to be known.
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' cannot be known from a part of the rows: give the weights "
                "as {class: weight}, or use fit."
            )
        if classes is not None and not self.__sklearn_is_fitted__():
            self._given_classes = np.unique(classes)
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> Array:
        """(rows,) classes, or (rows, labels) 0 and 1."""
        answers = self._answers(X)
        if self._is_multilabel:
            return (answers > 0.5).astype(int)
        found: Array = self.classes_[answers.argmax(1)]
        return found

    def predict_proba(self, X: Any) -> Array:
        """(rows, classes) probabilities that sum to 1, or (rows, labels), each from 0 to 1."""
        return self._answers(X)

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of `predict_proba`."""
        return _log(self._answers(X))

    def decision_function(self, X: Any) -> Array:
        """Scores that rank as probabilities do: log-odds (rows,) of the second of two classes.

        For more classes the logarithms of their probabilities, (rows, classes); for labels their
        log-odds, (rows, labels). Log-odds above 0 are a yes.
        """
        p = self._answers(X)
        if self._is_multilabel:
            return _log(p) - _log(1 - p)
        logs = _log(p)
        return logs[:, 1] - logs[:, 0] if p.shape[1] == 2 else logs

    # What the targets are -------------------------------------------------------------------------

    @property
    def out_activation_(self) -> str:
        return "logistic" if self._is_multilabel else "softmax"

    def _target(self, y: Any, rows: int, *, reset: bool) -> Array:
        y = _checked_labels(y)
        check_consistent_length(y, np.empty(rows))
        if reset:
            self._learn_classes(y)
        if self._is_multilabel:
            if y.ndim != 2 or y.shape[1] != len(self.classes_):
                raise ValueError(
                    f"y has shape {y.shape}; expected (rows, {len(self.classes_)}) labels."
                )
            return y.astype(np.float32)
        y = column_or_1d(y)
        codes = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        if unknown := np.unique(y[self.classes_[codes] != y]).tolist():
            raise ValueError(
                f"y holds classes that are not among those learned, {self.classes_.tolist()}: "
                f"{listed(map(str, unknown), most=10)}."
            )
        return codes

    def _learn_classes(self, y: Array) -> None:
        given = self.__dict__.pop("_given_classes", None)
        self._is_multilabel = y.ndim == 2
        if self._is_multilabel:
            self.classes_ = np.arange(y.shape[1])
            self.n_outputs_ = y.shape[1]
            return
        self.classes_ = np.unique(y) if given is None else given
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs rows of at least 2 classes; y holds only one class: "
                f"{self.classes_.tolist()[0]!r}."
            )
        self.n_outputs_ = len(self.classes_)

    def _weighted(self, y: Any, weight: Array) -> Array:
        if self.class_weight is None:
            return weight
        weighted: Array = weight * compute_sample_weight(self.class_weight, _checked_labels(y))
        return weighted

    def _objective(self, metric: Metric | None) -> WeightedObjective:
        kind = Labels if self._is_multilabel else SingleClass
        return kind(self.n_outputs_, metric)

    def _metrics(self) -> Sequence[Metric]:
        return () if self._is_multilabel else CLASSIFICATION


def _checked_labels(y: Any) -> Array:
    """(rows,) classes or (rows, labels) 0 and 1; ValueError for other targets."""
    y = y.toarray() if scipy.sparse.issparse(y) else y
    array: Array = check_array(y, ensure_2d=False, dtype=None, input_name="y")
    if array.ndim == 2 and array.shape[1] == 1:
        array = column_or_1d(array, warn=True)
    check_classification_targets(array)
    if (kind := type_of_target(array)) == "multiclass-multioutput":
        raise ValueError(
            f"y is {kind}; expected one class for each row, or columns of labels 0 and 1."
        )
    return array


def _log(p: Array) -> Array:
    return np.log(np.maximum(p, np.finfo(p.dtype).tiny))
