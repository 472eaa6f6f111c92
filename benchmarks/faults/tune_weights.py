"""For tuning: initial weights and activations that block the gradient."""

from __future__ import annotations

from dataclasses import replace

from cases import Pair, case
from data import (
    california,
    digit_images,
    digit_rows,
    digits,
    letters,
    mnist1d,
    scaled,
    temperatures,
)
from programs import biases, cnn, he, mlp, rnn, signal_cnn, training, weights, xavier

from retrograd import nn


@case("digits/mlp/eight-sigmoid-layers")
def eight_sigmoid_layers() -> Pair:
    data = digits()
    healthy = training(data, mlp(data, [48] * 3, start=he()), epochs=12, lr=2e-3)
    return healthy, replace(healthy, model=mlp(data, [48] * 8, nn.Sigmoid, start=xavier()))


@case("letters/mlp/six-sigmoid-layers")
def six_sigmoid_layers() -> Pair:
    data = scaled(letters())
    healthy = training(data, mlp(data, [96, 96], nn.Tanh, start=xavier()))
    return healthy, replace(healthy, model=mlp(data, [96] * 6, nn.Sigmoid, start=xavier()))


@case("digit-rows/rnn/recurrent-weights-too-large")
def rows_exploding() -> Pair:
    data = digit_rows()
    large = weights(lambda weight: nn.init.normal_(weight, 0, 1.5), recurrent=True)
    healthy = training(data, rnn(data, 48))
    return healthy, replace(healthy, model=rnn(data, 48, start=large))


@case("temperatures/rnn/recurrent-weights-too-large")
def temperatures_exploding() -> Pair:
    data = temperatures()
    large = weights(lambda weight: nn.init.normal_(weight, 0, 0.8), recurrent=True)
    healthy = training(data, rnn(data, 32), epochs=12, lr=2e-3)
    return healthy, replace(healthy, model=rnn(data, 32, start=large))


@case("california/mlp/biases-far-below-zero")
def dead() -> Pair:
    data = scaled(california())
    healthy = training(data, mlp(data, [64, 32]))
    return healthy, replace(healthy, model=mlp(data, [64, 32], start=biases(-8.0)))


@case("letters/mlp/tanh-of-large-sums")
def saturated() -> Pair:
    data = scaled(letters())
    healthy = training(data, mlp(data, [128], nn.Tanh))
    large = weights(lambda weight: nn.init.normal_(weight, 0, 6.0))
    return healthy, replace(healthy, model=mlp(data, [128], nn.Tanh, start=large))


@case("digits/cnn/all-weights-zero")
def zeros() -> Pair:
    data = digit_images()
    healthy = training(data, cnn(data, [12, 16]))
    return healthy, replace(healthy, model=cnn(data, [12, 16], start=weights(nn.init.zeros_)))


@case("digit-rows/rnn/all-weights-alike")
def alike() -> Pair:
    data = digit_rows()
    healthy = training(data, rnn(data, 40), lr=4e-3)
    same = weights(lambda weight: nn.init.constant_(weight, 0.05))
    return healthy, replace(healthy, model=rnn(data, 40, start=same))


@case("mnist1d/cnn/no-activations")
def linear_signal() -> Pair:
    data = mnist1d()
    healthy = training(data, signal_cnn(data, [12, 24, 36], norm=nn.BatchNorm1d), epochs=7)
    return healthy, replace(healthy, model=signal_cnn(data, [12, 24, 36], nn.Identity))
