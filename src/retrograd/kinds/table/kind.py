"""From a table to a network that is ready to be trained."""

from __future__ import annotations

import math
from typing import Any

from retrograd import optim
from retrograd.data import Preprocessor
from retrograd.data.tables.memory import PAIR_TARGET, is_pair
from retrograd.kinds.base.kind import DataSpec, Kind, Parts, Prepared, Split, introduction, path_of
from retrograd.kinds.base.resolved import Resolved
from retrograd.kinds.base.split import split_examples
from retrograd.kinds.table.architectures import ARCHITECTURES
from retrograd.kinds.table.data import TableData, read_tables
from retrograd.kinds.table.frame import class_shares, objective_of
from retrograd.kinds.table.model import TableModel
from retrograd.kinds.table.options import TableOptions
from retrograd.training.sources import Rows
from retrograd.training.trainer import Trainer

__all__ = ["TABLE"]


class TableKind(Kind[TableData, TableOptions]):
    """Numbers, categories, dates and flags; a table with columns of free text becomes a "text"."""

    name = "table"
    options = TableOptions
    model = TableModel
    architectures = ARCHITECTURES

    def holds(self, data: Any) -> bool:
        path = path_of(data)
        return path is None or not path.is_dir()

    def assumed(self, data: Any) -> dict[str, Any]:
        return {"target": PAIR_TARGET} if is_pair(data) else {}

    def read(self, spec: DataSpec, options: TableOptions) -> Parts[TableData]:
        return read_tables(spec, options)

    def split(self, parts: Parts[TableData], options: TableOptions) -> Split[TableData]:
        return split_examples(parts, options.validation_share(), options.seed)

    def make(self, split: Split[TableData], options: TableOptions) -> Prepared[TableData]:
        preprocessor = Preprocessor.fit(split.train.frame, split.train.schema, options.seed)
        train, validation = _rows(preprocessor, split.train), _rows(preprocessor, split.validation)
        resolved = _resolved(options, len(train))
        shares = class_shares(split.train.schema, train.target)
        model = TableModel.build(preprocessor, options, shares)
        return Prepared(
            model,
            _trainer(model, resolved, len(train)),
            resolved,
            train,
            validation,
            split,
            [*split.notes, *(note for note in preprocessor.notes if note not in split.notes)],
            introduction(
                type(model.network).__name__,
                model.network,
                f"{options.members} members",
                f"{options.depth} layers of {options.width}",
            ),
        )


def _rows(preprocessor: Preprocessor, data: TableData) -> Rows:
    arrays = preprocessor.transform(data.frame)
    inputs = (arrays.numbers, arrays.categories)
    return Rows(inputs, preprocessor.target(data.frame), preprocessor.number_names)


def _resolved(options: TableOptions, rows: int) -> Resolved[TableOptions]:
    """The options left open, chosen by the number of training rows."""
    batch_size = options.batch_size
    if batch_size is None:
        # About 40 steps per epoch, with batches of 32 to 256 rows.
        batch_size = min(256, max(32, 2 ** round(math.log2(max(rows, 40) / 40))))
    batch_size = min(batch_size, rows)
    epochs = options.epochs
    if epochs is None:
        epochs = min(50, max(12, 1200 // (rows // batch_size)))
    return Resolved(
        asked=options,
        model=TableModel.kind
        if options.model == "auto"
        else ARCHITECTURES.find(options.model).name,
        batch_size=batch_size,
        epochs=epochs,
        patience=options.patience or 15,
    )


def _trainer(model: TableModel, resolved: Resolved[TableOptions], rows: int) -> Trainer:
    network, options = model.network, resolved.asked
    matrices = [layer.weight for layer in network.layers]
    others = [p for p in network.parameters() if all(p is not each for each in matrices)]
    optimizer = optim.AdamW(
        [
            {"params": matrices, "weight_decay": options.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=options.learning_rate,
    )
    steps = resolved.epochs * (rows // resolved.batch_size)
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer, options.learning_rate, max(steps, 1), pct_start=0.05
    )
    return Trainer(
        network,
        objective_of(model.schema),
        optimizer,
        scheduler=schedule,
        average=optim.ExponentialMovingAverage(
            network.parameters(), options.average, bias_correction=True
        ),
        clip_norm=options.clip_norm,
    )


TABLE = TableKind()
