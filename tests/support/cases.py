"""Cases for checks, made of a few arrays: nothing is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.outcome.performance import Performance
from retrograd.diagnosis.probes.answers import Answers
from retrograd.diagnosis.record.record import Layer, Part, Record, Weights
from retrograd.diagnosis.record.store import MemoryStore, row_type
from retrograd.diagnosis.register import Check

NUMBERS, CODES, YES = Answers("numbers"), Answers("classes"), Answers("yes or no")

# Losses of runs that came out well, and badly: what of the first loss is left in the end.
GOOD, BAD = 0.1, 0.9


def layer(name: str, kind: str = "Linear", *parameters: str, **more: Any) -> Layer:
    """A layer of 16 units."""
    saved: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "shape": (32, 16),
        "axis": 1,
        "units": 16,
        "sample": 32,
        "rectifies": False,
        "bounds": None,
        "parameters": parameters,
    }
    return Layer(**{**saved, **more})


def weights(name: str, shape: tuple[int, ...] = (16, 16), std: float = 0.2, **more: Any) -> Weights:
    """A parameter that the optimizer trains."""
    saved: dict[str, Any] = {
        "layer": name.rpartition(".")[0],
        "optimized": True,
        "trained": True,
        "mean": 0.0,
        "min": -std,
        "max": std,
        "equal_units": 0.0,
        "sample": 16,
    }
    return Weights(name=name, shape=shape, std=std, **{**saved, **more})


def record(
    series: Mapping[str | tuple[str, str], Any],
    *,
    layers: Sequence[Layer] = (),
    parameters: Sequence[Weights] = (),
    epochs: Sequence[Mapping[str, Any]] = (),
    steps: Sequence[int] | None = None,
    options: Mapping[str, Any] | None = None,
    optimizer: str = "SGD",
    **facts: Any,
) -> Record:
    """A record of `series`: values by step, by a step's name or (name, subject); a number is that
    of every step. The steps are 1, 2, ... unless they are given."""
    count = max((np.size(values) for values in series.values()), default=0)
    names = tuple((key, "") if isinstance(key, str) else key for key in series)
    store = MemoryStore()
    part = Part(names, tuple(layers), tuple(parameters), optimizer, dict(options or {}), 100, 16)
    number = store.begin(dataclasses.asdict(part))
    rows = np.zeros(count, row_type(len(names)))
    rows["step"] = np.arange(1, count + 1) if steps is None else steps
    for column, values in enumerate(series.values()):
        rows["values"][:, column] = values
    store.append(number, rows)
    for place, line in enumerate(epochs, 1):
        store.add_line("epochs", {"epoch": place, "step": place, **line})
    store.write_facts(facts)
    return Record(store)


def performance(
    target: Any = (0.0, 1.0),
    outputs: Any = None,
    valid_target: Any = None,
    valid_outputs: Any = None,
    *,
    answers: Answers = NUMBERS,
    last: str = "",
    loss: Any = None,
    x: Any = None,
    valid_x: Any = None,
    **known: Any,
) -> Performance:
    """How outputs answer targets; the inputs are zeros, and the outputs too unless they are given.
    `known` takes the place of what a performance works out."""

    def data(y: Any, inputs: Any) -> Data:
        y = np.asarray(y)
        return Data((np.zeros((len(y), 1)) if inputs is None else np.asarray(inputs),), y)

    def given(values: Any, y: Any) -> Any:
        return np.zeros((len(y), 1)) if values is None else np.asarray(values, np.float64)

    train, judged = data(target, x), None
    if valid_target is not None:
        judged = data(valid_target, valid_x)
        valid_outputs = given(valid_outputs, judged.target)
    made = Performance(
        answers, last, train, given(outputs, train.target), judged, valid_outputs, loss
    )
    made.__dict__.update(known)
    return made


def losses(steps: int, left: float) -> np.ndarray[Any, Any]:
    """A loss of 1 in the first half of the steps, and of `left` in the second."""
    return np.where(np.arange(steps) < steps // 2, 1.0, left)


def epoch_losses(
    validation: Sequence[float], train: Sequence[float] | None = None
) -> list[dict[str, float]]:
    """The lines of epochs with these losses."""
    trained = validation if train is None else train
    pairs = zip(trained, validation, strict=True)
    return [{"train_loss": t, "validation_loss": v} for t, v in pairs]


def told(check: Check, case: Case) -> list[tuple[str, str]]:
    """The codes and severities of what a check finds."""
    return [(each.code, each.severity) for each in check(case)]


def only(check: Check, case: Case) -> Finding:
    """The one finding of a check."""
    (found,) = check(case)
    return found
