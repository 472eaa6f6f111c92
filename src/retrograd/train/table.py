"""A table to a trained network: the recipe, from the columns' kinds to the scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd import optim
from retrograd.data import (
    Preprocessor,
    Schema,
    SchemaRow,
    infer_schema,
    labelled_rows,
    read_table,
    split_rows,
    take_rows,
    target_values,
)
from retrograd.data.table import as_table
from retrograd.data.words import count
from retrograd.errors import DataError, about
from retrograd.models import TableNet
from retrograd.random import manual_seed
from retrograd.train.config import TrainConfig
from retrograd.train.fitted import Run
from retrograd.train.loop import Trainer
from retrograd.train.objective import Classification, Regression
from retrograd.train.predictor import Predictor
from retrograd.train.scores import Scores, score_classes, score_numbers
from retrograd.train.sources import Rows

__all__ = ["TableConfig", "TableModel", "prepare_table"]

Array = np.ndarray[Any, Any]

_SHOWN_COLUMNS = 8


@dataclass(frozen=True, kw_only=True)
class TableConfig(TrainConfig):
    """The options for a table: those of every run, and those of its network.

    `bins` is the most pieces of a number's piecewise-linear curve, `members` the size of the
    ensemble that shares its weights.
    """

    target: str
    kinds: dict[str, str] = field(default_factory=dict)
    bins: int = 128
    width: int = 128
    depth: int = 2
    members: int = 8

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        **TrainConfig.ranges,
        "bins": (1, 128),
        "width": (1, 100_000),
        "depth": (1, 1000),
        "members": (1, 1000),
    }


@dataclass
class TableModel:
    """A network for tables with all that it takes to use it: frames in, answers out."""

    kind: ClassVar[str] = "table"
    preprocessor: Preprocessor
    network: TableNet
    class_shares: Array  # (classes,) in training; empty for regression
    predictor: Predictor = field(init=False)

    def __post_init__(self) -> None:
        self.predictor = Predictor(self.network)

    @classmethod
    def build(cls, preprocessor: Preprocessor, config: TableConfig, shares: Array) -> Self:
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

    @property
    def task(self) -> str:
        return self.schema.task

    @property
    def target_name(self) -> str:
        return self.schema.target.name

    @property
    def classes(self) -> tuple[str, ...]:
        return self.schema.target.classes

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.schema.notes, *self.preprocessor.notes)

    def read(self, path: Path, notes: list[str], labelled: bool) -> nw.DataFrame[Any]:
        with about(path):
            frame = read_table(path, notes)
            if not labelled:
                return frame
            frame, dropped = labelled_rows(frame, self.schema)
            if not len(frame):
                raise DataError(f"No row has a value of the target {self.target_name!r}.")
        if dropped:
            notes.append(f"{count(dropped, 'row')} without a value of the target are left out.")
        return frame

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

    def truth(self, frame: Any) -> Array:
        """(rows,) numbers in the target's units, or class codes."""
        truth = self.preprocessor.target(frame)
        return self.preprocessor.unscale_target(truth) if self.task == "regression" else truth

    def score(self, frame: Any) -> Scores:
        """The figures of merit on rows that have a value of the target."""
        answers, truth = self.answers(frame), self.truth(frame)
        if self.task == "regression":
            return score_numbers(answers, truth, self.preprocessor.target_mean)
        return score_classes(answers, truth, self.class_shares)

    def predictions(self, frame: Any, notes: list[str]) -> nw.DataFrame[Any]:
        """The frame with its predictions beside it, in columns that replace any so named."""
        return with_predictions(frame, self.answers(frame, notes), self.classes, notes)

    def columns(self) -> list[SchemaRow]:
        return self.schema.describe()

    def shown(self, frame: Any, rows: Array) -> dict[str, list[str]]:
        names = [column.name for column in self.schema.features[:_SHOWN_COLUMNS]]
        table = as_table(take_rows(frame, rows))
        return {
            name: ["" if value is None else str(value) for value in table[name].to_pylist()]
            for name in names
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "preprocessor": self.preprocessor.to_json(),
            "class_shares": self.class_shares.tolist(),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], config: TableConfig) -> Self:
        preprocessor = Preprocessor.from_json(saved["preprocessor"])
        return cls.build(preprocessor, config, np.asarray(saved["class_shares"], float))


def with_predictions(
    frame: Any, answers: Array, classes: tuple[str, ...], notes: list[str]
) -> nw.DataFrame[Any]:
    """A frame with `probability_CLASS` for each class and `prediction` as its last columns."""
    added: dict[str, Any] = {}
    if classes:
        added = {f"probability_{name}": answers[:, i] for i, name in enumerate(classes)}
        added["prediction"] = [classes[code] for code in answers.argmax(1)]
    else:
        added["prediction"] = answers
    table: pa.Table = frame.to_native()
    taken = [name for name in added if name in table.column_names]
    if taken:
        notes.append(f"The table's own column {taken[0]!r} is replaced by the prediction.")
        table = table.drop_columns(taken)
    for name, values in added.items():
        table = table.append_column(name, pa.array(values))
    return nw.from_native(table, eager_only=True)


def objective_of(schema: Schema) -> Regression | Classification:
    """What the outputs of a network for this table mean."""
    if schema.task == "regression":
        return Regression()
    return Classification(len(schema.target.classes))


def prepare_table(
    frame: Any, config: TableConfig, valid_frame: Any | None = None, schema: Schema | None = None
) -> Run:
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
    return Run(
        model,
        _trainer(model, config, len(train)),
        config,
        train,
        valid,
        valid_frame,
        notes + [note for note in preprocessor.notes if note not in notes],
        _introduction(model, config),
    )


def _introduction(model: TableModel, config: TableConfig) -> str:
    size = sum(parameter.numel() for parameter in model.network.parameters())
    return (
        f"TableNet ({config.members} members, {config.depth} layers of {config.width}, "
        f"{size:,} weights)"
    )


def _rows(preprocessor: Preprocessor, frame: Any) -> Rows:
    arrays = preprocessor.transform(frame)
    return Rows((arrays.numbers, arrays.categories), preprocessor.target(frame))


def _resolved(config: TableConfig, rows: int) -> TableConfig:
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


def _trainer(model: TableModel, config: TableConfig, rows: int) -> Trainer:
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
