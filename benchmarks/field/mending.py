"""Trainings of the benchmark as Programs, so that remedies can be applied to them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from training import Rows, Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.probes.answers import how_answered
from retrograd.diagnosis.probes.operations import operations
from retrograd.training.predictor import Predictor

__all__ = ["Mendable", "mendable"]

Array = np.ndarray[Any, Any]

# Where the author has no validation rows, a fifth of at least so many training rows is held out; of
# fewer all are for both.
_ENOUGH = 60
_CLASSES = "classification"
_LINKS = {"sigmoid": rg.sigmoid, "softmax": lambda output: rg.softmax(output, -1)}


@dataclass(frozen=True)
class Mendable(rg.Program):
    """A Program whose score on `test`, the rows that the author's figure asks for, is that figure.

    The figure sees what the author would make of a remedy: predictions in the units of his target,
    and probabilities where his model gave some.
    """

    training: Training | None = None
    asked: Array | None = None
    ended_in: str = ""

    def score(self, predict: Predictor, examples: rg.Samples) -> float:
        """The author's figure on `test`; elsewhere R² or accuracy, or NaN."""
        assert self.training is not None
        if examples is not self.test:
            try:
                return super().score(predict, examples)
            except (ValueError, IndexError):  # such outputs have no accuracy
                return math.nan

        def answers(*inputs: Array) -> Array:
            given = _packed(inputs) if examples.inputs is self.asked else examples.inputs
            return self._as_the_author_has_it(predict((given,)), predict, given)

        try:
            figure = float(self.training.score(answers))
        except (ValueError, IndexError):  # a remedy gave the outputs another shape
            return math.nan
        return figure if math.isfinite(figure) else math.nan

    def _as_the_author_has_it(self, output: Array, predict: Predictor, inputs: Array) -> Array:
        assert self.training is not None
        target, now = np.asarray(self.training.train[1]), np.asarray(self.train.target)
        if self.task == "regression" and target.ndim == now.ndim and now.dtype.kind == "f":
            ratio = target.std(0) / np.where(now.std(0) > 0, now.std(0), 1)
            if not np.allclose(target.mean(0), now.mean(0), rtol=0.2, atol=0.2 * target.std()):
                return (output - now.mean(0)) * ratio + target.mean(0)
        link = _LINKS.get(self.ended_in) if self.task == _CLASSES else None
        if link is not None and operations(predict.model, (inputs[:4],))[-1] != self.ended_in:
            return np.asarray(link(rg.Tensor(output)).data)
        return output


def mendable(training: Training) -> Mendable | None:
    """The training as a Program; None where the author asks for several predictions, or
    where outputs are not for rows."""
    inputs, target = training.train
    shapes = [each.shape[1:] for each in _all(inputs)]
    kinds = [each.dtype for each in _all(inputs)]

    def build() -> nn.Module:
        model = training.model()
        return model if len(shapes) == 1 else _Unpacked(model, shapes, kinds)

    train, valid = rg.Samples(_packed(_all(inputs)), np.asarray(target)), _validation(training)
    if valid is None:
        order = np.random.default_rng(0).permutation(len(train.target))
        rest, held = order[len(order) // 5 :], order[: len(order) // 5]
        if len(order) >= _ENOUGH:
            train, valid = (rg.Samples(*(each[rows] for each in train)) for rows in (rest, held))
        else:
            valid = train
    rg.manual_seed(0)
    model, few = build().eval(), train.inputs[:64]
    output = np.asarray(Predictor(model)((few,)))
    last = operations(model, (few[:4],))[-1]
    found = how_answered(
        output, train.target[:64], task=training.task, last_operation=last, loss=training.loss
    )
    asked = _asked(training, Predictor(model))
    if asked is None or len(output) != len(few):
        return None
    if found is None:  # the loss does not tell, as one that broadcasts does not
        task = training.task or ("regression" if train.target.dtype.kind == "f" else _CLASSES)
    else:
        task = "regression" if found.kind == "numbers" else _CLASSES
    make, options = _optimizer(training)
    own = training.fit
    return Mendable(
        model=build,
        loss=training.loss,
        train=train,
        valid=valid,
        task=task,
        optimizer=make,
        options=options,
        epochs=training.epochs,
        batch_size=training.batch_size,
        shuffle=training.shuffle,
        test=rg.Samples(asked, np.zeros((len(asked), *train.target.shape[1:]), train.target.dtype)),
        fit=None if own is None else (lambda program, *arguments: own(*arguments)),
        training=training,
        asked=asked,
        ended_in=last,
    )


class _Unpacked(nn.Module):
    """A model of several inputs, from one array that holds them side by side."""

    def __init__(self, model: nn.Module, shapes: list[Any], kinds: list[Any]) -> None:
        super().__init__()
        self.model = model
        self.shapes, self.kinds = shapes, kinds

    def forward(self, packed: rg.Tensor) -> Any:
        start, parts = 0, []
        for shape, kind in zip(self.shapes, self.kinds, strict=True):
            width = math.prod(shape)
            part = packed[:, start : start + width].reshape(packed.shape[0], *shape)
            parts.append(part.astype(kind))
            start += width
        return self.model(*parts)


def _all(inputs: Any) -> tuple[Array, ...]:
    return inputs if isinstance(inputs, tuple) else (inputs,)


def _packed(inputs: tuple[Array, ...]) -> Array:
    if len(inputs) == 1:
        return inputs[0]
    flat = [each.reshape(len(each), -1) for each in inputs]
    return np.concatenate(flat, 1).astype(np.float32)


def _validation(training: Training) -> rg.Samples | None:
    if training.valid is None:
        return None
    rows: Rows = training.valid
    return rg.Samples(_packed(_all(rows[0])), np.asarray(rows[1]))


def _asked(training: Training, predict: Predictor) -> Array | None:
    """The inputs that the author's figure asks predictions for; None if it asks several times."""
    calls: list[Array] = []

    def listen(*inputs: Array) -> Array:
        calls.append(_packed(inputs))
        return np.asarray(predict((calls[-1],)))

    training.score(listen)
    return calls[0] if len(calls) == 1 else None


def _optimizer(training: Training) -> tuple[Any, dict[str, float]]:
    """The author's optimizer as one that takes options, and the options it has."""
    made = training.optimizer(training.model().parameters())
    rate = float(made.param_groups[0]["lr"])
    decay = float(made.defaults.get("weight_decay", 0.0) or 0.0)

    def make(parameters: Any, **options: Any) -> optim.Optimizer:
        optimizer = training.optimizer(parameters)
        for group in optimizer.param_groups:
            group["lr"] = float(group["lr"]) * options.get("lr", rate) / rate
            if "weight_decay" in options:
                group["weight_decay"] = options["weight_decay"]
        return optimizer

    make.__name__ = type(made).__name__
    return make, {"lr": rate, **({"weight_decay": decay} if decay else {})}
