"""How well a model answers, beside simple models of the same rows: did the run go well or badly?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from retrograd.diagnosis.data import Data
from retrograd.diagnosis.outcome.baselines import SimpleScores, misranked, simple_scores
from retrograd.diagnosis.probes.answers import Answers, threshold
from retrograd.diagnosis.probes.loss import LossProbe

__all__ = ["Performance"]

Array = np.ndarray[Any, Any]

# At most this many items are scored; rows are all scored, since a sample has at most 2,000.
_ITEMS = 20_000
# With more classes than this, ranking each against the others takes long and says little.
_RANKED_CLASSES = 20
# A simple model that is better than the most frequent answer by this share finds something.
_FINDS = 0.1


@dataclass(frozen=True)
class Performance:
    """The model's outputs for some training rows, and for validation rows if there are any."""

    answers: Answers
    last_operation: str
    train: Data
    outputs: Array
    valid: Data | None = None
    valid_outputs: Array | None = None
    loss: Callable[..., Any] | None = None

    # How good the answers are ---------------------------------------------------------------------

    @cached_property
    def is_unbalanced(self) -> bool:
        """Whether one class is five times as frequent as another, or yes as no.

        Then even a good network may hardly ever predict the rare class, and ranking says more than
        predicted classes.
        """
        if self.answers.kind == "numbers":
            return False
        truth = self.answers.truth(self.train.target)
        if self.answers.kind == "yes or no":
            share = truth.mean(0)
            return bool((np.minimum(share, 1 - share) <= 1 / 6).any())
        counts = np.unique(truth[truth >= 0], return_counts=True)[1]
        return 1 < len(counts) <= _RANKED_CLASSES and bool(counts.max() >= 5 * counts.min())

    def error(self, outputs: Array, target: Array) -> float:
        """The error rate, or the mean squared error as a share of the variance.

        For unbalanced classes, the share of `misranked` pairs. Of several labels, the mean over
        them. NaN if the targets do not vary, infinite if the outputs are not finite.
        """
        if not np.isfinite(outputs).all():
            return math.inf
        truth, scores = self.answers.truth(target), self.answers.scores(outputs)
        if self.answers.kind == "numbers":
            return _unexplained(scores, truth, self._wanted(target))
        chosen = np.flatnonzero(self.counted(target))
        if len(chosen) > _ITEMS:
            chosen = np.random.default_rng(0).choice(chosen, _ITEMS, replace=False)
        return self._error(scores[chosen], truth[chosen])

    def counted(self, target: Array) -> Array:
        """Which items count, (items,): those that have an answer on which the loss depends.

        Padding of sequences has a class that the loss leaves out, and so have gaps of a table.
        """
        truth = self.answers.truth(target)
        has_answer = truth >= 0 if self.answers.kind == "classes" else np.ones(len(truth), bool)
        slope = self._slope(target)
        return has_answer if slope is None else has_answer & (np.abs(slope).sum(1) > 0)

    def _wanted(self, target: Array) -> Array:
        """Which numbers count, (items, columns)."""
        slope = self._slope(target)
        return np.ones(self.answers.truth(target).shape, bool) if slope is None else slope != 0

    def _slope(self, target: Array) -> Array | None:
        """The slope of the loss at each score; None if each row has one answer, or it has none."""
        if self.loss is None or target.size == len(target):
            return None
        shape = (len(target), *self.outputs.shape[1:])
        drawn = np.random.default_rng(0).normal(size=shape)
        slope = LossProbe(self.loss, target).slope(drawn)
        if slope is None or not np.isfinite(slope).all() or not slope.any():
            return None
        answers = replace(self.answers, link="identity")
        return answers.scores(slope)

    def _error(self, scores: Array, truth: Array) -> float:
        """`error` of scores (items, columns); a classifier's threshold is that of its outputs."""
        if self.answers.kind == "numbers":
            return _unexplained(scores, truth, np.ones(truth.shape, bool))
        if self.answers.kind == "classes":
            if self.is_unbalanced:
                return misranked(_as_probabilities(scores), truth)
            return float(np.mean(scores.argmax(1) != truth)) if len(truth) else math.nan
        if not self.is_unbalanced:
            return float(np.mean((scores > threshold(self.last_operation)) != truth))
        columns = [
            misranked(np.stack([-score, score], 1), yes)
            for score, yes in zip(scores.T, truth.T, strict=True)
            if 0 < yes.mean() < 1
        ]
        return float(np.mean(columns)) if columns else math.nan

    @cached_property
    def train_error(self) -> float:
        """`error` on the training rows, in evaluation mode."""
        return self.error(self.outputs, self.train.target)

    @cached_property
    def valid_error(self) -> float:
        """`error` on the validation rows; NaN without them."""
        if self.valid is None or self.valid_outputs is None:
            return math.nan
        return self.error(self.valid_outputs, self.valid.target)

    @cached_property
    def judged_error(self) -> float:
        """`error` on the validation rows, or without them on the training rows."""
        return self.train_error if self.valid is None else self.valid_error

    # Beside simple models -------------------------------------------------------------------------

    @cached_property
    def simple(self) -> SimpleScores:
        """The errors of simple models on the rows of `judged_error`.

        Without validation rows each half of the training rows is answered by models of the other.
        Where a row has many items, only the most frequent answer is a model.
        """
        judged = self.train if self.valid is None else self.valid
        train, truth = (self.answers.truth(each.target) for each in (self.train, judged))
        known, asked = (self.counted(each.target) for each in (self.train, judged))
        if self.answers.kind == "classes":
            columns = int(max(train[known].max(initial=0), truth[asked].max(initial=0))) + 1
            y = (train[:, None] == np.arange(columns)).astype(np.float64)
        else:
            y = train.astype(np.float64)
        is_whole = known.all() and asked.all()
        if self.answers.kind == "numbers":
            wanted = self._wanted(judged.target)
            if not wanted.all():
                mean = np.broadcast_to(_mean(y, self._wanted(self.train.target)), truth.shape)
                return SimpleScores(_unexplained(mean, truth, wanted), math.inf, math.inf)
        # What reconstructs its inputs is no better than a linear model, which may copy them.
        copies = (
            self.answers.kind != "classes"
            and y.shape[1] > 1
            and y.size == self.train.inputs[0].size
        )
        if len(y) != len(self.train.target) or not is_whole or copies:
            answer = np.broadcast_to(y[known].mean(0), (int(asked.sum()), y.shape[1]))
            return SimpleScores(self._plain_error(answer, truth[asked]), math.inf, math.inf)
        return simple_scores(
            self.train.inputs[0],
            y,
            None if self.valid is None else judged.inputs[0],
            lambda answer: self._plain_error(answer, truth),
        )

    def _plain_error(self, answer: Array, truth: Array) -> float:
        """`_error` of shares between 0 and 1, whatever the model's outputs are."""
        if self.answers.kind == "yes or no" and not self.is_unbalanced:
            return float(np.mean((answer > 0.5) != truth))
        return self._error(answer, truth)

    def margin(self, error: float) -> float:
        """Twice the standard error of an error near `error`; 0.02 for numbers."""
        if self.answers.kind == "numbers":
            return 0.02
        judged = self.train if self.valid is None else self.valid
        truth = self.answers.truth(judged.target)
        if self.is_unbalanced:
            return self._ranking_margin(error, truth)
        return 2 * math.sqrt(max(error * (1 - error), 0.01) / max(len(truth), 1))

    def _ranking_margin(self, error: float, truth: Array) -> float:
        """The same for `misranked`: Mann & Whitney 1947 at 0.5, and less toward 0 and 1."""
        if self.answers.kind == "yes or no":
            yes = truth.sum(0)
            counts = np.stack([yes, len(truth) - yes], 1)
            counts = counts[(counts > 0).all(1)]
            each = (1 / counts).sum(1) if len(counts) else np.zeros(0)
        else:
            counts = np.unique(truth[truth >= 0], return_counts=True)[1]
            # With two classes, one score ranks the rows as the other does.
            each = 1 / counts + 1 / np.maximum(counts.sum() - counts, 1)
            each = each[: len(counts) if len(counts) > 2 else len(counts) - 1]
        if not len(each):
            return math.nan
        return 2 * math.sqrt(max(error * (1 - error), 0.01) / 3 * each.mean() / len(each))

    @cached_property
    def ranks_better(self) -> bool:
        """Whether the judged outputs rank the classes better than by chance."""
        if self.answers.kind == "numbers" or not np.isfinite(self._judged_outputs).all():
            return False
        judged = self.train if self.valid is None else self.valid
        truth, scores = self.answers.truth(judged.target), self.answers.scores(self._judged_outputs)
        if self.answers.kind == "yes or no":
            truth, scores = truth[:, 0], np.stack([-scores[:, 0], scores[:, 0]], 1)
        else:
            scores = _as_probabilities(scores)
        error = misranked(scores, truth)
        return error < 0.5 - self._ranking_margin(0.5, truth.reshape(len(truth), -1))

    @property
    def _judged_outputs(self) -> Array:
        return self.outputs if self.valid_outputs is None else self.valid_outputs

    # How it went ----------------------------------------------------------------------------------

    @cached_property
    def shortfall(self) -> float:
        """The factor by which the judged error exceeds that of a simple model; NaN if unknown.

        Differences within twice the standard error of a classifier's error do not count, nor those
        of a twentieth of the variance.
        """
        if math.isnan(self.judged_error) or not math.isfinite(self.simple.best):
            return math.nan
        margin = self.margin(self.simple.best) + (0.03 if self.answers.kind == "numbers" else 0.01)
        if self.judged_error <= self.simple.best + margin:
            return 1.0
        return self.judged_error / max(self.simple.best + margin, 1e-3)

    @cached_property
    def is_poor(self) -> bool:
        """Whether a simple model does clearly better: the network has more than 1.1 times its error
        and less than 0.9 times its gain over the most frequent answer."""
        if not self.shortfall > 1.1:
            return False
        simple = self.simple
        gain = simple.constant - self.judged_error
        return not gain >= 0.9 * (simple.constant - simple.best)

    @cached_property
    def beats_constant(self) -> bool:
        """Whether the judged error is clearly less than that of the most frequent answer."""
        constant = self.simple.constant
        return self.judged_error < constant - self.margin(constant)

    @cached_property
    def learned(self) -> bool:
        """Whether the network does better than the most frequent answer, or, where most rows have
        that answer, ranks the classes better than by chance: it gives the same answer then."""
        simple = self.simple
        if self.beats_constant or self.answers.kind == "numbers":
            return self.beats_constant
        is_close = self.judged_error < simple.constant + self.margin(simple.constant)
        return simple.constant < 0.4 and is_close and self.ranks_better

    @cached_property
    def came_out_well(self) -> bool:
        """Whether the network leaves at most half of the most frequent answer's error, or as little
        as a simple model that finds something; a linear model does so for noisy targets."""
        simple = self.simple
        if self.is_poor or not self.learned:
            return False
        finds = simple.best <= (1 - _FINDS) * simple.constant
        return self.judged_error <= simple.constant / 2 or (finds and self.shortfall <= 1)


def _mean(numbers: Array, wanted: Array) -> Array:
    """The mean of each column over the numbers that are wanted."""
    return np.asarray(np.where(wanted, numbers, 0).sum(0) / np.maximum(wanted.sum(0), 1))


def _unexplained(scores: Array, truth: Array, wanted: Array) -> float:
    """The squared error of the wanted numbers as a share of their variance; NaN if they are one."""
    spread = float((np.where(wanted, truth - _mean(truth, wanted), 0) ** 2).sum())
    wrong = float((np.where(wanted, scores - truth, 0) ** 2).sum())
    return wrong / spread if spread > 0 else math.nan


def _as_probabilities(scores: Array) -> Array:
    """Scores (items, classes) of which a single column separates a class from the others."""
    if scores.shape[1] == 1:
        return np.concatenate([-scores, scores], 1)
    if scores.min() >= 0 and np.allclose(scores.sum(1), 1, atol=1e-3):
        return scores
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)
