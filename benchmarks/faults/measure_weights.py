"""Only for measuring: initial weights and activations that block the gradient."""

from __future__ import annotations

from dataclasses import replace

from cases import Pair, case
from data import (
    abalone,
    california,
    digit_images,
    digit_rows,
    letters,
    mnist1d,
    penguins,
    scaled,
    wine,
)
from programs import biases, cnn, he, mlp, rnn, signal_cnn, training, weights

from retrograd import nn, optim


@case("wine/mlp/tanh-layers-of-small-weights")
def tanh_layers() -> Pair:
    data = scaled(wine())
    healthy = training(
        data, mlp(data, [32] * 3, nn.Tanh), optimizer=optim.SGD, lr=0.03, momentum=0.9, epochs=12
    )
    small = weights(lambda weight: nn.init.normal_(weight, 0, 0.02))
    return healthy, replace(healthy, model=mlp(data, [32] * 8, nn.Tanh, start=small))


@case("digit-rows/rnn/recurrent-weights-near-zero")
def rows_vanishing() -> Pair:
    """The first rows of a sequence are forgotten at once, and so is their gradient."""
    data = digit_rows()
    small = weights(lambda weight: nn.init.normal_(weight, 0, 0.001), recurrent=True)
    healthy = training(data, rnn(data, 56), lr=2e-3, epochs=25)
    sgd = replace(healthy, optimizer=optim.SGD, options={"lr": 0.02})
    return healthy, replace(sgd, model=rnn(data, 56, start=small))


@case("california/mlp/deep-with-large-weights")
def california_exploding() -> Pair:
    data = scaled(california())
    healthy = training(data, mlp(data, [48] * 4, start=he()), lr=1e-3, epochs=15)
    return healthy, replace(healthy, model=mlp(data, [48] * 8, start=he(4.0)))


@case("letters/mlp/deep-with-large-weights")
def letters_exploding() -> Pair:
    data = scaled(letters())
    healthy = training(data, mlp(data, [80] * 3, nn.LeakyReLU), epochs=18, lr=2e-3)
    large = weights(lambda weight: nn.init.normal_(weight, 0, 1.0))
    return healthy, replace(healthy, model=mlp(data, [80] * 6, nn.LeakyReLU, start=large))


@case("digits/cnn/biases-far-below-zero")
def dead() -> Pair:
    data = digit_images()
    healthy = training(data, cnn(data, [8, 24]), lr=4e-3, epochs=12)
    return healthy, replace(healthy, model=cnn(data, [8, 24], start=biases(-6.0)))


@case("mnist1d/cnn/tanh-of-large-sums")
def saturated() -> Pair:
    data = mnist1d()
    healthy = training(data, signal_cnn(data, [24, 32, 32], nn.Tanh, drop=0.2), epochs=14, lr=4e-3)
    large = weights(lambda weight: nn.init.normal_(weight, 0, 4.0))
    return healthy, replace(
        healthy, model=signal_cnn(data, [24, 32, 32], nn.Tanh, drop=0.2, start=large)
    )


@case("penguins/mlp/all-weights-zero")
def zeros() -> Pair:
    data = scaled(penguins())
    healthy = training(data, mlp(data, [12, 12]), lr=5e-3, batch_size=16, epochs=25)
    return healthy, replace(healthy, model=mlp(data, [12, 12], start=weights(nn.init.zeros_)))


@case("abalone/mlp/all-weights-alike")
def alike() -> Pair:
    data = scaled(abalone())
    healthy = training(data, mlp(data, [40], nn.SiLU), epochs=15)
    same = weights(lambda weight: nn.init.constant_(weight, 0.1))
    return healthy, replace(healthy, model=mlp(data, [40], nn.SiLU, start=same))


@case("letters/mlp/no-activations")
def linear() -> Pair:
    data = scaled(letters())
    healthy = training(data, mlp(data, [64, 64], nn.ELU), epochs=16, lr=4e-3)
    return healthy, replace(healthy, model=mlp(data, [64, 64], None))
