"""What models for tables have in common: tables in, predictions out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw
import numpy as np

from retrograd.data import Column, Preprocessor, Schema, SchemaRow
from retrograd.data.tables.table import as_table
from retrograd.errors import DataError, about
from retrograd.kinds.base.fitted import ROW, NetworkModel
from retrograd.kinds.base.kind import path_of
from retrograd.kinds.base.predictions import with_predictions
from retrograd.kinds.table.data import TableData, rows_of
from retrograd.kinds.table.options import TableOptions
from retrograd.models.tables.table import TableNet
from retrograd.training.objective import Classification, Regression
from retrograd.training.scores import Scores, score_classes, score_numbers
from retrograd.wording import count

__all__ = ["FrameModel", "class_shares", "objective_of", "table_net"]

Array = np.ndarray[Any, Any]

_SHOWN_COLUMNS = 8


@dataclass
class FrameModel(NetworkModel):
    """The part of a `FittedModel` that does not depend on its network."""

    preprocessor: Preprocessor
    class_shares: Array  # (classes,) in training; empty for regression
    separator: str | None = field(default=None, kw_only=True)  # of fields; None: detected

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

    def read(self, data: Any, notes: list[str], labeled: bool) -> TableData:
        with about(path_of(data) or ""):
            read = rows_of(data, notes, self.separator)
            if not labeled:
                return TableData.whole(read, self.schema)
            found = TableData.labeled(read, self.schema)
            if not len(found):
                raise DataError(f"No row has a value in the target {self.target_name!r}.")
        if dropped := len(read.frame) - len(found):
            notes.append(f"{count(dropped, 'row')} without a target value: left out.")
        return found

    def predict(self, data: TableData, notes: list[str] | None = None) -> Array:
        """(rows,) numbers in the target's units, or (rows, classes) probabilities.

        Anything the user should know about the rows is added to `notes`.
        """
        raise NotImplementedError

    def decoded(self, output: Array) -> Array:
        """The predictions for the network's output, (rows, [members,] outputs)."""
        answer = objective_of(self.schema).answer(output)
        if self.task == "regression":
            return self.preprocessor.unscale_target(answer)
        return answer

    def targets(self, data: TableData) -> Array:
        """(rows,) numbers in the target's units, or class codes."""
        with data.places.named():
            targets = self.preprocessor.target(data.frame)
        return self.preprocessor.unscale_target(targets) if self.task == "regression" else targets

    def score(self, data: TableData) -> Scores:
        """The metrics on rows that have a target value."""
        predicted, targets = self.predict(data), self.targets(data)
        if self.task == "regression":
            return score_numbers(predicted, targets, self.preprocessor.target_mean)
        return score_classes(predicted, targets, self.class_shares)

    def predictions(self, data: TableData, notes: list[str]) -> nw.DataFrame[Any]:
        """The rows with their predictions, in columns that replace any with the same names."""
        return with_predictions(data.frame, self.predict(data, notes), self.classes, notes)

    def columns(self) -> list[SchemaRow]:
        return self.schema.describe()

    def shown(self, data: TableData, rows: Array) -> dict[str, list[str]]:
        chosen = data.take(rows)
        table = as_table(chosen.frame)
        # What names a row comes first, though nothing is learned from it.
        columns = [*self._identifiers(table.column_names), *self.schema.features[:_SHOWN_COLUMNS]]
        cells = {
            column.name: [
                "" if each is None else str(each) for each in table[column.name].to_pylist()
            ]
            for column in columns
        }
        return {ROW: [f"{place:,}" for place in chosen.places.numbers], **cells}

    def _identifiers(self, there: Sequence[str]) -> list[Column]:
        columns = self.schema.columns
        return [each for each in columns if each.kind == "identifier" and each.name in there]


def objective_of(schema: Schema) -> Regression | Classification:
    """The meaning of the network's outputs for this table."""
    if schema.task == "regression":
        return Regression()
    return Classification(len(schema.target.classes))


def table_net(
    preprocessor: Preprocessor, options: TableOptions, outputs: int, vectors: int = 0
) -> TableNet:
    """An untrained network for a table's columns, and `vectors` more numbers after its own."""
    return TableNet(
        preprocessor.number_bins(options.bins) + [np.array([0, 1], np.float32)] * vectors,
        preprocessor.cardinalities,
        outputs,
        hidden=(options.width,) * options.depth,
        members=options.members,
        dropout=options.dropout,
    )


def class_shares(schema: Schema, target: Array) -> Array:
    """(classes,): how often each class occurs among the codes `target`; empty for regression."""
    if schema.task == "regression":
        return np.zeros(0)
    return np.bincount(target, minlength=len(schema.target.classes)) / len(target)
