"""From a table to a network that is ready to be trained."""

from __future__ import annotations

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
from retrograd.kinds.table.recipe import WARM_UP, averaged_trainer, decay_groups, resolved
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
        settled = resolved(options, len(train))
        shares = class_shares(split.train.schema, train.target)
        model = TableModel.build(preprocessor, options, shares)
        return Prepared(
            model,
            _trainer(model, settled, len(train)),
            settled,
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
    with data.places.named():
        arrays, target = preprocessor.transform(data.frame), preprocessor.target(data.frame)
    return Rows((arrays.numbers, arrays.categories), target, preprocessor.feature_names)


def _trainer(model: TableModel, settled: Resolved[TableOptions], rows: int) -> Trainer:
    network, options = model.network, settled.asked
    optimizer = optim.AdamW(decay_groups(network, options.weight_decay), lr=options.learning_rate)
    steps = settled.epochs * (rows // settled.batch_size)
    schedule = optim.lr_scheduler.OneCycleLR(
        optimizer, options.learning_rate, max(steps, 1), pct_start=WARM_UP
    )
    return averaged_trainer(network, objective_of(model.schema), optimizer, schedule, options)


TABLE = TableKind()
