"""The report of a training run as a page: the verdict first, then what it rests on."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from retrograd.artifact import RunFolder, load_config
from retrograd.report import run_charts as charts
from retrograd.report.figures import figure, percent
from retrograd.report.page import write_page
from retrograd.report.run_words import Metric, metrics, stop_sentence, verdict
from retrograd.train.fitted import FittedModel
from retrograd.train.history import Epoch, Verdict
from retrograd.train.scores import Scores

__all__ = ["RunReport", "write_report", "write_run_report"]

Array = np.ndarray[Any, Any]

_WORST_ROWS = 10
_COLUMN_ROWS = 200
_MATRIX_CLASSES = 12


@dataclass(frozen=True)
class RunReport:
    """What the page of a run is made from.

    `truth` and `answers` are of the rows held out, `data`: (rows,) numbers in the target's units,
    or (rows,) class codes and (rows, classes) probabilities; empty where no row has one right
    answer. `network` is the printed network.
    """

    name: str
    config: Mapping[str, Any]
    model: FittedModel
    epochs: Sequence[Epoch]
    verdict: Verdict | None
    scores: Scores
    truth: Array
    answers: Array
    data: Any
    network: str
    manifest: Mapping[str, Any]
    notes: Sequence[str]

    @classmethod
    def read(cls, folder: RunFolder, model: FittedModel, data: Any) -> RunReport:
        """The report of a run from its folder; `model` predicts `data`, rows held out of it."""
        manifest = folder.manifest()
        reason = manifest.get("verdict")
        has_truth = model.task in ("regression", "classification")
        return cls(
            name=folder.path.resolve().name,
            config=load_config(folder).to_json(),
            model=model,
            epochs=[Epoch(**line) for line in folder.read_lines("metrics.jsonl")],
            verdict=None if reason is None else Verdict(reason),
            scores=model.score(data),
            truth=model.truth(data) if has_truth else np.zeros(0),
            answers=model.answers(data) if has_truth else np.zeros(0),
            data=data,
            network=repr(model.network),
            manifest=manifest,
            notes=model.notes,
        )

    @property
    def is_regression(self) -> bool:
        """Whether numbers are predicted, not classes."""
        return not self.model.classes

    @property
    def metrics(self) -> list[Metric]:
        """The figures of merit beside the baseline's."""
        return metrics(self.scores)


class WorstRow(NamedTuple):
    """One of the rows that were predicted worst, in the words of the page."""

    cells: list[str]
    truth: str
    answer: str
    off: str


class Confusion(NamedTuple):
    """How often rows of the class `truth` were taken for each class, and the same as shares."""

    truth: str
    counts: list[int]
    shares: list[float]


def write_run_report(folder: RunFolder, model: FittedModel, data: Any) -> Path:
    """Write report.html into the run's folder, scored on `data`, rows held out; return its path.

    The page appears whole or not at all. Raises UsageError if it cannot be written.
    """
    path = folder.path / "report.html"
    write_report(path, RunReport.read(folder, model, data))
    return path


def write_report(path: str | os.PathLike[str], report: RunReport) -> None:
    """Write the page of any report, as `write_run_report` does."""
    columns = report.model.columns()
    worst_names, worst = _worst(report)
    write_page(
        path,
        "run.html.jinja",
        title=report.name,
        report=report,
        verdict=verdict(report.model.target_name, report.metrics, report.scores.rows),
        stopped=stop_sentence(report.epochs, report.verdict),
        learning=charts.learning_curve(report.epochs),
        pictures=_pictures(report),
        confusions=_confusions(report),
        mistakes=_mistakes(report),
        worst_names=worst_names,
        worst=worst,
        columns=columns[:_COLUMN_ROWS],
        columns_left_out=max(len(columns) - _COLUMN_ROWS, 0),
        config={name: value for name, value in report.config.items() if value not in (None, {})},
        manifest=_flat(report.manifest),
    )


def _pictures(report: RunReport) -> list[str]:
    if not report.is_regression or not len(report.truth):
        return []
    target = report.model.target_name
    return [
        charts.answers_against_truth(target, report.truth, report.answers),
        charts.errors(target, report.answers - report.truth),
    ]


def _counts(report: RunReport) -> Array:
    """(classes, classes): rows of each true class by the class that was predicted."""
    classes = len(report.model.classes)
    pairs = report.truth * classes + report.answers.argmax(1)
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def _confusions(report: RunReport) -> list[Confusion]:
    classes = report.model.classes
    if report.is_regression or len(classes) > _MATRIX_CLASSES:
        return []
    counts = _counts(report)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return [
        Confusion(name, row.tolist(), share.round(3).tolist())
        for name, row, share in zip(classes, counts, shares, strict=True)
    ]


def _mistakes(report: RunReport) -> list[tuple[str, str, int]]:
    """Where there are too many classes for a table: the pairs most often taken for each other."""
    classes = report.model.classes
    if report.is_regression or len(classes) <= _MATRIX_CLASSES:
        return []
    counts = _counts(report)
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:_MATRIX_CLASSES]
    pairs = [divmod(int(place), len(classes)) for place in order]
    return [(classes[i], classes[j], int(counts[i, j])) for i, j in pairs if counts[i, j]]


def _worst(report: RunReport) -> tuple[list[str], list[WorstRow]]:
    """The rows with the largest error, or the least probability for the true class.

    First the names of the columns that show them.
    """
    if not len(report.truth):
        return [], []
    if report.is_regression:
        off = np.abs(report.answers - report.truth)
    else:
        off = 1 - report.answers[np.arange(len(report.truth)), report.truth]
    order = np.argsort(-off, kind="stable")[:_WORST_ROWS]
    columns = report.model.shown(report.data, order)
    rows = []
    for place, row in enumerate(order):
        truth, answer, error = _in_words(report, int(row))
        rows.append(WorstRow([column[place] for column in columns.values()], truth, answer, error))
    return list(columns), rows


def _in_words(report: RunReport, row: int) -> tuple[str, str, str]:
    truth, answer = report.truth[row], report.answers[row]
    if report.is_regression:
        error = figure(answer - truth)
        return figure(truth, 5), figure(answer, 5), error if error[0] == "−" else f"+{error}"
    classes = report.model.classes
    return classes[int(truth)], classes[int(answer.argmax())], percent(float(answer[int(truth)]))


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested names joined by dots."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = str(value)
    return flat
