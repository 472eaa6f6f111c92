"""A trained model's predictions on test rows: against the truth, the worst ones, and why."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from retrograd.kinds.base.fitted import FittedModel, Picture
from retrograd.kinds.base.importance import Importance, Reasons, RunningText
from retrograd.report.charts import run_charts as charts
from retrograd.report.words.figures import figure, percent
from retrograd.report.words.run import Compared, compared
from retrograd.training.scores import Scores

__all__ = ["Cell", "Confusion", "Effort", "Judged", "Reason", "WorstRow"]

Array = np.ndarray[Any, Any]

_WORST_ROWS = 10
_MATRIX_CLASSES = 12
# Words that add less than this share of what the strongest add are not colored.
_FAINT = 0.08


class Effort(Enum):
    """How many rows are attributed, and how many predicted with a shuffled input.

    `NONE` explains nothing, `BRIEF` is for the end of training, and `THOROUGH` takes seconds.
    """

    NONE = (0, 0)
    BRIEF = (64, 50_000)
    THOROUGH = (512, 2_000_000)


class Cell(NamedTuple):
    """A cell of the table of worst rows: text, or a picture's URL and its alternative text."""

    text: str
    picture: str = ""


class Reason(NamedTuple):
    """A piece of a row, what it adds to the prediction, and how strong that is, 0 to 1.

    `sign` is "adds" or "takes", and "" for a piece of a text that does neither.
    """

    text: str
    adds: str
    sign: str
    strength: str


class WorstRow(NamedTuple):
    """One of the rows that were predicted worst, formatted for the page."""

    cells: list[Cell]
    truth: str
    answer: str
    off: str
    reasons: list[Reason]
    is_passage: bool
    marked: Cell | None


class Confusion(NamedTuple):
    """How often rows of the class `truth` were predicted as each class, also as shares."""

    truth: str
    counts: list[int]
    shares: list[float]


