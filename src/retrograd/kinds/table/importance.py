"""Which columns the predictions rest on, by integrated gradients and by shuffling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from retrograd import nn, ops
from retrograd.autodiff.tape import no_grad
from retrograd.kinds.base.importance import Importance, Reasons, integrated_gradients
from retrograd.kinds.table.data import TableData
from retrograd.tensor import Tensor
from retrograd.training.predictor import ROWS_PER_CALL

if TYPE_CHECKING:
    from retrograd.kinds.table.model import TableModel

__all__ = ["column_importance", "column_reasons"]

Array = np.ndarray[Any, Any]

_SHUFFLES = 3
_MOST_REASONS = 6
# A row is compared with the average of this many rows.
_BACKGROUND = 500


def column_importance(
    model: TableModel, data: TableData, rows: int, predictions: int
) -> Importance:
    """How much each column matters; see `Explains.importance`."""
    rng = np.random.default_rng(0)
    # At most as many as the predictor takes at a time, so that no new program is compiled.
    data = _some(data, ROWS_PER_CALL, rng)
    truth = model.targets(data)
    arrays = model.preprocessor.transform(data.frame)
    inputs = arrays.numbers, arrays.categories
    sample = rng.permutation(len(truth))[:rows]
    names, attributed = _attributed(model, tuple(each[sample] for each in inputs), inputs)
    attribution = np.abs(attributed).mean(0)
    intact = _error(model, model.predict_from(inputs), truth)
    shuffled = np.full(len(names), np.nan)
    affordable = predictions // (max(len(truth), 1) * _SHUFFLES)
    sources = np.asarray(model.preprocessor.feature_sources)
    for place in np.argsort(-attribution)[:affordable]:
        of_column = sources == names[place]
        errors = []
        for _ in range(_SHUFFLES):
            order = rng.permutation(len(truth))
            changed = _with_shuffled(inputs, of_column, order)
            errors.append(_error(model, model.predict_from(changed), truth))
        shuffled[place] = np.mean(errors)
    return Importance(
        names,
        attribution,
        model.target_name if model.task == "regression" else "probability",
        shuffled,
        intact,
        "root mean squared error" if model.task == "regression" else "log loss",
        len(sample),
        len(truth),
    )


def column_reasons(model: TableModel, data: TableData, rows: Array) -> list[Reasons]:
    """What the columns of some rows add to the predictions, relative to those for an average row.

    See `Explains.reasons`.
    """
    chosen = data.take(rows)
    arrays, others = (
        model.preprocessor.transform(each.frame)
        for each in (chosen, _some(data, _BACKGROUND, np.random.default_rng(0)))
    )
    names, attributed = _attributed(
        model, (arrays.numbers, arrays.categories), (others.numbers, others.categories)
    )
    reasons: list[Reasons] = []
    for place, row in enumerate(attributed):
        largest = np.argsort(-np.abs(row))[:_MOST_REASONS]
        cells = chosen.frame[place : place + 1]
        reasons.append(tuple((_named(names[i], cells), float(row[i])) for i in largest if row[i]))
    return reasons


def _named(name: str, row: Any) -> str:
    value = row[name].to_list()[0]
    return f"{name} {'missing' if value is None else value}"


def _some(data: TableData, most: int, rng: np.random.Generator) -> TableData:
    """At most `most` rows, in order."""
    if len(data) <= most:
        return data
    return data.take(np.sort(rng.choice(len(data), most, replace=False)))


def _attributed(
    model: TableModel, inputs: tuple[Array, ...], background: tuple[Array, ...]
) -> tuple[tuple[str, ...], Array]:
    """The columns' names, and what each adds to each row's prediction, (rows, columns).

    The path to a row starts at the average of the encoded `background` rows.
    """
    network = model.network
    with nn.evaluating(network):
        with no_grad():
            encoded = network.encoded(*map(Tensor, inputs)).numpy()
            average = network.encoded(*map(Tensor, background)).numpy().mean(0)
            output = network.answered(Tensor(encoded))
            chosen = ops.softmax(output, -1).mean(1).numpy().argmax(1)
        by_feature = integrated_gradients(
            lambda x: _answer(model, network.answered(x), chosen), encoded, average
        )
    names = tuple(dict.fromkeys(model.preprocessor.feature_sources))
    place_of = {name: place for place, name in enumerate(names)}
    of_input = np.array([place_of[name] for name in model.preprocessor.feature_sources])
    by_column = np.zeros((len(encoded), len(names)))
    np.add.at(by_column.T, of_input[network.sources], by_feature.T)
    return names, by_column


def _answer(model: TableModel, output: Tensor, chosen: Array) -> Tensor:
    """(rows, members, outputs) -> (rows,): the number, or the probability of the class `chosen`."""
    if model.task == "regression":
        return output[:, :, 0].mean(1) * float(model.preprocessor.target_scale)
    probabilities = ops.softmax(output, -1).mean(1)
    return (probabilities * np.eye(probabilities.shape[1], dtype=np.float32)[chosen]).sum(1)


def _error(model: TableModel, answers: Array, truth: Array) -> float:
    if model.task == "regression":
        return float(np.sqrt(np.mean((answers - truth) ** 2)))
    chosen = np.take_along_axis(answers, truth[:, None], 1)
    return float(-np.log(np.maximum(chosen, np.finfo(np.float32).tiny)).mean())


def _with_shuffled(
    inputs: tuple[Array, Array], of_column: Array, order: Array
) -> tuple[Array, Array]:
    """The inputs with one column's features taken from other rows."""
    numbers, categories = (each.copy() for each in inputs)
    count = numbers.shape[1]
    numbers[:, of_column[:count]] = numbers[order][:, of_column[:count]]
    categories[:, of_column[count:]] = categories[order][:, of_column[count:]]
    return numbers, categories
