"""A training as its author wrote it, and its run under the recorder."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import retrograd as rg
from retrograd import nn, optim
from retrograd.training.predictor import Predictor

__all__ = ["Ran", "Training", "batches", "ran"]

Array = np.ndarray[Any, Any]
Rows = tuple[Any, Array]  # inputs, an array or a tuple of arrays, and the target


@dataclass(frozen=True)
class Training:
    """Model, data, loss and optimizer, as `rg.diagnose` takes them, and what the author watches.

    `score(predict)` is the author's figure, larger is better: `predict(*inputs)` gives the trained
    model's outputs in evaluation mode. A run of which it is at least `well` ended well; `well` was
    frozen with the program, before any diagnosis. The last batch of an epoch may be smaller.
    `fit(model, optimizer, rng)` is a loop of the author's own, in place of the usual one; it steps
    `optimizer` on `model`, and may have other models and optimizers within.
    """

    model: Callable[[], nn.Module]
    train: Rows
    loss: Callable[[Any, Any], Any]
    optimizer: Callable[[Iterator[nn.Parameter]], optim.Optimizer]
    score: Callable[[Callable[..., Array]], float]
    well: float
    epochs: int = 10
    batch_size: int = 32
    valid: Rows | None = None
    task: str | None = None
    shuffle: bool = True
    fit: Callable[[nn.Module, optim.Optimizer, np.random.Generator], None] | None = None


@dataclass(frozen=True)
class Ran:
    """A finished run: what `rg.diagnose` needs afterwards, and the author's figure."""

    model: nn.Module
    optimizer: optim.Optimizer
    record: Any
    score: float


def batches(
    rows: Rows, size: int, rng: np.random.Generator | None
) -> Iterator[tuple[tuple[Array, ...], Array]]:
    """One epoch of mini-batches, shuffled if there is an `rng`."""
    inputs, target = rows
    inputs = inputs if isinstance(inputs, tuple) else (inputs,)
    order = np.arange(len(target)) if rng is None else rng.permutation(len(target))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        yield tuple(each[chosen] for each in inputs), target[chosen]


def ran(training: Training, seed: int = 0) -> Ran:
    """Train with all random numbers from `seed`, recorded, and take the author's figure."""
    rg.manual_seed(seed)
    rng = np.random.default_rng((seed, 1))
    model = training.model()
    optimizer = training.optimizer(model.parameters())
    with warnings.catch_warnings(), rg.record(model, optimizer) as record:
        warnings.simplefilter("ignore", RuntimeWarning)  # some programs overflow
        if training.fit is None:
            _usual_loop(training, model, optimizer, rng)
        else:
            training.fit(model, optimizer, rng)
        predict = Predictor(model)
        score = float(training.score(lambda *inputs: predict(inputs)))
    return Ran(model, optimizer, record, score if math.isfinite(score) else -math.inf)


def _usual_loop(
    training: Training, model: nn.Module, optimizer: optim.Optimizer, rng: np.random.Generator
) -> None:
    @rg.compile
    def step(inputs: tuple[Array, ...], target: Array) -> Any:
        optimizer.zero_grad()
        loss = training.loss(model(*inputs), target)
        loss.backward()
        optimizer.step()
        return loss

    for _ in range(training.epochs):
        model.train()
        for inputs, target in batches(
            training.train, training.batch_size, rng if training.shuffle else None
        ):
            step(inputs, target)
