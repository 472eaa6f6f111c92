"""Checks of the inputs and of the target's scale, on the arrays that the model receives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.finding import Finding, Severity
from retrograd.diagnosis.outcome.baselines import finite
from retrograd.diagnosis.register import check
from retrograd.wording import shown

Array = np.ndarray[Any, Any]

# Initializations assume inputs of mean 0 and size 1 (LeCun et al. 1998, "Efficient BackProp", 4.3).
# Ten times that saturates a tanh and divides the largest stable learning rate by 100.
_SIZE = 10.0
# Fewer rows may be told by chance.
_ENOUGH_ROWS = 50
# Only a column that nearly tells the class is looked at more closely.
_NEARLY = 0.9


def _name(case: Case, column: int) -> str:
    """How to call a column in a message: by its name, or else its index, from 0."""
    first_has_it = case.sample is not None and case.sample.inputs[0].dtype.kind == "f"
    if first_has_it and column < len(case.names):
        return shown(case.names[column])
    return str(column)


@check("RG301", reads=("columns",))
def input_scale(case: Case, columns: Array) -> Iterator[Finding]:
    """RG301. The root mean square of a column is above 10, or that of every column below 1/100.

    Not reported if the model normalizes its inputs itself.
    """
    x = columns
    if _starts_normalizing(case):
        return
    sizes = np.sqrt((x**2).mean(0))
    largest = int(sizes.argmax())
    if sizes[largest] > _SIZE:
        yield finding(
            "RG301",
            f"Column {_name(case, largest)} of the inputs has mean {x[:, largest].mean():.4g} and "
            f"standard deviation {x[:, largest].std():.4g}; {int((sizes > _SIZE).sum())} of "
            f"{len(sizes)} columns have a root mean square above 10.",
            largest=sizes[largest],
            smallest=sizes[sizes > 0].min(),
            columns=(sizes > _SIZE).sum(),
        )
    elif 0 < sizes[largest] < 1 / (10 * _SIZE):
        yield finding(
            "RG301",
            f"The largest column of the inputs has a root mean square of {sizes[largest]:.2g}.",
            largest=sizes[largest],
        )


def _starts_normalizing(case: Case) -> bool:
    if case.model is None:
        return False
    for module in case.model.modules():
        if "Norm" in type(module).__name__:
            return True
        if next(iter(module.parameters(recurse=False)), None) is not None:
            return False
    return False


@check("RG302", reads=("numbers",))
def target_scale(case: Case, numbers: Array) -> Iterator[Finding]:
    """RG302. The target's mean or standard deviation is above 10, or the latter below 1/100.

    A network's first outputs are of size 1, and Adam moves each bias by at most the learning rate.
    """
    y = numbers[np.isfinite(numbers).all(1)]
    if len(y) < 2:
        return
    mean, spread = float(np.abs(y.mean(0)).max()), float(y.std(0).max())
    if max(mean, spread) > _SIZE or 0 < spread < 1 / (10 * _SIZE):
        yield finding(
            "RG302",
            f"The target has mean {y.mean():.4g} and standard deviation {spread:.4g}.",
            mean=y.mean(),
            std=spread,
        )


@check("RG303", reads=("columns",))
def constant_inputs(case: Case, columns: Array) -> Iterator[Finding]:
    """RG303. At least half of the columns are the same in every row.

    A few constant columns are common (the corners of digits) and harmless: a note.
    """
    x = columns
    if x.shape[1] < 2:
        return
    spread = x.max(0) - x.min(0)
    constant = np.flatnonzero(spread <= 1e-7 * np.abs(x).max(0))
    if not len(constant):
        return
    share = len(constant) / x.shape[1]
    severity: Severity = "error" if share == 1 else "warning" if share >= 0.5 else "note"
    if severity == "note" and not case.is_table:
        return  # pixels and time steps at the edge
    if severity == "note" and share >= 0.2:
        severity = "warning"
    yield finding(
        "RG303",
        f"{len(constant)} of {x.shape[1]} columns of the inputs have the same value in all rows; "
        f"the first is column {_name(case, constant[0])}.",
        severity=severity,
        columns=len(constant),
        share=share,
    )


@check("RG304", reads=("columns", "train"))
def duplicated_inputs(case: Case, columns: Array, train: Data) -> Iterator[Finding]:
    """RG304. Columns or rows are copies of others, also between training and validation.

    Rows of a few categories naturally coincide, so rows are judged only if their columns are
    continuous: in some column at least 30 % of the values are distinct.
    """
    x = columns
    if case.is_table:
        varied = x[:, x.std(0) > 0]
        twins = varied.shape[1] - np.unique(varied, axis=1).shape[1]
        if twins:
            share = twins / x.shape[1]
            yield finding(
                "RG304",
                f"{twins} of {x.shape[1]} columns of the inputs are copies of others.",
                severity="warning" if share >= 0.1 else "note",
                columns=twins,
            )
    if not _is_continuous(x):
        return
    keys = _keys(train)
    copies = 1 - len(set(keys)) / len(keys)
    overlap = 0.0
    if case.valid is not None and len(case.valid):
        known = set(keys)
        overlap = float(np.mean([key in known for key in _keys(case.valid)]))
    # If rows coincide by chance, as many validation rows do as training rows.
    if copies > 0.3 or overlap > 0.1 + 1.5 * copies:
        yield finding(
            "RG304",
            f"{copies:.0%} of the training rows are copies of others, and {overlap:.0%} of the "
            "validation rows also occur in the training rows.",
            copies=copies,
            overlap=overlap,
        )


def _is_continuous(x: Array) -> bool:
    shares = [len(np.unique(column)) / len(column) for column in x.T[:200]]
    return max(shares) > 0.3


def _keys(data: Data) -> list[bytes]:
    """The bytes of each row, of all inputs."""
    whole = [np.ascontiguousarray(each.reshape(len(data), -1)) for each in data.inputs]
    return [b"".join(row.tobytes() for row in rows) for rows in zip(*whole, strict=True)]


@check("RG305", reads=("sample", "numbers"))
def gives_number_away(case: Case, sample: Data, numbers: Array) -> Iterator[Finding]:
    """RG305. A single column determines the target almost without error.

    Its correlation with the target, or that of the ranks, is above 0.995; of a category, that of
    the mean target of every second row with its code and the target of the other rows. Kaufman et
    al. 2012 ("Leakage in data mining") look for the same.
    """
    from scipy.stats import rankdata

    columns = _numbers_of(case, sample)
    if numbers.shape[1] == columns.shape[1] > 1:
        return  # a reconstruction of the inputs
    if case.sample is not None and case.sample.inputs[0].ndim > 2 and numbers.shape[1] > 1:
        return  # a sequence whose next value is to be told at each instant, and stands there
    y = finite(numbers[:, 0])
    ranks = rankdata(y)
    varied = _varied(columns)
    scores = [
        max(_correlation(x, y), _correlation(rankdata(x), ranks)) for x in columns[:, varied].T
    ]
    codes = _categories(case, sample)
    scores += [_correlation(_told_by_code(code, y[:, None])[:, 0], y[1::2]) for code in codes.T]
    yield from _giveaway(case, varied, scores, 0.995, "correlation")


@check("RG305", reads=("sample", "labels"))
def gives_class_away(case: Case, sample: Data, labels: Array) -> Iterator[Finding]:
    """RG305. The same for classes.

    Predicting the most frequent class of each interval of the column, or of each code of a
    category, is right for more than 99 % of other rows, and makes less than a tenth of the errors
    of the most frequent class alone.
    """
    columns = _numbers_of(case, sample)
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    varied = _varied(columns)
    scores = [_told_by(x, labels) for x in columns[:, varied].T]
    one_hot = np.eye(labels.max() + 1)[labels]
    scores += [
        float(np.mean(_told_by_code(code, one_hot).argmax(1) == labels[1::2]))
        for code in _categories(case, sample).T
    ]
    limit = max(0.99, 1 - (1 - shares.max()) / 10)
    yield from _giveaway(case, varied, scores, limit, "accuracy")


def _numbers_of(case: Case, sample: Data) -> Array:
    """The sample's columns of numbers, (rows, columns); there may be none."""
    return np.zeros((len(sample), 0)) if case.columns is None else case.columns


