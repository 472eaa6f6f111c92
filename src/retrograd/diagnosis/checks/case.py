"""Everything known about a training, for the checks to examine; any part of it may be missing."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np

from retrograd import nn, optim
from retrograd.diagnosis.data import Data
from retrograd.diagnosis.failures import CheckWarning
from retrograd.diagnosis.outcome.baselines import features, scaled
from retrograd.diagnosis.outcome.performance import Performance
from retrograd.diagnosis.outcome.rehearsal import rehearse
from retrograd.diagnosis.probes.answers import Answers, how_answered
from retrograd.diagnosis.probes.operations import operations
from retrograd.diagnosis.record.record import Layer, Record, Weights
from retrograd.tensor import Tensor
from retrograd.training.predictor import Predictor

__all__ = ["Case", "Data", "Loss"]

Array = np.ndarray[Any, Any]
T = TypeVar("T")
Loss = Callable[[Tensor, Tensor], Tensor]
Outcome = Literal["well", "unclear", "badly"]

# Data checks look at most at this many rows, drawn at random.
_ROWS = 2000
# So many rows show how outputs answer targets.
_ANSWERED = 64
# A run that lost less than this share of its first loss learned next to nothing.
_FELL = 0.3
# A rehearsal that lost this share has begun to learn, though not beyond what is most frequent.
_BEGAN = 0.1
# With at least this many rows, a quarter of them is kept back to judge a rehearsal.
_ENOUGH = 400


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
    _failures: list[Exception] = field(default_factory=list, repr=False)

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
        output = self._tried(self._predict, data.inputs)
        if output is None:
            return None
        return np.asarray(output if self.answer is None else self.answer(output), np.float64)

    def _tried(self, run: Callable[..., T], *arguments: Any) -> T | None:
        """What running the model gives; None, with one warning for all times, if it fails."""
        try:
            return run(*arguments)
        except Exception as error:  # a user's model may fail in any way, and other checks go on
            if not self._failures:
                warnings.warn(
                    "The model could not be run in evaluation mode on the rows, so its outputs "
                    f"were not checked: {type(error).__name__}: {error}",
                    CheckWarning,
                    stacklevel=2,
                )
            self._failures.append(error)
            return None

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
        """The class codes of the sample, (rows,); None if a row has no class, or several."""
        return None if self.sample is None else self.row_classes(self.sample)

    def row_classes(self, data: Data) -> Array | None:
        """The class codes (rows,) of rows that have one class each."""
        if self.answers is None:
            if self.task != "classification" or self.outputs is not None:
                return None
            answers = Answers("classes", is_one_hot=data.target.ndim > 1)
        else:
            answers = self.answers
        if answers.kind == "numbers":
            return None
        truth = answers.truth(data.target)
        return truth.reshape(-1) if truth.size == len(data) else None

    @cached_property
    def numbers(self) -> Array | None:
        """The targets of the sample, (rows, columns) float64; None for classes."""
        kind = self.task if self.answers is None else self.answers.task
        if self.sample is None or kind != "regression":
            return None
        return np.asarray(self.sample.target, np.float64).reshape(len(self.sample), -1)

    @cached_property
    def train_labels(self) -> Array | None:
        """`labels` of all training rows."""
        return None if self.train is None else self.row_classes(self.train)

    @cached_property
    def predicted(self) -> Array | None:
        """The predicted class codes of the sample, (rows,); None for outputs that are not finite or
        rows that have not one class each."""
        if self.answers is None or self.outputs is None or self.labels is None:
            return None
        if not np.isfinite(self.outputs).all():
            return None
        return self.answers.predicted(self.outputs, self.last_operation).reshape(-1)

    @cached_property
    def answers(self) -> Answers | None:
        """How the model's outputs answer the target; None if they do not, or are not known."""
        if self.sample is None or self.outputs is None or not self.outputs.ndim:
            return None
        few = np.random.default_rng(0).permutation(len(self.sample))[:_ANSWERED]
        return how_answered(
            self.outputs[few],
            self.sample.target[few],
            task=self.task,
            last_operation=self.last_operation,
            loss=self.loss,
        )

    @cached_property
    def lacks_answers(self) -> bool:
        """Whether the loss knows no right answers; a generator's need not fall in a good run."""
        return self.outputs is not None and self.answers is None and self.loss is not None

    @cached_property
    def performance(self) -> Performance | None:
        """How well the model answers; None if it does not answer the target."""
        if self.answers is None or self.sample is None or self.outputs is None:
            return None
        return Performance(
            self.answers,
            self.last_operation,
            self.sample,
            self.outputs,
            None if self.valid_outputs is None else self.valid_sample,
            self.valid_outputs,
            self.loss,
        )

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """The operations that the model runs on a few rows, in order."""
        if self.model is None or self.sample is None:
            return ()
        few = self.sample.rows(np.arange(min(4, len(self.sample))))
        return self._tried(operations, self.model, few.inputs) or ()

    @cached_property
    def last_operation(self) -> str:
        """The operation that computes the outputs, not counting those that only reshape them."""
        return self.operations[-1] if self.operations else ""

    # How it went ----------------------------------------------------------------------------------

    @cached_property
    def fared_badly(self) -> bool:
        """Whether the run did clearly worse than a simple model, or learned next to nothing."""
        if not self.has_run:
            return False
        if self.performance is not None and not math.isnan(self.performance.shortfall):
            return self.performance.is_poor or not self.performance.learned
        if self.lacks_answers:
            return not np.isfinite(self.losses[-1:]).all()
        return self.fall < _FELL

    @cached_property
    def outcome(self) -> Outcome:
        """How the run came out, or before a run how a short rehearsal did.

        "unclear" is a run that learned something, but no more than any model should.
        """
        if not self.has_run:
            return self._rehearsed
        if self.fared_badly or not np.isfinite(self.losses).all():
            return "badly"
        if self.performance is None:
            return "well" if self.fall >= _FELL else "unclear"
        return "well" if self.performance.came_out_well else "unclear"

    @cached_property
    def _rehearsed(self) -> Outcome:
        """The outcome of a rehearsal, which may be too short to learn anything."""
        if self.model is None or self.loss is None or self.sample is None or not len(self.sample):
            return "badly"
        rows, others = self.sample, self.valid
        if others is None and len(rows) >= _ENOUGH:
            order = np.random.default_rng(0).permutation(len(rows))
            rows, others = rows.rows(order[len(rows) // 4 :]), rows.rows(order[: len(rows) // 4])
        tried = rehearse(self.model, self.loss, rows, self.optimizer, self.batch_size)
        if tried is None or not np.isfinite(tried.losses).all():
            return "badly"
        after = replace(self, model=tried.model, train=rows, valid=others)
        fall = _fall(tried.losses)
        if after.performance is None or math.isnan(after.performance.train_error):
            return "well" if fall >= _FELL else "badly"
        if after.performance.learned:
            return "well"
        constant = after.performance.simple.constant
        is_close = after.performance.judged_error < constant + after.performance.margin(constant)
        return "unclear" if is_close and _BEGAN <= fall <= 1 else "badly"

    @cached_property
    def fall(self) -> float:
        """The share of the initial loss that was gone at the end; negative if the loss rose.

        Both are means: over the first twentieth of the steps (one to three steps), and over the
        last twentieth (at least one).
        """
        return _fall(self.losses)


def _fall(losses: Array) -> float:
    if len(losses) < 2:
        return 0.0
    if not np.isfinite(losses[-1]):
        return -math.inf
    # In a fast run the first steps already lower the loss, so few of them are averaged.
    first = float(np.nanmean(losses[: max(1, min(3, len(losses) // 20))]))
    last = float(np.nanmean(losses[-max(1, len(losses) // 20) :]))
    return (first - last) / max(abs(first), 1e-12)


def _sample(data: Data) -> Data:
    if len(data) <= _ROWS:
        return data
    return data.rows(np.sort(np.random.default_rng(0).choice(len(data), _ROWS, replace=False)))


def _optimized(optimizer: optim.Optimizer) -> set[int]:
    return {id(each) for group in optimizer.param_groups for each in group.params}