@dataclass(frozen=True)
class Judged:
    """A trained model and its predictions for `data`, the rows of a `part`: "test", "validation".

    `truth` and `answers`: (rows,) numbers in the target's units, or (rows,) class codes and (rows,
    classes) probabilities; empty if rows do not have one right answer.
    """

    model: FittedModel
    data: Any
    part: str
    effort: Effort
    scores: Scores
    truth: Array
    answers: Array
    importance: Importance | None

    @classmethod
    def of(cls, model: FittedModel, data: Any, part: str, effort: Effort) -> Judged:
        """Predict and score `data`, and measure with some effort which inputs matter."""
        has_truth = model.task in ("regression", "classification")
        rows, predictions = effort.value
        measure = None if effort is Effort.NONE else getattr(model, "importance", None)
        return cls(
            model=model,
            data=data,
            part=part,
            effort=effort,
            scores=model.score(data),
            truth=model.targets(data) if has_truth else np.zeros(0),
            answers=model.predict(data) if has_truth else np.zeros(0),
            importance=measure and measure(data, rows=rows, predictions=predictions),
        )

    @property
    def is_regression(self) -> bool:
        """Whether the model predicts numbers, not classes."""
        return not self.model.classes

    @property
    def compared(self) -> list[Compared]:
        """The metrics of the model and of the baseline."""
        return compared(self.scores)

    def pictures(self) -> list[str]:
        """Predicted numbers against the truth, and their errors."""
        if not self.is_regression or not len(self.truth):
            return []
        target = self.model.target_name
        return [
            charts.answers_against_truth(target, self.truth, self.answers),
            charts.errors(target, self.answers - self.truth),
        ]

    def confusions(self) -> list[Confusion]:
        """A row for each class, if there are few enough for a table."""
        classes = self.model.classes
        if self.is_regression or len(classes) > _MATRIX_CLASSES or not len(self.truth):
            return []
        counts = self._counts()
        shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
        return [
            Confusion(name, row.tolist(), share.round(3).tolist())
            for name, row, share in zip(classes, counts, shares, strict=True)
        ]

    def mistakes(self) -> list[tuple[str, str, int]]:
        """The classes confused most often, if there are too many classes for a table."""
        classes = self.model.classes
        if self.is_regression or len(classes) <= _MATRIX_CLASSES or not len(self.truth):
            return []
        counts = self._counts()
        np.fill_diagonal(counts, 0)
        order = np.argsort(-counts, axis=None, kind="stable")[:_MATRIX_CLASSES]
        pairs = [divmod(int(place), len(classes)) for place in order]
        return [(classes[i], classes[j], int(counts[i, j])) for i, j in pairs if counts[i, j]]

    def worst(self) -> tuple[list[str], list[WorstRow]]:
        """The names of the columns to show, and the rows with the largest error or the lowest
        probability for the true class."""
        if not len(self.truth):
            return [], []
        if self.is_regression:
            off = np.abs(self.answers - self.truth)
        else:
            off = 1 - self.answers[np.arange(len(self.truth)), self.truth]
        order = np.argsort(-off, kind="stable")[:_WORST_ROWS]
        columns = self.model.shown(self.data, order)
        explain = None if self.effort is Effort.NONE else getattr(self.model, "reasons", None)
        reasons: list[Reasons] = explain(self.data, order) if explain else [()] * len(order)
        rows = []
        for place, row in enumerate(order):
            cells = [_cell(column[place]) for column in columns.values()]
            why = reasons[place]
            marked = _cell(why) if isinstance(why, Picture) else None
            pieces = [] if isinstance(why, Picture) else _reasons(why)
            is_passage = isinstance(why, RunningText)
            words = self._in_words(int(row))
            rows.append(WorstRow(cells, *words, pieces, is_passage, marked))
        return list(columns), rows

    def _counts(self) -> Array:
        """(classes, classes): rows of each true class by the class that was predicted."""
        classes = len(self.model.classes)
        pairs = self.truth * classes + self.answers.argmax(1)
        return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    def _in_words(self, row: int) -> tuple[str, str, str]:
        truth, answer = self.truth[row], self.answers[row]
        if self.is_regression:
            return figure(truth, 5), figure(answer, 5), _signed(float(answer - truth))
        classes = self.model.classes
        sure = percent(float(answer[int(truth)]))
        return classes[int(truth)], classes[int(answer.argmax())], sure


def _reasons(pieces: tuple[tuple[str, float], ...]) -> list[Reason]:
    signed = [(text, value, "adds" if value > 0 else "takes") for text, value in pieces]
    if isinstance(pieces, RunningText):  # first words, then what they make together
        signed = _joined(_joined(signed))
    largest = _largest(signed)
    return [
        Reason(text, _signed(value, 3), sign, f"{abs(value) / largest:.2f}")
        for text, value, sign in signed
    ]


def _joined(pieces: list[tuple[str, float, str]]) -> list[tuple[str, float, str]]:
    """Neighbors of one sign as one piece, which adds what they add together; what is faint beside
    the strongest has none."""
    least = _FAINT * _largest(pieces)
    clear = [(text, value, sign if abs(value) >= least else "") for text, value, sign in pieces]
    joined = []
    for sign, group in groupby(clear, key=lambda piece: piece[2]):
        texts, values, _ = zip(*group, strict=True)
        joined.append(("".join(texts), sum(values), sign))
    return joined


def _largest(pieces: list[tuple[str, float, str]]) -> float:
    return max((abs(value) for _, value, _ in pieces), default=0.0) or 1.0


def _cell(shown: str | Picture) -> Cell:
    if isinstance(shown, str):
        return Cell(shown)
    return Cell(shown.text, "data:image/png;base64," + base64.b64encode(shown.png).decode())


def _signed(value: float, digits: int = 4) -> str:
    text = figure(value, digits)
    return text if text[0] == "−" else f"+{text}"