def _categories(case: Case, sample: Data) -> Array:
    """The codes of the categories beside a table's numbers, (rows, categories)."""
    inputs = sample.inputs
    are_beside = len(inputs) == 2 and inputs[0].dtype.kind == "f" and inputs[1].dtype.kind in "iu"
    none = np.zeros((len(sample), 0), np.int64)
    if not are_beside or inputs[1].ndim != 2 or len(sample) < _ENOUGH_ROWS:
        return none
    return none if (inputs[1] < 0).any() else inputs[1].astype(np.int64)


def _told_by_code(codes: Array, targets: Array) -> Array:
    """The mean of `targets` (rows, k) among every second row with a code, for each other row."""
    learn, judge = slice(0, None, 2), slice(1, None, 2)
    sums = np.zeros((codes.max() + 1, targets.shape[1]))
    np.add.at(sums, codes[learn], targets[learn])
    counts = np.bincount(codes[learn], minlength=len(sums))[:, None]
    # A code that was not seen says no more than that there are classes.
    means = np.where(counts > 0, sums / np.maximum(counts, 1), targets[learn].mean(0))
    return means[codes[judge]]


def _varied(columns: Array) -> Array:
    """The indices of the columns to examine; none if rows are so few that chance could fit them."""
    is_enough = len(columns) >= _ENOUGH_ROWS
    return np.flatnonzero(columns.std(0) > 0)[:2000] if is_enough else np.zeros(0, int)


