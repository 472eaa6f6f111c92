"""What outputs mean where rows have weights: losses to train by, answers, and scores to stop by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from retrograd import nn, ops
from retrograd.errors import UsageError
from retrograd.tensor import Tensor
from retrograd.training.metrics import Metric
from retrograd.training.objective import Classification

__all__ = ["Labels", "Numbers", "SingleClass", "WeightedObjective", "WeightedTarget"]

Array = np.ndarray[Any, Any]


class WeightedTarget(NamedTuple):
    """What a network should answer, `values` (rows, ...), and how much each row counts, (rows,)."""

    values: Any
    weight: Any


class WeightedObjective(ABC):
    """An `Objective` over weighted rows, for outputs (rows, members, outputs).

    `metric` decides when to stop; without one, the loss of the answers does.
    """

    def __init__(self, outputs: int, metric: Metric | None = None) -> None:
        self.outputs = outputs
        self.metric = metric

    @abstractmethod
    def total(self, output: Tensor, target: WeightedTarget) -> Tensor:
        """Σ w l over rows, members and what a row's loss sums: one number."""

    @abstractmethod
    def answer(self, output: Array) -> Array:
        """The members' common answer, (rows, outputs)."""

    @abstractmethod
    def errors(self, answer: Array, values: Array) -> Array:
        """The loss of each row's answer, (rows,)."""

    def loss(self, output: Tensor, target: WeightedTarget) -> Tensor:
        """The sum of the weighted losses, divided by the rows and not by their weights.

        Weights whose mean over the training rows is 1 so make the mean loss of an epoch's steps
        the weighted mean, whatever weights meet in one step.
        """
        rows, members, _ = output.shape
        return self.total(output, target) / (rows * members)

    def score(self, output: Array, target: WeightedTarget) -> float:
        """The weighted mean loss of the answers, or the metric, negated if higher is better."""
        answer, weight = self.answer(output), np.asarray(target.weight)
        if self.metric is None:
            return float(np.average(self.errors(answer, target.values), weights=weight))
        weights = None if np.ptp(weight) == 0 else weight
        found = self.metric.function(target.values, answer, weights)
        if found is None:
            raise UsageError(
                f"The metric {self.metric.key!r} is undefined for these validation rows (one that "
                "compares classes needs every class among them); choose another metric."
            )
        return -self.metric.gain(found)


class Numbers(WeightedObjective):
    """Standardized numbers, (rows, outputs): the mean of their squared errors."""

    def total(self, output: Tensor, target: WeightedTarget) -> Tensor:
        values = ops.broadcast_to(ops.unsqueeze(target.values, 1), shape=output.shape)
        return nn.mse_loss(output, values, "sum", target.weight) / self.outputs

    def answer(self, output: Array) -> Array:
        mean: Array = output.mean(1)
        return mean

    def errors(self, answer: Array, values: Array) -> Array:
        squares: Array = ((answer - values) ** 2).mean(1)
        return squares


class SingleClass(WeightedObjective):
    """One of several classes, codes (rows,): cross-entropy."""

    def total(self, output: Tensor, target: WeightedTarget) -> Tensor:
        # n rows, k members, c classes
        n, k, c = output.shape
        codes = ops.broadcast_to(ops.unsqueeze(target.values, 1), shape=(n, k))
        weight = ops.broadcast_to(ops.unsqueeze(target.weight, 1), shape=(n, k))
        return nn.cross_entropy(
            output.reshape(n * k, c),
            codes.reshape(n * k),
            reduction="sum",
            sample_weight=weight.reshape(n * k),
        )

    def answer(self, output: Array) -> Array:
        """The mean of the members' probabilities, (rows, classes)."""
        return Classification(self.outputs).answer(output)

    def errors(self, answer: Array, values: Array) -> Array:
        return _surprise(np.take_along_axis(answer, np.asarray(values)[:, None], 1)[:, 0])


class Labels(WeightedObjective):
    """Any number of labels, 0 or 1 (rows, labels): the mean of their binary cross-entropies."""

    def total(self, output: Tensor, target: WeightedTarget) -> Tensor:
        values = ops.broadcast_to(ops.unsqueeze(target.values, 1), shape=output.shape)
        losses = nn.binary_cross_entropy_with_logits(
            output, values, reduction="sum", sample_weight=target.weight
        )
        return losses / self.outputs

    def answer(self, output: Array) -> Array:
        """The mean of the members' probabilities of each label."""
        return ops.sigmoid(Tensor(output)).numpy().mean(1)

    def errors(self, answer: Array, values: Array) -> Array:
        return _surprise(np.where(values > 0, answer, 1 - answer)).mean(1)


def _surprise(probability: Array) -> Array:
    """−log p, finite where p is 0."""
    return -np.log(np.maximum(probability, np.finfo(probability.dtype).tiny))
