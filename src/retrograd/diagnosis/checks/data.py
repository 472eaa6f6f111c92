"""Checks of the inputs and of the target's scale, on the arrays as the model gets them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.checks.case import Case, Data, codes
from retrograd.diagnosis.finding import Finding, Severity
from retrograd.wording import shown

__all__ = ["CHECKS"]

Array = np.ndarray[Any, Any]

# Initializations take inputs of mean 0 and size 1 for granted (LeCun et al. 1998, "Efficient
# BackProp", 4.3). Ten times that saturates a tanh and multiplies the largest stable learning rate
# by 1/100.
_SIZE = 10.0


def _columns(case: Case) -> Array | None:
    """The floating-point inputs of the sample, (rows, columns); columns of images are pixels."""
    if case.sample is None or len(case.sample) < 2:
        return None
    for each in case.sample.inputs:
        if each.dtype.kind == "f" and each.ndim > 1 and each.size:
            flat = each.reshape(len(each), -1).astype(np.float64)
            return np.where(np.isfinite(flat), flat, 0.0)
    return None


def _name(case: Case, column: int) -> str:
    """A column of `_columns` as a person knows it: by its name, or else its place, from 0."""
    first_has_it = case.sample is not None and case.sample.inputs[0].dtype.kind == "f"
    if first_has_it and column < len(case.names):
        return shown(case.names[column])
    return str(column)


def input_scale(case: Case) -> Iterator[Finding]:
    """RG301. A column whose root mean square is above 10, or columns of very unlike size.

    Or all of them below 1/100. Not where the model normalizes its inputs itself.
    """
    x = _columns(case)
    if x is None or _starts_normalizing(case):
        return
    sizes = np.sqrt((x**2).mean(0))
    largest = int(sizes.argmax())
    if sizes[largest] > _SIZE:
        yield finding(
            "RG301",
            f"Column {_name(case, largest)} of the inputs has mean {x[:, largest].mean():.4g} and "
            f"standard deviation {x[:, largest].std():.4g}; {int((sizes > _SIZE).sum())} of "
            f"{len(sizes)} columns are above 10 in size.",
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


def target_scale(case: Case) -> Iterator[Finding]:
    """RG302. Numbers to predict whose mean or spread is above 10, or whose spread is below 1/100.

    A network's first outputs are of size 1, and Adam moves each bias by at most the learning rate.
    """
    if case.task != "regression" or case.sample is None:
        return
    y = np.asarray(case.sample.target, np.float64).reshape(len(case.sample), -1)
    y = y[np.isfinite(y).all(1)]
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


def constant_inputs(case: Case) -> Iterator[Finding]:
    """RG303. Half of the columns or more, or all that matter, are the same in every row.

    A few are common (the corners of digits) and a note: they do no harm but to say nothing.
    """
    x = _columns(case)
    if x is None or x.shape[1] < 2:
        return
    spread = x.max(0) - x.min(0)
    constant = np.flatnonzero(spread <= 1e-7 * np.abs(x).max(0))
    if not len(constant):
        return
    share = len(constant) / x.shape[1]
    severity: Severity = "error" if share == 1 else "warning" if share >= 0.5 else "note"
    if severity == "note" and not _is_table(case):
        return  # pixels and instants at the edge
    if severity == "note" and share >= 0.2:
        severity = "warning"
    yield finding(
        "RG303",
        f"{len(constant)} of {x.shape[1]} columns of the inputs have one value in all rows, the "
        f"first of them column {_name(case, constant[0])}.",
        severity=severity,
        columns=len(constant),
        share=share,
    )


def _is_table(case: Case) -> bool:
    """Whether the inputs are columns of their own, not pixels, of which neighbours are alike."""
    assert case.sample is not None
    if case.sample.inputs[0].ndim != 2:
        return False
    x = _columns(case)
    return x is not None and x.shape[1] <= 50


def duplicated_inputs(case: Case) -> Iterator[Finding]:
    """RG304. Columns that are copies of others; rows that come again, also among the validation.

    Rows of a few categories coincide by nature, so that rows are judged only where their columns
    are continuous: half of the first column's values occur once.
    """
    x = _columns(case)
    if x is None or case.train is None:
        return
    if _is_table(case):
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
    keys = _keys(case.train)
    copies = 1 - len(set(keys)) / len(keys)
    overlap = 0.0
    if case.valid is not None and len(case.valid):
        known = set(keys)
        overlap = float(np.mean([key in known for key in _keys(case.valid)]))
    # Where rows coincide by chance, as many of the validation rows do as of the training rows.
    if copies > 0.3 or overlap > 0.1 + 1.5 * copies:
        yield finding(
            "RG304",
            f"{copies:.0%} of the training rows are copies of others, and {overlap:.0%} of the "
            "validation rows are among the training rows.",
            copies=copies,
            overlap=overlap,
        )


def _is_continuous(x: Array) -> bool:
    shares = [len(np.unique(column)) / len(column) for column in x.T[:200]]
    return max(shares) > 0.3


def _keys(data: Data) -> list[bytes]:
    flat = data.inputs[0].reshape(len(data), -1)
    return [row.tobytes() for row in np.ascontiguousarray(flat)]


def giveaway(case: Case) -> Iterator[Finding]:
    """RG305. A single column from which the target can be told almost without error.

    For numbers: a correlation, also of ranks, above 0.995. For classes: intervals of the column,
    each answering with its most frequent class, are right in more than 99 % of other rows, at most
    a fifth as often wrong as those of any column that is not in league. Kaufman et al. 2012
    ("Leakage in data mining") look for the same.
    """
    x = _columns(case)
    if x is None or case.sample is None or case.task is None or len(x) < 50:
        return
    varied = np.flatnonzero(x.std(0) > 0)[:2000]
    if len(varied) < 2:
        return
    if case.task == "regression":
        y = np.nan_to_num(np.asarray(case.sample.target, np.float64).reshape(len(x), -1)[:, 0])
        scores = [
            max(_correlation(x[:, c], y), _correlation(_ranks(x[:, c]), _ranks(y))) for c in varied
        ]
        limit = 0.995
    else:
        classes = codes(case.sample.target)
        shares = np.unique(classes, return_counts=True)[1] / len(classes)
        limit = max(0.99, 1 - (1 - shares.max()) / 10)
        scores = [_told_by(x[:, c], classes) for c in varied]
    best = int(np.argmax(scores))
    others = sorted(scores, reverse=True)[1:]
    # Where several columns do nearly as well the task is simply easy.
    if scores[best] > limit and (1 - others[0]) > 5 * (1 - scores[best]) and 1 - others[0] > 0.02:
        yield finding(
            "RG305",
            f"Column {_name(case, varied[best])} of the inputs alone gives the target with a "
            f"{'correlation' if case.task == 'regression' else 'share right'} of "
            f"{scores[best]:.4f}; the next best column with {others[0]:.2f}.",
            column=varied[best],
            score=scores[best],
            next_best=others[0],
        )


def _correlation(a: Array, b: Array) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return abs(float(a @ b)) / size if size > 0 else 0.0


def _ranks(a: Array) -> Array:
    _, places, counts = np.unique(a, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _told_by(column: Array, classes: Array) -> float:
    """The share of every second row whose class the column tells, by intervals of the others."""
    learn, judge = slice(0, None, 2), slice(1, None, 2)
    edges = np.unique(np.quantile(column[learn], np.linspace(0, 1, 33)[1:-1]))
    place, count = np.searchsorted(edges, column, side="left"), classes.max() + 1
    table = np.zeros((len(edges) + 1, count))
    np.add.at(table, (place[learn], classes[learn]), 1)
    return float(np.mean(table.argmax(1)[place[judge]] == classes[judge]))


CHECKS = (input_scale, target_scale, constant_inputs, duplicated_inputs, giveaway)
