"""What both estimators do: from checked data to a trained network, and to its answers."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
from sklearn.callback import with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from retrograd.data import Preprocessor, split_rows
from retrograd.data.tables.arrow import row_numbers
from retrograd.diagnosis.recorder import Recorder
from retrograd.errors import RetrogradError
from retrograd.estimators.callbacks import Diverged, FitTasks, NoImprovement, Printed
from retrograd.estimators.columns import checked_table, checked_weights, schema_of
from retrograd.estimators.fitting.fit import Fit, Trained
from retrograd.estimators.fitting.network import TrainedNetwork
from retrograd.estimators.fitting.objective import WeightedObjective
from retrograd.estimators.fitting.plan import NetworkPlan
from retrograd.estimators.fitting.rows import Batching, WeightedRows, distinct
from retrograd.estimators.parameters import Parameters
from retrograd.estimators.saved import read_estimator, write_estimator
from retrograd.kinds.base.resolved import Resolved
from retrograd.kinds.table.options import TableOptions
from retrograd.kinds.table.recipe import resolved
from retrograd.training import BestWeights, Callback, History
from retrograd.training.metrics import Metric
from retrograd.training.trainer import Trainer

__all__ = ["NeuralEstimator", "WeightedTable"]

Array = np.ndarray[Any, Any]

# With fewer rows, what is held out says less than what it takes from training.
_FEWEST_TO_HOLD_OUT = 100


class WeightedTable(NamedTuple):
    """Rows, what is to be answered for each, and how much each counts."""

    table: pa.Table
    target: Array
    weight: Array

    def take(self, rows: Array) -> WeightedTable:
        return WeightedTable(
            self.table.take(row_numbers(rows)), self.target[rows], self.weight[rows]
        )


class NeuralEstimator(Parameters):
    """The network of `rg.train` for tables as a scikit-learn estimator.

    A subclass says what its targets are.
    """

    # What a subclass says -------------------------------------------------------------------------

    @abstractmethod
    def _target(self, y: Any, rows: int, *, reset: bool) -> Array:
        """y checked, as (rows,) class codes or (rows, outputs) numbers; `reset` learns the classes.

        Raises ValueError for what cannot be learned, or what training did not see.
        """

    @abstractmethod
    def _objective(self, metric: Metric | None) -> WeightedObjective:
        """What the outputs mean, once the targets are known."""

    @abstractmethod
    def _metrics(self) -> Sequence[Metric]:
        """What training may be stopped by."""

    def _measure(self, train: WeightedTable) -> None:
        """Measure the training rows' targets."""

    def _encoded(self, target: Array) -> Array:
        """The targets as the network is to answer."""
        return target

    def _weighted(self, y: Any, weight: Array) -> Array:
        """The rows' weights after those of their classes."""
        return weight

    def _calibrate(self, validation: WeightedTable | None) -> None:
        """Look at the rows that the network was not trained on, if there are any."""

    # Fitting --------------------------------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_network")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags

    def _fit(self, X: Any, y: Any, weight: Any, validation: Sequence[Any]) -> Self:
        """Train from the start; with `warm_start`, from the weights that there are."""
        with_callbacks(NeuralEstimator._train)(self, X, y, weight, validation)
        return self

    def _train(self, X: Any, y: Any, weight: Any, validation: Sequence[Any]) -> None:
        self._validate_params()
        with _value_errors():
            known = self.warm_start and self.__sklearn_is_fitted__()
            part = self._read(X, y, weight, reset=not known, least=2)
            train, held_out = self._held_out(part, validation)
            start = self._network.weights if known else {}
            if not known:
                self._learn_columns(train)
            self._state: dict[str, Array] = {}
            tasks = FitTasks(self, {"X": X, "y": y}, self._so_far)
            self._run(train, held_out, self._seed(), start=start, callbacks=[tasks])

    def _partial_fit(self, X: Any, y: Any, weight: Any) -> Self:
        """Train for one epoch more."""
        known = self.__sklearn_is_fitted__()
        if not known:
            self._validate_params()
        with _value_errors():
            train = self._read(X, y, weight, reset=not known, least=1)
            seed = self._partial_seed = getattr(self, "_partial_seed", None) or self._seed()
            start = self._network.weights if known and not self._state else {}
            if not known:
                self._learn_columns(train)
                self._state = {}
            self._state = self._run(train, None, seed, start=start, incremental=True).state
        return self

    def _read(self, X: Any, y: Any, weight: Any, *, reset: bool, least: int) -> WeightedTable:
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        table = checked_table(self, X, reset=reset, least=least)
        weight = checked_weights(weight, table.num_rows)
        target = self._target(y, table.num_rows, reset=reset)
        part = WeightedTable(table, target, self._weighted(y, weight))
        return (
            WeightedTable(*distinct(*part))
            if self.shuffle
            else part.take(np.flatnonzero(part.weight))
        )

    def _held_out(
        self, part: WeightedTable, validation: Sequence[Any]
    ) -> tuple[WeightedTable, WeightedTable | None]:
        """The rows to train on, and those to stop by: given, or a share taken out."""
        x, y, weight = validation
        if (x is None) != (y is None):
            raise ValueError("Rows to stop by take both: give X_val and y_val.")
        if x is not None:
            table = checked_table(self, x, reset=False)
            target = self._target(y, table.num_rows, reset=False)
            return part, WeightedTable(table, target, checked_weights(weight, len(target)))
        stops = self.early_stopping
        if stops == "auto":
            stops = len(part.target) >= _FEWEST_TO_HOLD_OUT
        if not stops:
            return part, None
        codes = part.target if part.target.ndim == 1 else None
        kept, out = split_rows(len(part.target), self.validation_fraction, self._seed(), codes)
        return part.take(kept), part.take(out)

    def _learn_columns(self, train: WeightedTable) -> None:
        schema = schema_of(train.table, self.categorical_features)
        self._preprocessor = Preprocessor.fit(train.table, schema, self._seed())
        self._measure(train)
        hidden = np.atleast_1d(np.asarray(self.hidden_layer_sizes, int)).tolist()
        if not hidden or min(hidden) < 1:
            raise ValueError(
                f"hidden_layer_sizes is {self.hidden_layer_sizes!r}; expected one or more widths "
                "of at least 1."
            )
        self._plan = NetworkPlan.of(
            self._preprocessor,
            self._objective(None).outputs,
            hidden,
            self.members,
            self.dropout,
            self.activation,
        )

    def _run(
        self,
        train: WeightedTable,
        validation: WeightedTable | None,
        seed: int,
        *,
        start: dict[str, Array],
        callbacks: Sequence[Callback] = (),
        incremental: bool = False,
    ) -> Trained:
        options = self._options(len(train.target), seed, incremental)
        batching = Batching(len(train.target), options.batch_size)
        recorder = Recorder() if self.record else None
        trained = Fit(
            plan=self._plan,
            objective=self._objective(self._chosen_metric()),
            train=self._rows(train, batching),
            validation=None if validation is None else self._rows(validation, batching),
            options=options,
            momentum=None if self.solver == "adam" else self.momentum,
            one_cycle=not incremental,
            device=self.device,
            callbacks=[*self._callbacks(validation is not None, recorder), *callbacks],
            records=recorder is not None,
            start=start,
            state=self._state,
        ).run()
        self._network = TrainedNetwork(self._plan, trained.weights)
        self._tell(trained.history)
        self.__dict__.pop("findings_", None)
        if recorder is not None:
            self.findings_ = recorder.record.findings()
        self._calibrate(validation)
        return trained

    def _options(self, rows: int, seed: int, incremental: bool) -> Resolved[TableOptions]:
        return resolved(
            TableOptions(
                target="",
                seed=seed,
                epochs=1 if incremental else self.max_iter,
                patience=self.n_iter_no_change,
                batch_size=None if isinstance(self.batch_size, str) else self.batch_size,
                learning_rate=self.learning_rate_init,
                weight_decay=self.alpha,
                dropout=self.dropout,
            ),
            rows,
        )

    def _rows(self, part: WeightedTable, batching: Batching) -> WeightedRows:
        inputs = self._plan.inputs(self._preprocessor.transform(part.table))
        names = self._preprocessor.number_names
        target = self._encoded(part.target)
        return WeightedRows(inputs, target, part.weight, names, batching, self.shuffle)

    def _callbacks(self, validated: bool, recorder: Recorder | None) -> list[Callback]:
        stops = validated and self.early_stopping is not False
        return [
            *([] if recorder is None else [recorder]),
            *([BestWeights()] if stops else []),
            NoImprovement(self.tol, self.n_iter_no_change, stops),
            *([Printed()] if self.verbose else []),
            *(self.callbacks or ()),
            Diverged(),
        ]

    def _chosen_metric(self) -> Metric | None:
        if self.metric is None:
            return None
        known = {each.key: each for each in self._metrics()}
        if self.metric not in known:
            raise ValueError(
                f"metric is {self.metric!r}; {type(self).__name__} can stop these targets by "
                f"{', '.join(known) or 'no metric but the loss'}."
            )
        return known[self.metric]

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))

    def _tell(self, history: History) -> None:
        """Set the attributes that tell of the training."""
        self.history_ = history
        self.loss_curve_ = [each.train_loss for each in history.epochs]
        self.loss_ = self.loss_curve_[-1]
        self.best_loss_ = min(self.loss_curve_)
        self.n_iter_ = len(history.epochs)
        self.n_layers_ = len(self._plan.hidden) + 2

    def _so_far(self, trainer: Trainer) -> dict[str, Any]:
        """The attributes of an estimator that predicts with the weights that a fit has reached."""
        network = TrainedNetwork(self._plan, trainer.validated_weights())
        return {**self._fitted(), "_network": network}

    # Keeping --------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator to one file, from which nothing can run code.

        Parameters that are no plain values (callbacks, a random state) are not kept.
        """
        check_is_fitted(self)
        write_estimator(path, type(self).__name__, self.get_params(deep=False), self._fitted())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """The estimator that `save` wrote; DataError for any other file."""
        params, fitted = read_estimator(path, cls.__name__)
        estimator = cls(**params)
        estimator.__dict__.update(fitted)
        return estimator

    def _fitted(self) -> dict[str, Any]:
        """The attributes that a fit has set."""
        others = {*self.get_params(deep=False), "_metadata_request", "_skl_callbacks"}
        others |= {name for name in vars(self) if "callback" in name}
        return {name: value for name, value in vars(self).items() if name not in others}

    # Predicting -----------------------------------------------------------------------------------

    def _answers(self, X: Any) -> Array:
        """The members' common answer for each row of X, as the objective says."""
        check_is_fitted(self)
        with _value_errors():
            return self._answered(checked_table(self, X, reset=False))

    def _answered(self, table: pa.Table) -> Array:
        inputs = self._plan.inputs(self._preprocessor.transform(table))
        return self._objective(None).answer(self._network.outputs(inputs))


@contextmanager
def _value_errors() -> Iterator[None]:
    """Retrograd's own errors as ValueErrors, which scikit-learn's tools expect."""
    try:
        yield
    except RetrogradError as error:
        raise ValueError(str(error)) from error