def _giveaway(
    case: Case, varied: Array, scores: list[float], limit: float, measure: str
) -> Iterator[Finding]:
    """The best column, if it scores above `limit` and errs at most a fifth as often as the next.

    `scores` are those of the `varied` columns of numbers, then those of the categories.
    """
    if len(scores) < 2:
        return
    best = int(np.argmax(scores))
    next_best = sorted(scores)[-2]
    # If several columns do nearly as well, the task is simply easy.
    if scores[best] > limit and 1 - next_best > max(5 * (1 - scores[best]), 0.02):
        is_number = best < len(varied)
        before = 0 if case.columns is None else case.columns.shape[1]
        column = int(varied[best]) if is_number else before + best - len(varied)
        yield finding(
            "RG305",
            f"Column {_name(case, column)} of the inputs alone predicts the target with "
            f"{measure} {scores[best]:.4f}; the next best column reaches {next_best:.2f}.",
            numbers={"column": column} if is_number else None,
            score=scores[best],
            next_best=next_best,
        )


def _correlation(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return abs(float(a @ b)) / size if size > 0 else 0.0


def _told_by(column: Array, classes: Array) -> float:
    """The accuracy on every second row of the column's intervals, fitted to the other rows."""
    learn, judge = slice(0, None, 2), slice(1, None, 2)
    edges = np.unique(np.quantile(column[learn], np.linspace(0, 1, 33)[1:-1]))
    place, count = np.searchsorted(edges, column, side="left"), classes.max() + 1
    table = np.zeros((len(edges) + 1, count))
    np.add.at(table, (place[learn], classes[learn]), 1)
    told = float(np.mean(table.argmax(1)[place[judge]] == classes[judge]))
    return max(told, _told_by_tree(column, classes)) if _NEARLY < told < 1 else told


def _told_by_tree(column: Array, classes: Array) -> float:
    """The same with intervals as they come, as of row numbers that are sorted by class."""
    from sklearn.tree import DecisionTreeClassifier

    learn, judge = slice(0, None, 2), slice(1, None, 2)
    tree = DecisionTreeClassifier(min_samples_leaf=5, random_state=0)
    tree.fit(column[learn, None], classes[learn])
    return float(tree.score(column[judge, None], classes[judge]))
