"""The schema of a table: the kind of each column, the reason for it, and the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.plain import plain
from retrograd.data.tables.arrow import mask
from retrograd.data.tables.cells import is_text, normalized
from retrograd.data.tables.columns import KINDS, Column, judge, read_as, with_a_feature
from retrograd.data.tables.facts import gather
from retrograd.data.tables.table import as_table, take_rows
from retrograd.data.tables.target import (
    TASKS,
    Target,
    judge_target,
    read_target,
    target_facts,
)
from retrograd.errors import DataError, UsageError
from retrograd.wording import count, did_you_mean, listed, shown

__all__ = [
    "Column",
    "Schema",
    "SchemaRow",
    "Target",
    "infer_schema",
    "labeled_rows",
    "target_values",
]


class SchemaRow(NamedTuple):
    """One line of a schema for display; `missing` is a share, 0 to 1."""

    column: str
    kind: str
    reason: str
    missing: float


@dataclass(frozen=True)
class Schema:
    """The target and every other column of a table, in table order, with notes."""

    target: Target
    columns: tuple[Column, ...]
    notes: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """`regression` or `classification`."""
        return self.target.task

    @property
    def features(self) -> tuple[Column, ...]:
        """The columns that a model is trained on."""
        return tuple(column for column in self.columns if column.is_used)

    @property
    def texts(self) -> tuple[Column, ...]:
        """The features that are free text."""
        return tuple(column for column in self.features if column.kind == "text")

    @property
    def tabular(self) -> tuple[Column, ...]:
        """The features that are numbers, categories, dates or flags."""
        return tuple(column for column in self.features if column.kind != "text")

    def describe(self) -> list[SchemaRow]:
        """The target, then every column, each with its kind, the reason and the share missing."""
        target = self.target
        first = SchemaRow(
            target.name,
            "target",
            f"{target.task}: {target.reason}",
            target.missing / target.rows,
        )
        return [first, *(SchemaRow(c.name, c.kind, c.reason, c.missing) for c in self.columns)]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON types, from which `from_json` makes an equal schema."""
        saved: dict[str, Any] = plain(self)
        return saved

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Schema:
        """The schema that `to_json` wrote."""
        target, columns = saved["target"], saved["columns"]
        return cls(
            target=Target(
                **{
                    **target,
                    "classes": tuple(target["classes"]),
                    "words": tuple(target.get("words", ())),
                }
            ),
            columns=tuple(Column(**{**c, "markers": tuple(c["markers"])}) for c in columns),
            notes=tuple(saved["notes"]),
        )


def infer_schema(
    frame: Any,
    target: str,
    kinds: Mapping[str, str] | None = None,
    task: str | None = None,
) -> Schema:
    """The kind of each column of `frame` (narwhals, or any it reads), judged from the values.

    `kinds` overrides the kind of a column: number, category, date, flag, text, or identifier,
    constant, which are left out. `task`, regression or classification, overrides the judgment from
    the target's values.

    Raises DataError for a target that is absent or cannot be learned (no values, constant, texts or
    infinities among numbers), for fewer than two rows, and if no column is left to learn from;
    UsageError for an unknown kind, column or task.
    """
    kinds = dict(kinds or {})
    if task is not None and task not in TASKS:
        raise UsageError(f"task is {task!r}; expected {' or '.join(TASKS)}.")
    table = as_table(frame)
    names = table.column_names
    _check_names(names, target, kinds)
    if table.num_rows < 2:
        raise DataError(f"The table has {count(table.num_rows, 'row')}; expected at least two.")

    found_target = judge_target(target_facts(target, table[target]), task)
    columns: list[Column] = []
    for name, values in zip(names, table.columns, strict=True):
        if name != target:
            facts = gather(name, values)
            columns.append(read_as(facts, kinds[name]) if name in kinds else judge(facts))
    columns = with_a_feature(columns)
    schema = Schema(found_target, tuple(columns), _notes(found_target, columns, table[target]))
    if not schema.features:
        reasons = [f"{c.name} ({c.kind}: {c.reason})" for c in columns]
        raise DataError(
            f"No column to predict {shown(target)} from: {listed(reasons) or 'no other column'}. "
            "Add a column, or set another kind for one of these."
        )
    return schema


def labeled_rows(
    frame: Any, schema: Schema
) -> tuple[nw.DataFrame[pa.Table], np.ndarray[Any, np.dtype[np.int64]]]:
    """The rows of `frame` that have a target value, and their places in it, (rows,) from 0."""
    table = as_table(frame)
    _check_names(table.column_names, schema.target.name, {})
    has_value = mask(_target_cells(table, schema).is_valid())
    places = np.flatnonzero(has_value)
    if len(places) < len(has_value):
        return take_rows(table, places), places
    return nw.from_native(table, eager_only=True), places


def target_values(frame: Any, schema: Schema) -> np.ndarray[Any, Any]:
    """The target of every row: (n,) float64 numbers for regression, int64 codes of the classes.

    Raises DataError, with the row, for a value that is missing, not finite, or a class that was not
    in the training data.
    """
    table = as_table(frame)
    _check_names(table.column_names, schema.target.name, {})
    return read_target(schema.target, _target_cells(table, schema))


def _target_cells(table: pa.Table, schema: Schema) -> pa.Array:
    return normalized(table[schema.target.name], words=schema.target.words)


def _check_names(names: list[str], target: str, kinds: Mapping[str, str]) -> None:
    if target not in names:
        raise DataError(
            f"The table has no column {shown(target)}.{did_you_mean(target, names)} "
            f"Its columns: {listed(names, most=30)}."
            f"{' If its fields are separated otherwise, say so: --sep.' if len(names) == 1 else ''}"
        )
    for name, kind in kinds.items():
        if name not in names:
            raise UsageError(
                f"A kind is given for the column {shown(name)}, which the table does not have."
                f"{did_you_mean(name, names)} Its columns: {listed(names, most=30)}."
            )
        if name == target:
            raise UsageError(
                f"A kind is given for the target {shown(name)}; give the task instead: "
                f"{' or '.join(TASKS)}."
            )
        if kind not in KINDS:
            raise UsageError(
                f"The kind of column {shown(name)} is given as {shown(kind)}; expected one of "
                f"{', '.join(KINDS)}.{did_you_mean(kind, KINDS)}"
            )


def _notes(target: Target, columns: list[Column], values: pa.ChunkedArray) -> tuple[str, ...]:
    notes = []
    if target.missing:
        notes.append(
            f"{target.missing:,} of {count(target.rows, 'row')} have no value in the target "
            f"{shown(target.name)}{_missing_texts(values, target.words)} and are left out."
        )
    if target.words:
        words = listed(map(shown, target.words))
        notes.append(
            f"{words} {'are classes' if len(target.words) > 1 else 'is a class'} of the target "
            f"{shown(target.name)}; empty these cells if they mean that there is no value."
        )
    for kind, why in {
        "identifier": "they name rows; --kind COLUMN=number, or =category, keeps one",
        "constant": "they never change",
    }.items():
        names = [c.name for c in columns if c.kind == kind and not c.is_remarkable]
        if names:
            notes.append(f"Left out as {kind} ({why}): {listed(names)}.")
    notes += [
        f"Column {shown(column.name)}: {column.reason}."
        for column in columns
        if column.is_remarkable
    ]
    return tuple(notes)


def _missing_texts(values: pa.ChunkedArray, words: tuple[str, ...]) -> str:
    if not is_text(values.type):
        return ""
    texts = pc.unique(values.filter(normalized(values, words=words).is_null())).to_pylist()
    return f" ({listed(map(shown, sorted(text or '' for text in texts)))})"
