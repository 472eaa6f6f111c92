"""One row through the five steps of backpropagation, with its numbers, on a trained model.

Forward, error, backward, update, and the same again until the prediction fits. It runs eagerly on
NumPy, in evaluation mode, on copies of the weights: the model stays as it was.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.autodiff.tape import Node, backpropagate, recording
from retrograd.data import TableArrays, labelled_rows, take_rows
from retrograd.data.cells import normalised
from retrograd.data.table import as_table
from retrograd.data.target import read_target
from retrograd.data.words import count, shown
from retrograd.errors import DataError, UsageError
from retrograd.nn.module import observed
from retrograd.tensor import Tensor
from retrograd.train.naming import INPUTS, ElementNames
from retrograd.train.table import TableModel, objective_of
from retrograd.train.walk_record import (
    Change,
    Element,
    Guess,
    Layer,
    Outcome,
    Stats,
    Walkthrough,
    Weight,
)

__all__ = ["walk_through"]

Array = np.ndarray[Any, Any]

# The loss at which a prediction fits: within 0.01 standard deviations of the target (in the root of
# the mean over members), or a probability of 0.95 for the true class.
_FITS = {"regression": 1e-4, "classification": -math.log(0.95)}
# The share of the loss that the first step is to take away, as far as the slope tells.
_SHARE = 0.2
_ELEMENTS = 12
_CHANGES = 4


def walk_through(
    model: TableModel,
    frame: Any,
    row: int,
    *,
    learning_rate: float | None = None,
    max_steps: int = 500,
) -> Walkthrough:
    """Walk row number `row` of `frame`, counted from 1, through the five steps.

    The steps are plain gradient descent, w ← w − η ∂L/∂w. `learning_rate`, η, is by default such
    that the first step takes a fifth of this row's loss away, as far as the slope tells.

    Raises UsageError for a row that is not there, DataError for one that the model cannot read or
    that has no value of the target.
    """
    one = _one_row(frame, row, model)
    arrays, target = model.preprocessor.transform(one), model.preprocessor.target(one)
    network = model.network
    with _borrowed(network), np.errstate(all="ignore"):
        walk = _Walk(model, arrays, target)
        first = walk.forward()
        cotangents = walk.backward(first)
        gradients = walk.gradients(cotangents)
        rate = learning_rate or walk.good_rate(first, gradients)
        names = ElementNames(model)
        layers = tuple(_layer(names, each, cotangents) for each in first.calls)
        weights = tuple(
            _weight(names, name, walk.weights[name].data, gradients[name], rate)
            for name in _in_forward_order(gradients, first.calls)
        )
        outputs, probabilities = walk.outputs(first)
        guesses, outcome = walk.repeat(first, gradients, rate, max_steps)
    preprocessor = model.preprocessor
    return Walkthrough(
        row=row,
        task=model.schema.task,
        target=model.schema.target.name,
        cells=_cells(one, model),
        truth=_truth(one, model),
        truth_scaled=float(target[0]) if model.schema.task == "regression" else None,
        target_mean=preprocessor.target_mean,
        target_scale=preprocessor.target_scale,
        outputs=outputs,
        probabilities=probabilities,
        layers=layers,
        weights=weights,
        learning_rate=rate,
        is_rate_chosen=learning_rate is None,
        guesses=guesses,
        outcome=outcome,
        tolerance=_FITS[model.schema.task],
        notes=arrays.notes,
    )


# The row ------------------------------------------------------------------------------------------


def _one_row(frame: Any, row: int, model: TableModel) -> Any:
    rows = as_table(frame).num_rows
    if not 1 <= row <= rows:
        raise UsageError(
            f"There is no row {row}: the table has {count(rows, 'row')}, counted from 1 below the "
            "header."
        )
    one = take_rows(frame, np.array([row - 1]))
    labelled, _ = labelled_rows(one, model.schema)
    if not len(labelled):
        raise DataError(
            f"Row {row} has no value of the target {shown(model.schema.target.name)}, so there is "
            "no error to send back. Choose a row that has one."
        )
    try:
        model.preprocessor.transform(one)
    except DataError as error:
        raise DataError(f"Row {row}, taken by itself as row 1: {error}") from error
    return one


def _truth(one: Any, model: TableModel) -> float | str:
    """The target as it stands in the table, not through the float32 that the network takes."""
    target = model.schema.target
    value = read_target(target, normalised(as_table(one)[target.name]))[0]
    return target.classes[int(value)] if target.classes else float(value)


def _cells(one: Any, model: TableModel) -> dict[str, str]:
    table = as_table(one)
    cells = {column.name: table[column.name][0].as_py() for column in model.schema.features}
    return {name: "missing" if cell is None else str(cell) for name, cell in cells.items()}


@contextmanager
def _borrowed(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode with NumPy copies of its variables, put back at the end."""
    variables = [*network.parameters(), *network.buffers()]
    before = [variable.data for variable in variables]
    modes = [(module, module.training) for module in network.modules()]
    try:
        network.eval()
        for variable, array in zip(variables, before, strict=True):
            variable.data = np.array(array)
        with recording(True):
            yield
    finally:
        for variable, array in zip(variables, before, strict=True):
            variable.data = array
        for module, mode in modes:
            module._training = mode


