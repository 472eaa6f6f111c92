"""The meaning of a network's outputs, by task: the training loss and the prediction.

Outputs are `(rows, outputs)`, or `(rows, members, outputs)` for an ensemble whose members are
trained independently and averaged for the prediction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from retrograd import nn, ops
from retrograd.autodiff.tape import no_grad
from retrograd.tensor import Tensor

__all__ = ["Classification", "LossFunction", "Objective", "Regression"]

Array = np.ndarray[Any, Any]


class Objective(Protocol):
    """The meaning of outputs: the training loss, and the score that decides when to stop.

    `target` is what the source of the rows gives.
    """

    def loss(self, output: Tensor, target: Any) -> Tensor:
        """One number to minimize, a mean over rows."""

    def score(self, output: Array, target: Any) -> float:
        """The error of the predictions, lower is better, in the units of the loss."""


class LossFunction:
    """A loss `(output, target) -> one number` that also decides when to stop."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.loss = function

    def score(self, output: Array, target: Array) -> float:
        """The loss of all rows at once."""
        with no_grad():
            return float(self.loss(Tensor(output), Tensor(target)))


class Regression:
    """One number per row, for a standardized target."""

    outputs = 1

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean squared error of every member: (rows, [members,] 1), (rows,) -> one number."""
        each = _by_member(output)[:, :, 0]
        return nn.mse_loss(each, ops.broadcast_to(ops.unsqueeze(target, 1), shape=each.shape))

    def answer(self, output: Array) -> Array:
        """(rows, [members,] 1) -> (rows,): the members' mean, still standardized."""
        answers = output[..., 0]
        return answers.mean(tuple(range(1, answers.ndim)))

    def score(self, output: Array, target: Array) -> float:
        """The mean squared error of the prediction, which decides when to stop."""
        return float(np.mean((self.answer(output) - target) ** 2))


class Classification:
    """A probability for each class."""

    def __init__(self, classes: int) -> None:
        self.outputs = classes

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean cross-entropy of every member: (rows, [members,] classes), (rows,) codes."""
        output = _by_member(output)
        rows, members, classes = output.shape
        codes = ops.broadcast_to(ops.unsqueeze(target, 1), shape=(rows, members))
        return nn.cross_entropy(
            ops.reshape(output, shape=(rows * members, classes)),
            ops.reshape(codes, shape=(rows * members,)),
        )

    def answer(self, output: Array) -> Array:
        """(rows, [members,] classes) -> (rows, classes): the mean of the members' probabilities."""
        return ops.softmax(_by_member(Tensor(output)), -1).mean(1).numpy()

    def score(self, output: Array, target: Array) -> float:
        """The cross-entropy of the prediction, which decides when to stop."""
        answer = self.answer(output)
        chosen = np.take_along_axis(answer, np.asarray(target)[:, None], 1)
        return float(-np.log(np.maximum(chosen, np.finfo(answer.dtype).tiny)).mean())


def _by_member(output: Tensor) -> Tensor:
    """(rows, [members,] outputs) -> (rows, members, outputs)."""
    return ops.unsqueeze(output, 1) if output.ndim == 2 else output
