"""A table to a trained network: the recipe, from the columns' kinds to the scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np

from retrograd import optim
from retrograd.data import (
    Preprocessor,
    Schema,
    infer_schema,
    labelled_rows,
    split_rows,
    take_rows,
    target_values,
)
from retrograd.models import TableNet
from retrograd.random import manual_seed
from retrograd.train.callbacks import Callback
from retrograd.train.config import TrainConfig
from retrograd.train.history import History
from retrograd.train.loop import Rows, Trainer
from retrograd.train.objective import Classification, Regression
from retrograd.train.predictor import Predictor
from retrograd.train.scores import Scores, score_classes, score_numbers

__all__ = ["TableModel", "TableRun", "prepare_table"]

Array = np.ndarray[Any, Any]


@dataclass
class TableModel:
    """A network for tables with all that it takes to use it: frames in, answers out."""

    preprocessor: Preprocessor
    network: TableNet
    class_shares: Array  # (classes,) in training; empty for regression
    predictor: Predictor = field(init=False)

    def __post_init__(self) -> None:
        self.predictor = Predictor(self.network)

    @classmethod
    def build(cls, preprocessor: Preprocessor, config: TrainConfig, shares: Array) -> TableModel:
        """An untrained network for the columns that `preprocessor` makes."""
        objective = objective_of(preprocessor.schema)
        network = TableNet(
            preprocessor.number_bins(config.bins),
            preprocessor.cardinalities,
            objective.outputs,
            width=config.width,
            depth=config.depth,
            members=config.members,
            dropout=config.dropout,
        )
        return cls(preprocessor, network, shares)

    @property
    def schema(self) -> Schema:
        return self.preprocessor.schema

    def answers(self, frame: Any, notes: list[str] | None = None) -> Array:
        """(rows,) numbers in the target's units, or (rows, classes) probabilities.

        What a person should know about the rows is added to `notes`.
        """
        arrays = self.preprocessor.transform(frame)
        if notes is not None:
            notes += arrays.notes
        output = self.predictor((arrays.numbers, arrays.categories))
        answer = objective_of(self.schema).answer(output)
        if self.schema.task == "regression":
            return self.preprocessor.unscale_target(answer)
        return answer

    def score(self, frame: Any) -> Scores:
        """The figures of merit on rows that have a value of the target."""
        answers, truth = self.answers(frame), self.preprocessor.target(frame)
        if self.schema.task == "regression":
            truth = self.preprocessor.unscale_target(truth)
            return score_numbers(answers, truth, self.preprocessor.target_mean)
        return score_classes(answers, truth, self.class_shares)


def objective_of(schema: Schema) -> Regression | Classification:
    """What the outputs of a network for this table mean."""
    if schema.task == "regression":
        return Regression()
    return Classification(len(schema.target.classes))


@dataclass
class TableRun:
    """A run made ready: the model, its trainer, the rows to train on and the rows held out."""

    model: TableModel
    trainer: Trainer
    config: TrainConfig  # with everything resolved
    train: Rows
    valid: Rows
    valid_frame: nw.DataFrame[Any]
    notes: list[str]

    def fit(self, callbacks: Sequence[Callback] = ()) -> History:
        """Train as the configuration says; see `Trainer.fit`."""
        config = self.config
        assert config.epochs is not None
        assert config.patience is not None
        assert config.batch_size is not None
        return self.trainer.fit(
            self.train,
            self.valid,
            epochs=config.epochs,
            batch_size=config.batch_size,
            patience=config.patience,
            seed=config.seed,
            time_limit=math.inf if config.time_limit is None else config.time_limit,
            callbacks=callbacks,
        )


def prepare_table(
    frame: Any, config: TrainConfig, valid_frame: Any | None = None, schema: Schema | None = None
) -> TableRun:
    """Judge the columns, hold out rows (or take `valid_frame`), and build what is to be trained.

    Raises DataError and UsageError as the data room does; nothing has been trained or written.
    """
    schema = schema or infer_schema(frame, config.target, config.kinds, config.task)
    frame, _ = labelled_rows(frame, schema)
    notes = list(schema.notes)
    if valid_frame is None:
        classes = target_values(frame, schema) if schema.task == "classification" else None
        kept, held = split_rows(len(frame), config.valid, config.seed, classes, notes)
        frame, valid_frame = take_rows(frame, kept), take_rows(frame, held)
    else:
        valid_frame, _ = labelled_rows(valid_frame, schema)
    manual_seed(config.seed)
    preprocessor = Preprocessor.fit(frame, schema, config.seed)
    train, valid = _rows(preprocessor, frame), _rows(preprocessor, valid_frame)
    config = _resolved(config, len(train))
    shares = np.zeros(0)
    if schema.task == "classification":
        shares = np.bincount(train.target, minlength=len(schema.target.classes)) / len(train)
    model = TableModel.build(preprocessor, config, shares)
    return TableRun(
        model,
        _trainer(model, config, len(train)),
        config,
        train,
        valid,
        valid_frame,
        notes + [note for note in preprocessor.notes if note not in notes],
    )


def _rows(preprocessor: Preprocessor, frame: Any) -> Rows:
    arrays = preprocessor.transform(frame)
    return Rows((arrays.numbers, arrays.categories), preprocessor.target(frame))


def _resolved(config: TrainConfig, rows: int) -> TrainConfig:
    """`config` with what it leaves open decided by the number of training rows."""
    batch_size = config.batch_size
    if batch_size is None:
        # About 40 steps an epoch, but batches of 32 to 256 rows.
        batch_size = min(256, max(32, 2 ** round(math.log2(max(rows, 40) / 40))))
    batch_size = min(batch_size, rows)
    epochs = config.epochs
    if epochs is None:
        epochs = min(50, max(12, 1200 // (rows // batch_size)))
    return config.replaced(
        batch_size=batch_size,
        epochs=epochs,
        patience=config.patience or 15,
    )


def _trainer(model: TableModel, config: TrainConfig, rows: int) -> Trainer:
    assert config.epochs is not None
    assert config.batch_size is not None
    network = model.network
    matrices = [layer.weight for layer in network.layers]
    others = [p for p in network.parameters() if all(p is not each for each in matrices)]
    optimizer = optim.AdamW(
        [
            {"params": matrices, "weight_decay": config.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
    )
    steps = config.epochs * (rows // config.batch_size)
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, max(steps, 1), pct_start=0.05
    )
    return Trainer(
        network,
        objective_of(model.schema),
        optimizer,
        scheduler=schedule,
        average=optim.ExponentialMovingAverage(
            network.parameters(), config.average, bias_correction=True
        ),
        clip_norm=config.clip_norm,
    )
