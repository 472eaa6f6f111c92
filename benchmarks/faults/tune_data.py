"""For tuning: data that cannot be learned from, or more of it than the network takes up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from cases import Pair, case, on
from data import (
    Data,
    abalone,
    california,
    digits,
    mnist1d,
    penguins,
    sacramento,
    scaled,
    titanic,
    wine,
)
from programs import mlp, signal_cnn, training, weighted_logistic

from retrograd import nn, optim


@case("abalone/mlp/large-network-few-rows")
def abalone_overfit() -> Pair:
    data = scaled(abalone())
    healthy = training(data, mlp(data, [32]), epochs=12)
    few = replace(on(healthy, data.first(60)), epochs=150)
    return healthy, replace(few, model=mlp(data, [256, 256]))


@case("titanic/mlp/large-network-few-rows")
def titanic_overfit() -> Pair:
    data = scaled(titanic())
    healthy = training(data, mlp(data, [16]), epochs=12)
    return healthy, replace(healthy, model=mlp(data, [256, 256, 256]), epochs=120)


@case("mnist1d/cnn/one-channel")
def underfit() -> Pair:
    data = mnist1d()
    healthy = training(data, signal_cnn(data, [24, 24, 24], nn.SiLU, drop=0.3), epochs=10)
    return healthy, replace(healthy, model=signal_cnn(data, [1, 1, 1], nn.SiLU))


@case("digits/mlp/shuffled-labels")
def shuffled_labels() -> Pair:
    data = digits()
    healthy = training(data, mlp(data, [32]))
    rng = np.random.default_rng(1)
    return healthy, on(healthy, data.change(target=rng.permutation))


@case("california/mlp/raw-inputs")
def california_raw() -> Pair:
    data = scaled(california())
    healthy = training(data, mlp(data, [64, 64]), epochs=16)
    return healthy, on(healthy, scaled(california(), inputs=False))


@case("wine/mlp/raw-inputs")
def wine_raw() -> Pair:
    data = scaled(wine())
    healthy = training(
        data, mlp(data, [24], nn.Tanh), optimizer=optim.SGD, lr=0.05, momentum=0.9, epochs=12
    )
    return healthy, on(healthy, wine())


@case("sacramento/mlp/dollars")
def dollars() -> Pair:
    data = scaled(sacramento())
    healthy = training(data, mlp(data, [32]), epochs=20)
    return healthy, on(healthy, scaled(sacramento(), target=False))


@case("titanic/mlp/duplicated-columns")
def duplicated() -> Pair:
    data = scaled(titanic())
    healthy = training(data, mlp(data, [16], nn.Tanh), epochs=15)
    doubled = data.change(inputs=lambda x: np.concatenate([x, x[:, :4]], 1))
    return healthy, replace(on(healthy, doubled), model=mlp(doubled, [16], nn.Tanh))


@case("california/mlp/price-in-euros")
def leak() -> Pair:
    data = scaled(california())
    healthy = training(data, mlp(data, [48]), epochs=20)

    def leaking(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.concatenate([x, 0.9 * y[:, None]], 1).astype(np.float32)

    parts = (part._replace(inputs=leaking(*part)) for part in (data.train, data.valid, data.test))
    leaked = Data(data.name, *parts, data.classes)
    return healthy, replace(on(healthy, leaked), model=mlp(leaked, [48]))


@case("wine/mlp/one-in-fifty")
def imbalance() -> Pair:
    """Only the first three measurements, which leave the colors overlapping."""
    data = scaled(wine(6000).change(inputs=lambda x: x[:, [0, 2, 10]])).keep_positives(0.06)
    healthy = training(
        data, mlp(data, [16]), loss=weighted_logistic(50.0), balanced=True, epochs=10
    )
    faulty = training(data, healthy.model, balanced=True, epochs=10)
    return healthy, faulty


@case("penguins/mlp/copies-with-other-labels")
def contradictory() -> Pair:
    data = scaled(penguins())
    healthy = training(data, mlp(data, [16]), epochs=25, batch_size=16)

    def copies(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        others = (y + np.random.default_rng(2).integers(1, 3, len(y))) % 3
        return np.concatenate([x, x]), np.concatenate([y, others])

    return healthy, on(healthy, data.retrain(copies))


@case("digits/mlp/sorted-by-class")
def unshuffled() -> Pair:
    data = digits()
    healthy = training(data, mlp(data, [48]), lr=2e-3)

    def in_order(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(y, kind="stable")
        return x[order], y[order]

    return healthy, replace(on(healthy, data.retrain(in_order)), shuffle=False)


@case("titanic/mlp/missing-ages")
def missing() -> Pair:
    data = scaled(titanic())
    healthy = training(data, mlp(data, [24]), epochs=10)
    return healthy, on(healthy, scaled(titanic(fill=False)))
