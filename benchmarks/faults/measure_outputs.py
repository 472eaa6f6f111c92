"""Only for measuring: losses that do not match the outputs of the network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from cases import Pair, case
from data import abalone, california, diamonds, digits, letters, scaled, titanic
from programs import Builder, mlp, training

import retrograd as rg
from retrograd import nn


@case("letters/mlp/squared-error-of-codes")
def wrong_loss() -> Pair:
    """The number of the letter, fitted like a measurement."""
    data = scaled(letters())
    healthy = training(data, mlp(data, [88]), epochs=20, lr=4e-3)

    def loss(output: Any, target: Any) -> Any:
        return nn.mse_loss(output[:, 0], target.astype("float32"))

    return healthy, replace(healthy, model=mlp(data, [88], outputs=1), loss=loss)


@case("digits/mlp/softmax-twice")
def softmax_twice() -> Pair:
    data = digits()
    healthy = training(data, mlp(data, [40, 40]), epochs=15)
    twice = mlp(data, [40, 40], end=[lambda: nn.Softmax(-1)])
    return healthy, replace(healthy, model=twice)


@case("letters/mlp/likelihood-of-scores")
def softmax_missing() -> Pair:
    data = scaled(letters())
    healthy = training(
        data, mlp(data, [80], end=[lambda: nn.LogSoftmax(-1)]), loss=nn.nll_loss, epochs=20
    )
    return healthy, replace(healthy, model=mlp(data, [80]))


@case("titanic/mlp/sigmoid-twice")
def sigmoid_twice() -> Pair:
    data = scaled(titanic())
    healthy = training(data, mlp(data, [12, 12], nn.ELU), epochs=12)
    return healthy, replace(healthy, model=mlp(data, [12, 12], nn.ELU, end=[nn.Sigmoid]))


@case("abalone/mlp/relu-output")
def out_of_reach() -> Pair:
    """The scaled target is below zero for half of the rows."""
    data = scaled(abalone())
    healthy = training(data, mlp(data, [28]), epochs=14, lr=4e-3)
    return healthy, replace(healthy, model=mlp(data, [28], end=[nn.ReLU]))


@case("california/mlp/column-against-row")
def broadcast() -> Pair:
    data = scaled(california())

    def loss(output: Any, target: Any) -> Any:
        return (output - target).abs().mean()

    def healthy_loss(output: Any, target: Any) -> Any:
        return (output.squeeze(1) - target).abs().mean()

    healthy = training(data, mlp(data, [40, 20]), loss=healthy_loss, epochs=16)
    return healthy, replace(healthy, loss=loss)


class Distances(nn.Module):
    """(batch, in) -> (batch, rows): how far it is to each of `rows`, the centers at the start.

    `floor` keeps the root away from zero.
    """

    def __init__(self, rows: np.ndarray, floor: float) -> None:
        super().__init__()
        self.centers = rg.Parameter(rows)
        self.floor = floor

    def forward(self, x: Any) -> Any:
        away = rg.unsqueeze(x, 1) - self.centers
        return rg.sqrt((away * away).sum(-1) + self.floor)


@case("diamonds/mlp/root-at-zero")
def root_at_zero() -> Pair:
    """A row that is a center itself has the distance zero, where the root's slope is infinite."""
    data = scaled(diamonds())
    rows = data.train.inputs[:24]

    def model(floor: float) -> Builder:
        return lambda: nn.Sequential(
            Distances(rows, floor), nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 1)
        )

    healthy = training(data, model(1e-2), epochs=20)
    return healthy, replace(healthy, model=model(0.0))
