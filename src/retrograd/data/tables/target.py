"""The target column: regression or classification, its classes, its rows without a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retrograd.data.tables.arrow import integers, mask, row_numbers, strings
from retrograd.data.tables.cells import (
    Reading,
    is_number,
    is_text,
    labels,
    read_numbers,
    spelled_as,
)
from retrograd.data.tables.columns import number_format
from retrograd.data.tables.facts import Facts, gather, refuse_vast, refuse_wrong
from retrograd.data.tables.places import RowError
from retrograd.errors import DataError
from retrograd.wording import count, listed, shown

__all__ = ["TASKS", "Target", "judge_target", "read_target", "target_facts"]

TASKS = ("regression", "classification")

_FEW_CLASSES = 10
_ROWS_PER_CLASS = 4
# Words that mark a missing value elsewhere: among texts, of as many rows, they are a class.
_WORDS = ("None", "NA", "N/A", "n/a", "na", "NULL", "Null", "null")
_WORD_SHARE = 0.05


@dataclass(frozen=True)
class Target:
    """The target column.

    `classes`, in code order, is empty for regression; `missing` counts the rows without a value,
    which are used neither for training nor for scoring. `words` are classes although they mark a
    missing value in other columns.
    """

    name: str
    task: str
    reason: str
    rows: int
    missing: int
    decimal: str = "."
    classes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def target_facts(name: str, column: pa.ChunkedArray) -> Facts:
    """The facts of a target column, whose classes may be called None or NA.

    Such a word is a class if the other values are texts, no numbers, and it stands in at least
    every twentieth row. An empty cell is always missing.
    """
    facts = gather(name, column)
    if not is_text(column.type) or not read_numbers(facts.distinct).wrong.all():
        return facts
    counted = pc.value_counts(pc.utf8_trim_whitespace(column.cast(pa.large_string())))
    often = integers(counted.field("counts")) >= max(_WORD_SHARE * len(column), 2)
    frequent = counted.field("values").take(row_numbers(np.flatnonzero(often))).to_pylist()
    words = tuple(word for word in _WORDS if word in frequent)
    return gather(name, column, words) if words else facts


def judge_target(facts: Facts, task: str | None) -> Target:
    """The target with its task, which is `task` if the user gave it.

    Raises DataError for a target that cannot be learned: no values, a single value, a text, an
    infinity or a huge number among numbers, or a different class in every row.
    """
    name = shown(facts.name)
    if facts.present == 0:
        raise DataError(
            f"The target {name} has no value in any of {count(len(facts.cells), 'row')}. "
            "Fill it in, or choose another column."
        )
    if facts.present == 1:
        raise DataError(
            f"Only one row has a value in the target {name}; expected at least two rows."
        )
    kind = facts.cells.type
    if not (is_text(kind) or is_number(kind) or pa.types.is_boolean(kind)):
        raise DataError(
            f"The target {name} holds values of type {kind}; expected numbers, texts or flags. "
            "Turn them into numbers (a date into days from a fixed day), or choose another column."
        )
    if len(facts.distinct) == 1:
        raise DataError(
            f"The target {name} is always {shown(facts.distinct[0].as_py())}: there is nothing to "
            "learn. Choose another column."
        )
    decimal, numbers = number_format(facts.distinct)
    judged, reason = _judge_task(facts, numbers)
    if task is not None and task != judged:
        judged, reason = task, "as asked for"
    missing = int(facts.cells.null_count)
    target = Target(facts.name, judged, reason, len(facts.cells), missing, words=facts.words)
    if judged == "regression":
        _finite_numbers(facts.name, facts.cells, decimal)
        return replace(target, decimal=decimal)
    if facts.is_all_different:
        raise DataError(
            f"The target {name} has a different value in every row, so its values cannot be "
            "classes. Choose another column."
        )
    return replace(target, classes=_ordered_classes(facts))


def read_target(target: Target, cells: pa.Array) -> np.ndarray[Any, Any]:
    """(n,) float64 numbers or int64 class codes of cells, none of which may be missing.

    Raises DataError, with the row, for a value that is missing, not finite, too large, or a class
    that was not in the training data.
    """
    if cells.null_count:
        row = int(np.argmax(mask(cells.is_null())))
        raise RowError(f"The target {shown(target.name)} has no value in ", row, ".")
    if target.task == "regression":
        return _finite_numbers(target.name, cells, target.decimal)
    texts = spelled_as(target.classes, labels(cells))
    codes = integers(pc.index_in(texts, value_set=strings(target.classes)))
    refuse_wrong(
        target.name,
        cells,
        codes < 0,
        f"one of the classes {listed(map(shown, target.classes))}",
        "A class that was not in the training data cannot be scored.",
    )
    return codes


def _judge_task(facts: Facts, numbers: Reading) -> tuple[str, str]:
    values = numbers.values[np.isfinite(numbers.values)]
    rows = facts.present - facts.counts[numbers.wrong].sum()
    are_whole = bool((values == np.round(values)).all())
    are_few = len(values) <= _FEW_CLASSES and rows >= _ROWS_PER_CLASS * len(values)
    are_numbers = bool(rows > facts.present / 2) and not pa.types.is_boolean(facts.cells.type)
    if are_numbers and not np.array_equal(np.sort(values), (0.0, 1.0)):
        if not are_whole:
            return "regression", count(len(facts.distinct), "different number")
        if not are_few:
            return "regression", count(len(facts.distinct), "different whole number")
        if not numbers.wrong.any():
            return "classification", f"only {count(len(values), 'different whole number')}"
    return "classification", count(len(facts.distinct), "class", "classes")


def _finite_numbers(name: str, cells: pa.Array, decimal: str) -> np.ndarray[Any, Any]:
    values, wrong = read_numbers(cells, decimal)
    refuse_wrong(
        name,
        cells,
        wrong,
        "a number, because the task is regression",
        "Correct the cell or empty it; if the values are classes, set the task to classification.",
    )
    refuse_wrong(
        name,
        cells,
        np.isinf(values),
        "a finite number in the target",
        "Correct the cell, or empty it to leave the row out.",
    )
    refuse_vast(name, cells, values)
    return values


def _ordered_classes(facts: Facts) -> tuple[str, ...]:
    texts = pc.unique(labels(facts.distinct)).to_pylist()
    numbers = read_numbers(strings(texts))
    if numbers.wrong.any():
        return tuple(sorted(texts))
    return tuple(texts[place] for place in np.argsort(numbers.values, kind="stable"))
