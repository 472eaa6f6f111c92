"""What models that learn from a table have in common: frames in, answers out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd.data import (
    Preprocessor,
    Schema,
    SchemaRow,
    labelled_rows,
    read_table,
    split_rows,
    take_rows,
    target_values,
)
from retrograd.data.tables.table import as_table
from retrograd.data.texts.folder import read_text_folder
from retrograd.errors import DataError, about
from retrograd.models.tables.table import TableNet
from retrograd.training.objective import Classification, Regression
from retrograd.training.options import Options
from retrograd.training.scores import Scores, score_classes, score_numbers
from retrograd.wording import count

__all__ = [
    "FrameModel",
    "TableOptions",
    "class_shares",
    "objective_of",
    "read_frame",
    "table_net",
    "train_and_valid",
    "with_predictions",
]

Array = np.ndarray[Any, Any]

_SHOWN_COLUMNS = 8


@dataclass(frozen=True, kw_only=True)
class TableOptions(Options):
    """The options for a table: those of every run, and those of its network.

    `bins` is the most pieces of a number's piecewise-linear curve, `members` the size of the
    ensemble that shares its weights.

    Of columns of free text no more than `max_tokens` tokens of a cell are read. For networks that
    look at their order `tokens` are words, characters or bpe, at most `vocabulary` of them;
    `text_dropout` is by default the architecture's own.
    """

    target: str
    kinds: dict[str, str] = field(default_factory=dict)
    bins: int = 128
    width: int = 128
    depth: int = 2
    members: int = 8
    tokens: str = "words"
    max_tokens: int = 256
    vocabulary: int = 20_000
    text_dropout: float | None = None

    ranges: ClassVar[Mapping[str, tuple[float, float]]] = {
        **Options.ranges,
        "bins": (1, 128),
        "width": (1, 100_000),
        "depth": (1, 1000),
        "members": (1, 1000),
        "max_tokens": (1, 100_000),
        "vocabulary": (100, 1_000_000),
        "text_dropout": (0, 0.99),
    }


@dataclass
class FrameModel:
    """The part of a `FittedModel` that does not depend on its network."""

    preprocessor: Preprocessor
    class_shares: Array  # (classes,) in training; empty for regression

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
            frame = read_frame(path, notes)
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
        raise NotImplementedError

    def answered(self, output: Array) -> Array:
        """What `answers` gives for the network's output, (rows, [members,] outputs)."""
        answer = objective_of(self.schema).answer(output)
        if self.task == "regression":
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


def read_frame(path: Path, notes: list[str]) -> nw.DataFrame[Any]:
    """The rows of a table's file, or of a folder of texts."""
    return read_text_folder(path, notes) if path.is_dir() else read_table(path, notes)


def objective_of(schema: Schema) -> Regression | Classification:
    """What the outputs of a network for this table mean."""
    if schema.task == "regression":
        return Regression()
    return Classification(len(schema.target.classes))


def table_net(
    preprocessor: Preprocessor, config: TableOptions, outputs: int, vectors: int = 0
) -> TableNet:
    """An untrained network for a table's columns, and so many numbers more behind its numbers."""
    return TableNet(
        preprocessor.number_bins(config.bins) + [np.array([0, 1], np.float32)] * vectors,
        preprocessor.cardinalities,
        outputs,
        width=config.width,
        depth=config.depth,
        members=config.members,
        dropout=config.dropout,
    )


def train_and_valid(
    frame: Any, config: TableOptions, valid_frame: Any | None, schema: Schema
) -> tuple[Any, Any, list[str]]:
    """The labelled rows to train on and to stop by, and what a person should know about them."""
    frame, _ = labelled_rows(frame, schema)
    notes = list(schema.notes)
    if valid_frame is not None:
        return frame, labelled_rows(valid_frame, schema)[0], notes
    classes = target_values(frame, schema) if schema.task == "classification" else None
    kept, held = split_rows(len(frame), config.held_share(), config.seed, classes, notes)
    return take_rows(frame, kept), take_rows(frame, held), notes


def class_shares(schema: Schema, target: Array) -> Array:
    """(classes,): how often each class occurs among the codes `target`; empty for regression."""
    if schema.task == "regression":
        return np.zeros(0)
    return np.bincount(target, minlength=len(schema.target.classes)) / len(target)


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
