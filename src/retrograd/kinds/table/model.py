"""A table to a trained network: the recipe, from the columns' kinds to the scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from retrograd import optim
from retrograd.data import Preprocessor, Schema, infer_schema
from retrograd.kinds.base.architectures import find_architecture
from retrograd.kinds.base.fitted import Run
from retrograd.kinds.base.frame import (
    FrameModel,
    TableOptions,
    class_shares,
    objective_of,
    table_net,
    train_and_valid,
)
from retrograd.kinds.base.importance import Importance, Reasons
from retrograd.kinds.table.importance import column_importance, column_reasons
from retrograd.kinds.text.model import prepare_text
from retrograd.models import TableNet
from retrograd.random import manual_seed
from retrograd.training.predictor import Predictor
from retrograd.training.sources import Rows
from retrograd.training.trainer import Trainer

__all__ = ["TableModel", "TableOptions", "prepare_table"]

Array = np.ndarray[Any, Any]


@dataclass
class TableModel(FrameModel):
    """A network for tables with all that it takes to use it: frames in, answers out."""

    kind: ClassVar[str] = "table"
    network: TableNet
    predictor: Predictor = field(init=False)

    def __post_init__(self) -> None:
        self.predictor = Predictor(self.network)

    @classmethod
    def build(cls, preprocessor: Preprocessor, config: TableOptions, shares: Array) -> Self:
        """An untrained network for the columns that `preprocessor` makes."""
        objective = objective_of(preprocessor.schema)
        return cls(preprocessor, shares, table_net(preprocessor, config, objective.outputs))

    def answers(self, frame: Any, notes: list[str] | None = None) -> Array:
        arrays = self.preprocessor.transform(frame)
        if notes is not None:
            notes += arrays.notes
        return self.answers_to((arrays.numbers, arrays.categories))

    def answers_to(self, inputs: tuple[Array, Array]) -> Array:
        """What `answers` gives for the network's inputs, numbers and categories."""
        return self.answered(self.predictor(inputs))

    def importance(self, frame: Any, *, rows: int, predictions: int) -> Importance:
        return column_importance(self, frame, rows, predictions)

    def reasons(self, frame: Any, rows: Array) -> list[Reasons]:
        return column_reasons(self, frame, rows)

    def to_json(self) -> dict[str, Any]:
        return {
            "preprocessor": self.preprocessor.to_json(),
            "class_shares": self.class_shares.tolist(),
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], config: TableOptions) -> Self:
        preprocessor = Preprocessor.from_json(saved["preprocessor"])
        return cls.build(preprocessor, config, np.asarray(saved["class_shares"], float))


def prepare_table(
    frame: Any, config: TableOptions, valid_frame: Any | None = None, schema: Schema | None = None
) -> Run:
    """Judge the columns, hold out rows (or take `valid_frame`), and build what is to be trained.

    A table with columns of free text becomes a run of the kind "text". Raises DataError and
    UsageError as the data room does; nothing has been trained or written.
    """
    schema = schema or infer_schema(frame, config.target, config.kinds, config.task)
    if schema.texts:
        return prepare_text(frame, config, valid_frame, schema)
    if config.model != "auto":
        find_architecture(TableModel.kind, config.model)
    frame, valid_frame, notes = train_and_valid(frame, config, valid_frame, schema)
    manual_seed(config.seed)
    preprocessor = Preprocessor.fit(frame, schema, config.seed)
    train, valid = _rows(preprocessor, frame), _rows(preprocessor, valid_frame)
    config = _resolved(config, len(train))
    model = TableModel.build(preprocessor, config, class_shares(schema, train.target))
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


def _introduction(model: TableModel, config: TableOptions) -> str:
    size = sum(parameter.numel() for parameter in model.network.parameters())
    return (
        f"TableNet ({config.members} members, {config.depth} layers of {config.width}, "
        f"{size:,} weights)"
    )


def _rows(preprocessor: Preprocessor, frame: Any) -> Rows:
    arrays = preprocessor.transform(frame)
    inputs = (arrays.numbers, arrays.categories)
    return Rows(inputs, preprocessor.target(frame), preprocessor.number_names)


def _resolved(config: TableOptions, rows: int) -> TableOptions:
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


def _trainer(model: TableModel, config: TableOptions, rows: int) -> Trainer:
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
