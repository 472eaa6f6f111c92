"""Remedies for the data: scale, fill missing values, leave out rows or a column, oversample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.outcome.baselines import features, nearest, scaled
from retrograd.diagnosis.remedies.model import places
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.diagnosis.remedies.variants import Variants

__all__ = [
    "class_codes",
    "drop_column",
    "drop_duplicates",
    "drop_mislabeled",
    "fill_missing",
    "resample",
    "scale_inputs",
    "scale_target",
    "with_codes",
]

Array = np.ndarray[Any, Any]

# So many neighbors vote on a label.
_VOTERS = 15
# Each row is compared with every other one; beyond this many rows that takes minutes.
_COMPARED = 20_000


def scale_inputs(program: Program, finding: Finding | None) -> Variants[Program]:
    """Scale each feature to mean 0 and standard deviation 1, measured on the training rows; pixels
    from 0 to 255 are divided by 255."""
    inputs = program.train.inputs
    if not np.issubdtype(inputs.dtype, np.floating):
        return []
    if _are_pixels(inputs):
        divided = _with_inputs(program, lambda values: (values / 255).astype(inputs.dtype))
        return [("inputs: x / 255", divided)]
    mean, std = _moments(inputs)
    if (np.abs(mean) < 0.2).all() and (np.abs(std - 1) < 0.5).all():
        return []

    def scaled(values: Array) -> Array:
        return ((values - mean) / std).astype(inputs.dtype)

    return [("inputs: (x - mean) / std of the training rows", _with_inputs(program, scaled))]


def _are_pixels(inputs: Array) -> bool:
    low, high = np.nanmin(inputs), np.nanmax(inputs)
    return bool(low >= 0 and 100 < high <= 255 and (inputs == np.round(inputs)).all())


def _moments(inputs: Array) -> tuple[Array, Array]:
    """The mean and standard deviation of each feature; beyond 2 axes, they are on the shortest.

    A constant feature of size 1 stays as it is: it may stand for the bias.
    """
    features = 1 if inputs.ndim < 3 else 1 + int(np.argmin(inputs.shape[1:]))
    others = tuple(axis for axis in range(inputs.ndim) if axis != features)
    known = np.where(np.isfinite(inputs), inputs, np.nan).astype(np.float64)
    mean, std = np.nanmean(known, others, keepdims=True), np.nanstd(known, others, keepdims=True)
    is_bias = (std == 0) & (np.abs(mean) == 1)
    return np.where(is_bias, 0.0, mean), np.where(std > 0, std, 1.0)


def scale_target(program: Program, finding: Finding | None) -> Variants[Program]:
    """Scale the target to mean 0 and standard deviation 1, measured on the training rows; for
    outputs that cannot reach it, to their range."""
    if program.task != "regression":
        return []
    target = np.asarray(program.train.target, np.float64)
    words = "target: (y - mean) / std of the training rows"
    center, size = target.mean(0), target.std(0)
    if finding is not None and finding.code == "RG404":
        last = [each for _, _, each in places(program.model())][-1:]
        low, high = target.min(0), target.max(0)
        if last and isinstance(last[0], nn.Sigmoid):
            words, center, size = "target: from 0 to 1, like the outputs", low, high - low
        elif last and isinstance(last[0], nn.Tanh):
            words = "target: from -1 to 1, like the outputs"
            center, size = (low + high) / 2, (high - low) / 2
    size = np.where(size > 0, size, 1.0)
    if (np.abs(center) < 0.2).all() and (np.abs(size - 1) < 0.5).all():
        return []

    def scaled(examples: Samples) -> Samples:
        values = ((examples.target - center) / size).astype(np.float32)
        return Samples(examples.inputs, values)

    return [(words, _with_examples(program, scaled))]


def fill_missing(program: Program, finding: Finding | None) -> Variants[Program]:
    """Replace inputs that are not finite with the training median; drop rows with such targets."""
    inputs = program.train.inputs
    if not np.issubdtype(inputs.dtype, np.floating):
        return []
    known = np.where(np.isfinite(inputs), inputs, np.nan)
    has_none = np.isnan(known).all(0)
    median = np.where(has_none, 0.0, np.nanmedian(np.where(has_none, 0.0, known), 0))

    def filled(examples: Samples) -> Samples:
        values = np.where(np.isfinite(examples.inputs), examples.inputs, median)
        target = np.asarray(examples.target)
        has_target = np.isfinite(target.astype(np.float64)).reshape(len(target), -1).all(1)
        return Samples(values.astype(inputs.dtype)[has_target], target[has_target])

    def is_whole(examples: Samples) -> bool:
        return all(np.isfinite(np.asarray(each, np.float64)).all() for each in examples)

    sets = (program.train, program.valid, program.test)
    if all(examples is None or is_whole(examples) for examples in sets):
        return []
    return [("NaN and infinity -> the column's median", _with_examples(program, filled))]


def drop_duplicates(program: Program, finding: Finding | None) -> Variants[Program]:
    """Keep each training row once, and none that also occurs in the validation or test rows."""
    inputs, target = program.train
    rows = _as_bytes(inputs)
    _, first = np.unique(rows, return_index=True)
    kept = np.zeros(len(rows), bool)
    kept[first] = True
    for other in (program.valid, program.test):
        if other is not None:
            kept &= ~np.isin(rows, _as_bytes(other.inputs))
    dropped = len(rows) - int(kept.sum())
    if not dropped or not kept.any():
        return []
    changed = replace(program, train=Samples(inputs[kept], target[kept]))
    return [(f"{dropped:,} duplicated rows left out of training", changed)]


def _as_bytes(inputs: Array) -> Array:
    flat = np.ascontiguousarray(inputs.reshape(len(inputs), -1))
    return flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1])))[:, 0]


def drop_column(program: Program, finding: Finding | None) -> Variants[Program]:
    """Replace the column that the finding names with its mean, so it carries no information."""
    column = None if finding is None else finding.evidence.numbers.get("column")
    if column is None or program.train.inputs.ndim != 2:
        return []
    place = int(column)
    mean = program.train.inputs[:, place].mean()

    def without(values: Array) -> Array:
        values = values.copy()
        values[:, place] = mean
        return values

    return [(f"column {place} left out", _with_inputs(program, without))]


def drop_mislabeled(program: Program, finding: Finding | None) -> Variants[Program]:
    """Leave out training rows whose label the vote of their nearest rows contradicts (edited
    nearest neighbors, Wilson 1972); same step count."""
    if program.task != "classification" or finding is None:
        return []
    if len(program.train.target) > _COMPARED:
        return []
    inputs, codes = features(program.train.inputs), class_codes(program.train.target)
    if codes is None or not inputs.shape[1]:
        return []
    rows, classes = len(codes), np.unique(codes)
    if not 2 <= len(classes) < rows // _VOTERS:
        return []
    near = nearest(*scaled(inputs, inputs), _VOTERS, itself=True)
    votes = (codes[near][:, :, None] == classes).sum(1)
    kept = classes[votes.argmax(1)] == codes
    dropped = rows - int(kept.sum())
    if not dropped or len(np.unique(codes[kept])) < len(classes):
        return []
    train = Samples(program.train.inputs[kept], program.train.target[kept])
    epochs = max(1, round(program.epochs * rows / int(kept.sum())))
    changed = replace(program, train=train, epochs=epochs)
    return [(f"{dropped:,} rows left out whose neighbors have other labels", changed)]


def class_codes(target: Array) -> Array | None:
    """The class code of each row, int64, from codes or one-hot rows; None where a row has none, or
    several."""
    flat = np.asarray(target).reshape(len(target), -1)
    if flat.shape[1] == 1:
        return flat[:, 0].astype(np.int64)
    is_one_hot = np.isin(flat, (0, 1)).all() and (flat.sum(1) == 1).all()
    return flat.argmax(1) if is_one_hot else None


def with_codes(examples: Samples) -> Samples:
    """The examples with class codes as targets; unchanged where rows have not one class each."""
    codes = class_codes(examples.target)
    return examples if codes is None else Samples(examples.inputs, codes)


def resample(program: Program, finding: Finding | None) -> Variants[Program]:
    """Repeat rows of rare classes until all classes are about equally frequent; same step count."""
    if program.task != "classification":
        return []
    inputs, target = program.train
    codes = class_codes(target)
    if codes is None:
        return []
    _, place, counts = np.unique(codes, return_inverse=True, return_counts=True)
    repeats = np.maximum(1, np.round(counts.max() / counts)).astype(int)[place]
    if repeats.max() == 1:
        return []
    rows = np.repeat(np.arange(len(codes)), repeats)
    epochs = max(1, round(program.epochs * len(codes) / len(rows)))
    changed = replace(program, train=Samples(inputs[rows], target[rows]), epochs=epochs)
    return [(f"rare classes up to {repeats.max()} times", changed)]


def _with_inputs(program: Program, change: Callable[[Array], Array]) -> Program:
    return _with_examples(program, lambda each: Samples(change(each.inputs), each.target))


def _with_examples(program: Program, change: Callable[[Samples], Samples]) -> Program:
    return replace(
        program,
        train=change(program.train),
        valid=change(program.valid),
        test=None if program.test is None else change(program.test),
    )
