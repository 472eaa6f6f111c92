"""The five steps of backpropagation on one row: forward, error, backward, update, repeat."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.autodiff.hooks import hooks
from retrograd.autodiff.tape import Node, backpropagate
from retrograd.data import TableArrays
from retrograd.kinds.table.frame import objective_of
from retrograd.kinds.table.model import TableModel
from retrograd.kinds.table.walk_record import Guess, Outcome
from retrograd.tensor import Tensor

__all__ = ["TOLERANCE", "Call", "Forward", "Steps", "cotangent_of"]

Array = np.ndarray[Any, Any]

# The loss at which a prediction fits: within 0.01 standard deviations of the target (in the root of
# the mean over members), or a probability of 0.95 for the true class.
TOLERANCE = {"regression": 1e-4, "classification": -math.log(0.95)}
# The share of the loss that the first step should remove, judged by the slope.
_SHARE = 0.2


@dataclass(frozen=True)
class Call:
    """One call of a module in the forward pass. `path` is "" for the network itself."""

    label: str
    path: str
    kind: str
    output: Tensor


@dataclass(frozen=True)
class Forward:
    calls: list[Call]
    output: Array
    loss: Tensor


class Steps:
    """The network on one row: forward, backward and update."""

    def __init__(self, model: TableModel, arrays: TableArrays, target: Array) -> None:
        self.model = model
        self.objective = objective_of(model.schema)
        self.weights = {
            name: parameter
            for name, parameter in model.network.named_parameters()
            if parameter.requires_grad and parameter.numel()
        }
        # It requires a gradient, so that cotangents reach the row's own numbers.
        self.numbers = Tensor(arrays.numbers, requires_grad=True)
        self.categories = Tensor(arrays.categories)
        self.target = target

    def forward(self) -> Forward:
        paths = {id(module): path for path, module in self.model.network.named_modules()}
        outputs: list[tuple[str, str, Tensor]] = [("numbers", "Input", self.numbers)]

        def observe(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            # A module that returns its input, as dropout does in evaluation, shows nothing new.
            if isinstance(output, Tensor) and not any(output is each for each in inputs):
                outputs.append((paths[id(module)], type(module).__name__, output))

        with hooks(module=observe):
            output = self.model.network(self.numbers, self.categories)
        loss = self.objective.loss(output, Tensor(self.target))
        return Forward(_labeled(outputs), output.numpy(), loss)

    def backward(self, forward: Forward) -> dict[Node, Tensor]:
        """The cotangent of every output and weight that the loss depends on, by its node."""
        root = forward.loss._node
        assert root is not None  # the row's numbers require a gradient
        passed: dict[Node, Tensor] = {}
        for call in forward.calls:
            node = call.output._node
            if node is not None and not call.output.is_leaf:
                call.output.register_hook(partial(passed.__setitem__, node))
        start = Tensor(np.ones((), forward.loss.dtype))
        return passed | backpropagate([(root, start)])

    def gradients(self, cotangents: dict[Node, Tensor]) -> dict[str, Array]:
        return {
            name: cotangent_of(cotangents, weight, np.zeros_like(weight.data))
            for name, weight in self.weights.items()
        }

    def update(self, gradients: dict[str, Array], rate: float) -> None:
        """w ← w − η ∂L/∂w."""
        for name, gradient in gradients.items():
            self.weights[name].data = self.weights[name].data - rate * gradient

    def good_rate(self, forward: Forward, gradients: dict[str, Array]) -> float:
        """η that removes `_SHARE` of the loss by the slope, and at least half of that in fact.

        By the slope the loss falls by η‖∂L/∂w‖². If the loss is too curved for that (Armijo 1966),
        η is halved.
        """
        loss = forward.loss.item()
        squares = math.fsum(float(np.vdot(g, g)) for g in gradients.values())
        if not squares or not math.isfinite(squares):
            return 0.01
        rate = _SHARE * loss / squares
        before = {name: weight.data for name, weight in self.weights.items()}
        for _ in range(30):
            self.update(gradients, rate)
            reached = self.forward().loss.item()
            for name, array in before.items():
                self.weights[name].data = array
            if reached <= loss - rate * squares / 2:
                break
            rate /= 2
        # Few digits, so that a reader can check the step by hand.
        return float(f"{rate:.2g}")

    def repeat(
        self, forward: Forward, gradients: dict[str, Array], rate: float, max_steps: int
    ) -> tuple[tuple[Guess, ...], Outcome]:
        """Steps until the loss reaches the tolerance; at least one."""
        tolerance = TOLERANCE[self.model.schema.task]
        guesses = [self.guess(forward)]
        fits_already = guesses[0].loss <= tolerance
        for step in range(max_steps):
            if step:
                gradients = self.gradients(self.backward(forward))
            self.update(gradients, rate)
            forward = self.forward()
            if not math.isfinite(forward.loss.item()) or not np.isfinite(forward.output).all():
                return tuple(guesses), Outcome.DIVERGED
            guesses.append(self.guess(forward))
            if fits_already:
                return tuple(guesses), Outcome.FITS_ALREADY
            if guesses[-1].loss <= tolerance:
                return tuple(guesses), Outcome.FITTED
        return tuple(guesses), Outcome.OUT_OF_STEPS

    # What it predicts -----------------------------------------------------------------------------

    def guess(self, forward: Forward) -> Guess:
        answer = self.objective.answer(forward.output)[0]
        loss = forward.loss.item()
        if self.model.schema.task == "regression":
            return Guess(float(self.model.preprocessor.unscale_target(answer)), None, loss)
        classes = self.model.preprocessor.classes
        return Guess(classes[int(answer.argmax())], float(answer[int(self.target[0])]), loss)

    def outputs(self, forward: Forward) -> tuple[tuple[float, ...], dict[str, float]]:
        """Each member's standardized output or probability of the true class; all probabilities."""
        if self.model.schema.task == "regression":
            return tuple(forward.output[0, :, 0].tolist()), {}
        members = [self.objective.answer(forward.output[:, [k]])[0] for k in _members(forward)]
        answer = self.objective.answer(forward.output)[0].tolist()
        true = int(self.target[0])
        return (
            tuple(float(each[true]) for each in members),
            dict(zip(self.model.preprocessor.classes, answer, strict=True)),
        )


def _members(forward: Forward) -> range:
    return range(forward.output.shape[1])


def _labeled(outputs: Sequence[tuple[str, str, Tensor]]) -> list[Call]:
    """The calls with a non-empty output; repeated calls of a module are numbered."""
    outputs = [each for each in outputs if each[2].numel()]
    times = Counter(path for path, _, _ in outputs)
    seen: Counter[str] = Counter()
    calls = []
    for path, kind, output in outputs:
        seen[path] += 1
        label = path or "output"
        label += f" #{seen[path]}" if times[path] > 1 else ""
        calls.append(Call(label, path, kind, output))
    return calls


def cotangent_of(cotangents: dict[Node, Tensor], tensor: Tensor, otherwise: Any) -> Any:
    node = tensor._node
    return cotangents[node].numpy() if node is not None and node in cotangents else otherwise
