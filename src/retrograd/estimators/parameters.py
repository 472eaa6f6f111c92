"""The parameters of both estimators, and the values that each may have."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from sklearn.callback import CallbackSupportMixin
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from retrograd.estimators.fitting.plan import ACTIVATIONS
from retrograd.training import Callback
from retrograd.training.metrics import METRICS

__all__ = ["Parameters"]


class Parameters(CallbackSupportMixin, BaseEstimator):  # type: ignore[misc]  # untyped bases
    """What a person may set; docs/estimators.md says what each parameter does."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({*ACTIVATIONS})],
        "solver": [StrOptions({"adam", "sgd"})],
        "alpha": [Interval(Real, 0, 10, closed="both")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate_init": [Interval(Real, 1e-10, 100, closed="both")],
        "max_iter": [None, Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "early_stopping": [StrOptions({"auto"}), "boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 0.99, closed="both")],
        "members": [Interval(Integral, 1, 1000, closed="both")],
        "metric": [None, StrOptions({*METRICS})],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like"],
        "callbacks": [None, HasMethods("__iter__")],
        "device": [None, str],
        "record": ["boolean"],
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
        callbacks: Sequence[Callback] | None = None,
        device: str | None = None,
        record: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.dropout = dropout
        self.members = members
        self.metric = metric
        self.categorical_features = categorical_features
        self.callbacks = callbacks
        self.device = device
        self.record = record
