"""One row through the five steps of backpropagation on a trained model, with its numbers.

Forward, error, backward, update, repeated until the prediction fits. It runs eagerly on NumPy, in
evaluation mode, on copies of the weights: the model is unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from retrograd import nn
from retrograd.autodiff.tape import Node, recording
from retrograd.data import labeled_rows, take_rows, target_values
from retrograd.data.tables.places import RowError
from retrograd.data.tables.table import as_table
from retrograd.errors import DataError, UsageError
from retrograd.kinds.table.model import TableModel
from retrograd.kinds.table.naming import INPUTS, ElementNames
from retrograd.kinds.table.walk_record import (
    Change,
    Element,
    Stats,
    WalkedLayer,
    Walkthrough,
    Weight,
)
from retrograd.kinds.table.walk_steps import TOLERANCE, Call, Steps, cotangent_of
from retrograd.tensor import Tensor
from retrograd.wording import count, shown

__all__ = ["walk_through"]

Array = np.ndarray[Any, Any]

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
    """Walk row `row` of `frame`, counted from 1, through the five steps.

    The steps are plain gradient descent, w ← w − η ∂L/∂w. By default `learning_rate`, η, is chosen
    so that the first step removes a fifth of this row's loss, judged by the slope.

    Raises UsageError for a row that does not exist or a learning rate that is not above 0,
    DataError for a row that the model cannot read or that has no target value.
    """
    if learning_rate is not None and not 0 < learning_rate < float("inf"):
        raise UsageError(f"The learning rate is {learning_rate}; expected a number above 0.")
    one = _one_row(frame, row, model)
    try:
        arrays, target = model.preprocessor.transform(one), model.preprocessor.target(one)
    except RowError as error:
        raise error.at(row - 1) from error  # it was read by itself
    with _borrowed(model.network), np.errstate(all="ignore"):
        walk = Steps(model, arrays, target)
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
        tolerance=TOLERANCE[model.schema.task],
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
    labeled, _ = labeled_rows(one, model.schema)
    if not len(labeled):
        raise DataError(
            f"Row {row} has no value in the target {shown(model.schema.target.name)}, so there is "
            "no error to propagate back. Choose a row that has one."
        )
    return one


def _truth(one: Any, model: TableModel) -> float | str:
    """The target as it is in the table, not rounded to the float32 that the network takes."""
    target = model.schema.target
    value = target_values(one, model.schema)[0]
    return target.classes[int(value)] if target.classes else float(value)


def _cells(one: Any, model: TableModel) -> dict[str, str]:
    table = as_table(one)
    cells = {column.name: table[column.name][0].as_py() for column in model.schema.features}
    return {name: "missing" if cell is None else str(cell) for name, cell in cells.items()}


@contextmanager
def _borrowed(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode with NumPy copies of its variables, restored at the end."""
    variables = [*network.parameters(), *network.buffers()]
    before = [variable.data for variable in variables]
    try:
        for variable, array in zip(variables, before, strict=True):
            variable.data = np.array(array)
        with nn.evaluating(network), recording(True):
            yield
    finally:
        for variable, array in zip(variables, before, strict=True):
            variable.data = array


# The record ---------------------------------------------------------------------------------------


def _layer(names: ElementNames, call: Call, cotangents: dict[Node, Tensor]) -> WalkedLayer:
    values = call.output.numpy()
    cotangent = cotangent_of(cotangents, call.output, None)
    elements = []
    for index in _largest(values if cotangent is None else cotangent, _ELEMENTS):
        blame = None if cotangent is None else float(cotangent[index])
        elements.append(Element(names.output(call.path, index), float(values[index]), blame))
    return WalkedLayer(
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


def _in_forward_order(weights: Iterable[str], calls: Sequence[Call]) -> list[str]:
    order = [call.path for call in calls]
    return sorted(weights, key=lambda name: order.index(name.rpartition(".")[0]))


def _largest(values: Array, most: int) -> list[tuple[int, ...]]:
    """The indices of the `most` largest nonzero magnitudes, largest first."""
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
