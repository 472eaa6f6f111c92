"""For tuning: losses that do not match the outputs of the network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from cases import Pair, case, on
from data import abalone, diamonds, digits, mnist, mnist1d, scaled, temperatures, wine
from programs import cnn, mlp, rnn, signal_cnn, training

import retrograd as rg
from retrograd import nn


@case("abalone/mlp/cross-entropy-of-numbers")
def wrong_loss() -> Pair:
    data = scaled(abalone())
    healthy = training(data, mlp(data, [32, 16]), epochs=12)

    def loss(output: Any, target: Any) -> Any:
        return nn.binary_cross_entropy_with_logits(output[:, 0], target)

    return healthy, replace(healthy, loss=loss)


@case("mnist1d/cnn/softmax-twice")
def softmax_twice() -> Pair:
    data = mnist1d()
    healthy = training(
        data, signal_cnn(data, [16, 32, 32], norm=nn.BatchNorm1d, drop=0.3), epochs=10
    )
    twice = signal_cnn(
        data, [16, 32, 32], norm=nn.BatchNorm1d, drop=0.3, end=[lambda: nn.Softmax(-1)]
    )
    return healthy, replace(healthy, model=twice)


@case("mnist/cnn/likelihood-of-scores")
def softmax_missing() -> Pair:
    data = mnist()
    healthy = training(
        data,
        cnn(data, [8, 16], end=[lambda: nn.LogSoftmax(-1)]),
        loss=nn.nll_loss,
        epochs=10,
        lr=5e-3,
    )
    return healthy, replace(healthy, model=cnn(data, [8, 16]))


@case("wine/mlp/sigmoid-twice")
def sigmoid_twice() -> Pair:
    data = scaled(wine())
    healthy = training(data, mlp(data, [16, 16]), epochs=10)
    return healthy, replace(healthy, model=mlp(data, [16, 16], end=[nn.Sigmoid]))


@case("temperatures/rnn/tanh-output")
def out_of_reach() -> Pair:
    """The next day's temperature in degrees, from a tanh."""
    scaled_data = temperatures()
    degrees = scaled_data.change(target=lambda y: y * 4 + 11)
    healthy = training(scaled_data, rnn(scaled_data, 24, nn.GRU), epochs=10)
    return healthy, replace(on(healthy, degrees), model=rnn(degrees, 24, nn.GRU, end=[nn.Tanh]))


@case("diamonds/mlp/column-against-row")
def broadcast() -> Pair:
    data = scaled(diamonds())

    def loss(output: Any, target: Any) -> Any:
        return ((output - target) ** 2).mean()

    healthy = training(data, mlp(data, [64, 32]), epochs=15)
    return healthy, replace(healthy, loss=loss)


@case("digits/mlp/logarithm-of-zero")
def logarithm_of_zero() -> Pair:
    """Shares of what a ReLU leaves in place of a softmax: some are zero."""
    data = digits()

    def loss(output: Any, target: Any) -> Any:
        positive = rg.relu(output)
        p = positive / positive.sum(-1, keepdim=True)
        y = (target.unsqueeze(1) == np.arange(10)).astype("float32")
        return -(y * rg.log(p)).sum(-1).mean()

    healthy = training(data, mlp(data, [64]), lr=1.5e-2, epochs=15)
    return healthy, replace(healthy, loss=loss)