# The steps ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Call:
    """One call of a module in the forward pass. `path` is "" for the network itself."""

    label: str
    path: str
    kind: str
    output: Tensor


@dataclass(frozen=True)
class _Forward:
    calls: list[_Call]
    output: Array
    loss: Tensor


class _Walk:
    """The network on one row: forward, backward and update."""

    def __init__(self, model: TableModel, arrays: TableArrays, target: Array) -> None:
        self.model = model
        self.objective = objective_of(model.schema)
        self.weights = {
            name: parameter
            for name, parameter in model.network.named_parameters()
            if parameter.requires_grad and parameter.numel()
        }
        # It requires a gradient so that the cotangents reach the row's own numbers.
        self.numbers = Tensor(arrays.numbers, requires_grad=True)
        self.categories = Tensor(arrays.categories)
        self.target = target

    def forward(self) -> _Forward:
        paths = {id(module): path for path, module in self.model.network.named_modules()}
        outputs: list[tuple[str, str, Tensor]] = [("numbers", "Input", self.numbers)]

        def observe(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> Any:
            # A module that hands its input on, as dropout does in evaluation, shows nothing new.
            if isinstance(output, Tensor) and not any(output is each for each in inputs):
                outputs.append((paths[id(module)], type(module).__name__, output))
            return output

        with observed(observe):
            output = self.model.network(self.numbers, self.categories)
        loss = self.objective.loss(output, Tensor(self.target))
        return _Forward(_labelled(outputs), output.numpy(), loss)

    def backward(self, forward: _Forward) -> dict[Node, Tensor]:
        """The cotangent of every output and weight that the loss depends on, by its node."""
        root = forward.loss._node
        assert root is not None  # the row's numbers require a gradient
        outputs = [call.output._node for call in forward.calls]
        return backpropagate(
            [(root, Tensor(np.ones((), forward.loss.dtype)))],
            watch=[node for node in outputs if node is not None],
        )

    def gradients(self, cotangents: dict[Node, Tensor]) -> dict[str, Array]:
        return {
            name: _of(cotangents, weight, np.zeros_like(weight.data))
            for name, weight in self.weights.items()
        }

    def update(self, gradients: dict[str, Array], rate: float) -> None:
        """w ← w − η ∂L/∂w."""
        for name, gradient in gradients.items():
            self.weights[name].data = self.weights[name].data - rate * gradient

    def good_rate(self, forward: _Forward, gradients: dict[str, Array]) -> float:
        """η that takes `_SHARE` of the loss away by the slope, and at least half of that in truth.

        By the slope the loss falls by η‖∂L/∂w‖². Where the loss is too curved for that (Armijo
        1966), η is halved.
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
        # Few digits, so that the step can be checked by hand.
        return float(f"{rate:.2g}")

    def repeat(
        self, forward: _Forward, gradients: dict[str, Array], rate: float, max_steps: int
    ) -> tuple[tuple[Guess, ...], Outcome]:
        """Steps until the loss is at the tolerance; at least one."""
        tolerance = _FITS[self.model.schema.task]
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

    def guess(self, forward: _Forward) -> Guess:
        answer = self.objective.answer(forward.output)[0]
        loss = forward.loss.item()
        if self.model.schema.task == "regression":
            return Guess(float(self.model.preprocessor.unscale_target(answer)), None, loss)
        classes = self.model.preprocessor.classes
        return Guess(classes[int(answer.argmax())], float(answer[int(self.target[0])]), loss)

    def outputs(self, forward: _Forward) -> tuple[tuple[float, ...], dict[str, float]]:
        """Each member's standardized answer, or probability of the true class; the probabilities."""
        if self.model.schema.task == "regression":
            return tuple(forward.output[0, :, 0].tolist()), {}
        members = [self.objective.answer(forward.output[:, [k]])[0] for k in _members(forward)]
        answer = self.objective.answer(forward.output)[0].tolist()
        true = int(self.target[0])
        return (
            tuple(float(each[true]) for each in members),
            dict(zip(self.model.preprocessor.classes, answer, strict=True)),
        )


def _members(forward: _Forward) -> range:
    return range(forward.output.shape[1])


def _labelled(outputs: Sequence[tuple[str, str, Tensor]]) -> list[_Call]:
    """The calls with something in them; a module that is called again is numbered."""
    outputs = [each for each in outputs if each[2].numel()]
    times = Counter(path for path, _, _ in outputs)
    seen: Counter[str] = Counter()
    calls = []
    for path, kind, output in outputs:
        seen[path] += 1
        label = path or "output"
        label += f" #{seen[path]}" if times[path] > 1 else ""
        calls.append(_Call(label, path, kind, output))
    return calls


def _in_forward_order(weights: Iterable[str], calls: Sequence[_Call]) -> list[str]:
    order = [call.path for call in calls]
    return sorted(weights, key=lambda name: order.index(name.rpartition(".")[0]))


def _of(cotangents: dict[Node, Tensor], tensor: Tensor, otherwise: Any) -> Any:
    node = tensor._node
    return cotangents[node].numpy() if node is not None and node in cotangents else otherwise


# What is kept of it -------------------------------------------------------------------------------


def _layer(names: ElementNames, call: _Call, cotangents: dict[Node, Tensor]) -> Layer:
    values = call.output.numpy()
    cotangent = _of(cotangents, call.output, None)
    elements = []
    for index in _largest(values if cotangent is None else cotangent, _ELEMENTS):
        blame = None if cotangent is None else float(cotangent[index])
        elements.append(Element(names.output(call.path, index), float(values[index]), blame))
    return Layer(
        call.label,
        call.kind,
        call.path.partition(".")[0] in INPUTS,
        _stats(values),
        None if cotangent is None else _stats(cotangent),
        tuple(elements),
    )


def _weight(names: ElementNames, name: str, values: Array, gradient: Array, rate: float) -> Weight:
    after = values - rate * gradient
    return Weight(
        name=name,
        layer=name.rpartition(".")[0] or "output",
        shape=values.shape,
        norm=_norm(values),
        gradient_norm=_norm(gradient),
        change_norm=_norm(after - values),
        largest=tuple(
            Change(
                names.weight(name, index),
                float(values[index]),
                float(gradient[index]),
                float(after[index]),
            )
            for index in _largest(gradient, _CHANGES)
        ),
    )


def _largest(values: Array, most: int) -> list[tuple[int, ...]]:
    """The indices of the `most` largest magnitudes that are not 0, largest first."""
    sizes = np.abs(values).ravel()
    order = np.argsort(-sizes, kind="stable")[:most]
    return [
        tuple(int(i) for i in np.unravel_index(place, values.shape))
        for place in order
        if sizes[place]
    ]


def _stats(values: Array) -> Stats:
    return Stats(
        values.shape,
        _norm(values),
        float(values.mean()),
        float(values.min()),
        float(values.max()),
    )


def _norm(values: Array) -> float:
    return float(np.linalg.norm(values.astype(np.float64)))
