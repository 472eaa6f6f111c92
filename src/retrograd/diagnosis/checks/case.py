"""Everything known about a training, for the checks to examine; any part of it may be missing."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from retrograd import nn, optim
from retrograd.diagnosis.checks.baselines import (
    SimpleScores,
    features,
    misranked,
    scaled,
    simple_scores,
)
from retrograd.diagnosis.data import Data, codes
from retrograd.diagnosis.probes.operations import operations
from retrograd.diagnosis.probes.outputs import predicted_classes
from retrograd.diagnosis.record.record import Layer, Record, Weights
from retrograd.tensor import Tensor
from retrograd.training.predictor import Predictor

__all__ = ["Case", "Data", "Loss", "codes"]

Array = np.ndarray[Any, Any]
Loss = Callable[[Tensor, Tensor], Tensor]

# Data checks look at most at this many rows, drawn at random.
_ROWS = 2000


@dataclass(frozen=True)
class Case:
    """A training before it begins (no record, or one without a step) or after it has run.

    `model` has its initial weights, or its final ones after a run. `task` is "regression" or
    "classification". Training minimizes `loss(output, target)`. `shuffled` says whether batches are
    drawn in random order, None if unknown. `answer` converts the model's outputs to predictions, if
    they differ. `names` lists the column names of the first input, if it has any.
    """

    record: Record | None = None
    model: nn.Module | None = None
    train: Data | None = None
    valid: Data | None = None
    loss: Loss | None = None
    task: str | None = None
    optimizer: optim.Optimizer | None = None
    batch_size: int | None = None
    shuffled: bool | None = None
    restores_best: bool = False
    answer: Callable[[Array], Array] | None = None
    names: tuple[str, ...] = ()
    _cache: dict[tuple[str, str], Array] = field(default_factory=dict, repr=False)

    # The record -----------------------------------------------------------------------------------

    def __post_init__(self) -> None:
        if self.record is not None and not len(self.record.steps):
            object.__setattr__(self, "record", None)  # nothing has run yet

    @cached_property
    def steps(self) -> Array:
        """The steps recorded; none without a record."""
        return np.zeros(0, np.int64) if self.record is None else self.record.steps

    @cached_property
    def has_run(self) -> bool:
        """Whether there is a record of at least a step."""
        return self.record is not None

    def series(self, name: str, subject: str = "") -> Array:
        """A series of the record, float64, NaN where it was not measured or recorded."""
        key = (name, subject)
        if key not in self._cache:
            values = np.full(len(self.steps), np.nan)
            if self.record is not None:
                # If the run has no such layer, nothing was measured.
                with contextlib.suppress(KeyError):
                    values = self.record.series(name, subject).astype(np.float64)
            self._cache[key] = values
        return self._cache[key]

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers recorded, in the order of the forward pass."""
        return () if self.record is None else self.record.layers

    @cached_property
    def weights(self) -> tuple[Weights, ...]:
        """The parameters, with their initial values."""
        if self.record is not None:
            return self.record.parameters
        if self.model is None:
            return ()
        known = None if self.optimizer is None else _optimized(self.optimizer)
        return tuple(
            Weights.of(name, each, known is None or id(each) in known, each.numel())
            for name, each in self.model.named_parameters()
            if each.numel()
        )

    @cached_property
    def epochs(self) -> list[dict[str, Any]]:
        """The record's entries for the epochs."""
        return [] if self.record is None else self.record.epochs

    def epoch_losses(self, name: str) -> Array:
        """`train_loss` or `validation_loss`, one number per epoch."""
        return np.array([float(each.get(name, math.nan)) for each in self.epochs])

    @cached_property
    def losses(self) -> Array:
        """The loss of each step."""
        return self.series("loss")

    @cached_property
    def steps_per_epoch(self) -> int | None:
        """From the record's epochs, or the number of rows."""
        ends = [each["step"] for each in self.epochs if each.get("step")]
        if ends:
            return int(ends[0])
        if self.train is not None and self.batch_size:
            return max(1, len(self.train) // self.batch_size)
        return None

    @cached_property
    def rows_per_step(self) -> float:
        """The number of rows in a batch, the median over the steps; NaN if unknown."""
        sizes = self.series("batch_size")
        if len(sizes) and np.isfinite(sizes).any() and np.nanmedian(sizes) > 0:
            return float(np.nanmedian(sizes))
        return math.nan if self.batch_size is None else float(self.batch_size)

    # Model and data -------------------------------------------------------------------------------

    @cached_property
    def sample(self) -> Data | None:
        """Some of the training rows, drawn at random."""
        return None if self.train is None else _sample(self.train)

    @cached_property
    def valid_sample(self) -> Data | None:
        """Some of the validation rows."""
        return None if self.valid is None else _sample(self.valid)

    @cached_property
    def _predict(self) -> Predictor | None:
        return None if self.model is None else Predictor(self.model)

    @cached_property
    def outputs(self) -> Array | None:
        """The model's predictions for `sample`, in evaluation mode."""
        return self._answers(self.sample)

    @cached_property
    def valid_outputs(self) -> Array | None:
        """The model's predictions for `valid_sample`."""
        return self._answers(self.valid_sample)

    def _answers(self, data: Data | None) -> Array | None:
        if data is None or self._predict is None or not len(data):
            return None
        output = self._predict(data.inputs)
        return np.asarray(output if self.answer is None else self.answer(output), np.float64)

    @cached_property
    def columns(self) -> Array | None:
        """The floating-point inputs of the sample, (rows, columns), 0 where they are not finite.

        The columns of an image are its pixels.
        """
        if self.sample is None or len(self.sample) < 2:
            return None
        for each in self.sample.inputs:
            if each.dtype.kind == "f" and each.ndim > 1 and each.size:
                flat = each.reshape(len(each), -1).astype(np.float64)
                return np.where(np.isfinite(flat), flat, 0.0)
        return None

    @cached_property
    def is_table(self) -> bool:
        """Whether the inputs are separate columns, not pixels, whose neighbors are alike."""
        if self.sample is None or self.columns is None or self.sample.inputs[0].ndim != 2:
            return False
        return self.columns.shape[1] <= 50

    @cached_property
    def scaled_features(self) -> Array | None:
        """The first input of the sample as features for simple models, (rows, columns)."""
        if self.sample is None:
            return None
        x = features(self.sample.inputs[0])
        return scaled(x, x)[0] if x.shape[1] else None  # categories are in the second input

    @cached_property
    def labels(self) -> Array | None:
        """The class codes of the sample, (rows,); None for numbers."""
        if self.sample is None or self.task != "classification":
            return None
        return codes(self.sample.target)

    @cached_property
    def numbers(self) -> Array | None:
        """The targets of the sample, (rows, columns) float64; None for classes."""
        if self.sample is None or self.task != "regression":
            return None
        return np.asarray(self.sample.target, np.float64).reshape(len(self.sample), -1)

    @cached_property
    def classes(self) -> int:
        """The number of classes; 0 for regression."""
        if self.train is None or self.task != "classification":
            return 0
        return len(np.unique(codes(self.train.target)))

    @cached_property
    def simple(self) -> SimpleScores | None:
        """The scores of simple models on the validation rows; None without validation rows."""
        if self.sample is None or self.valid_sample is None or self.task is None:
            return None
        train, valid = self.sample, self.valid_sample
        if self.task == "classification":
            train = Data(train.inputs, codes(train.target))
            valid = Data(valid.inputs, codes(valid.target))
        x, x_valid = train.inputs[0], valid.inputs[0]
        return simple_scores(x, train.target, x_valid, valid.target, self.task, self.is_unbalanced)

    @cached_property
    def is_unbalanced(self) -> bool:
        """Whether one class is five times as frequent as another.

        Then even a good network may hardly ever predict the rare class, and ranking says more than
        predicted classes.
        """
        if self.train is None or self.task != "classification":
            return False
        counts = np.unique(codes(self.train.target), return_counts=True)[1]
        return bool(counts.max() >= 5 * counts.min())

    def margin(self, error: float) -> float:
        """Twice the standard error of a validation error near `error`; 0.02 for regression."""
        if self.valid_sample is None or self.task != "classification":
            return 0.02
        if self.is_unbalanced:
            return self._ranking_margin(error)
        return 2 * math.sqrt(max(error * (1 - error), 0.01) / len(self.valid_sample))

    def _ranking_margin(self, error: float) -> float:
        """The same for `misranked`: Mann & Whitney 1947 at 0.5, and less toward 0 and 1."""
        assert self.valid_sample is not None
        counts = np.unique(codes(self.valid_sample.target), return_counts=True)[1]
        if len(counts) < 2:
            return math.nan
        # With two classes, one score ranks the rows as the other does.
        each = (1 / counts + 1 / (counts.sum() - counts))[: len(counts) if len(counts) > 2 else 1]
        return 2 * math.sqrt(max(error * (1 - error), 0.01) / 3 * each.mean() / len(each))

    def error(self, outputs: Array | None, target: Array) -> float:
        """The error rate, or the mean squared error as a share of the variance.

        For unbalanced classes, the share of `misranked` pairs; NaN if the targets do not vary.
        """
        if outputs is None or self.task is None or not np.isfinite(outputs).all():
            return math.inf
        flat = outputs.reshape(len(outputs), -1)
        if self.task == "classification":
            if self.is_unbalanced:
                return misranked(_class_scores(flat), codes(target))
            return float(np.mean(self.predicted(outputs) != codes(target)))
        truth = np.asarray(target, np.float64).reshape(len(target), -1)
        spread = float(((truth - truth.mean(0)) ** 2).sum())
        wrong = float(((flat[:, : truth.shape[1]] - truth) ** 2).sum())
        return wrong / spread if spread > 0 else math.nan

    def predicted(self, outputs: Array) -> Array:
        """The predicted classes, (rows,)."""
        return predicted_classes(outputs, self.last_operation)

    @cached_property
    def train_error(self) -> float:
        """`error` on the training rows, in evaluation mode; NaN if it cannot be measured."""
        if self.sample is None or self.outputs is None:
            return math.nan
        return self.error(self.outputs, self.sample.target)

    @cached_property
    def valid_error(self) -> float:
        """`error` on the validation rows; NaN if it cannot be measured."""
        if self.valid_sample is None or self.valid_outputs is None:
            return math.nan
        return self.error(self.valid_outputs, self.valid_sample.target)

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """The operations that the model runs on a few rows, in order."""
        if self.model is None or self.sample is None:
            return ()
        return operations(self.model, self.sample.rows(np.arange(min(4, len(self.sample)))).inputs)

    @cached_property
    def last_operation(self) -> str:
        """The operation that computes the outputs, not counting those that only reshape them."""
        return self.operations[-1] if self.operations else ""

    @cached_property
    def ranks_better(self) -> bool:
        """Whether the outputs on the validation rows rank the classes better than by chance."""
        if self.valid_sample is None or self.valid_outputs is None or not self.classes:
            return False
        flat = self.valid_outputs.reshape(len(self.valid_outputs), -1)
        error = misranked(_class_scores(flat), codes(self.valid_sample.target))
        return error < 0.5 - self._ranking_margin(0.5)

    # How it went ----------------------------------------------------------------------------------

    @cached_property
    def shortfall(self) -> float:
        """The factor by which the validation error exceeds that of a simple model; NaN if unknown.

        Differences within twice the standard error of a classifier's error do not count.
        """
        if self.simple is None or not self.has_run or not math.isfinite(self.simple.best):
            return math.nan
        if math.isnan(self.valid_error) or self.valid_sample is None:
            return math.nan
        margin = self.margin(self.simple.best) + (0.01 if self.task == "classification" else 0.0)
        if self.valid_error <= self.simple.best + margin:
            return 1.0
        return self.valid_error / (self.simple.best + margin)

    @cached_property
    def fared_badly(self) -> bool:
        """Whether the run did clearly worse than a simple model, or learned next to nothing."""
        if not self.has_run:
            return False
        if not math.isnan(self.shortfall):
            return self.shortfall > 1.1
        return self.fall < 0.3

    @cached_property
    def fall(self) -> float:
        """The share of the initial loss that was gone at the end; negative if the loss rose.

        Both are means: over the first twentieth of the steps (one to three steps), and over the
        last twentieth (at least one).
        """
        losses = self.losses
        if len(losses) < 2:
            return 0.0
        if not np.isfinite(losses[-1]):
            return -math.inf
        # In a fast run the first steps already lower the loss, so few of them are averaged.
        first = float(np.nanmean(losses[: max(1, min(3, len(losses) // 20))]))
        last = float(np.nanmean(losses[-max(1, len(losses) // 20) :]))
        return (first - last) / max(abs(first), 1e-12)


def _class_scores(flat: Array) -> Array:
    """Outputs (rows, columns) as a score for each class. Logits become probabilities, since only
    with those does a single column separate the rows of a class from the others."""
    if flat.shape[1] == 1:
        return np.concatenate([-flat, flat], 1)
    if flat.min() >= 0 and np.allclose(flat.sum(1), 1, atol=1e-3):
        return flat
    powers = np.exp(flat - flat.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def _sample(data: Data) -> Data:
    if len(data) <= _ROWS:
        return data
    return data.rows(np.sort(np.random.default_rng(0).choice(len(data), _ROWS, replace=False)))


def _optimized(optimizer: optim.Optimizer) -> set[int]:
    return {id(each) for group in optimizer.param_groups for each in group.params}
