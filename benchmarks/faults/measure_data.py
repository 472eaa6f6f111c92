"""Only for measuring: data that cannot be learned from, or more than the network takes up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from cases import Pair, case, on
from data import (
    Data,
    abalone,
    adult,
    california,
    diamonds,
    digits,
    german,
    letters,
    mnist,
    penguins,
    sacramento,
    scaled,
    titanic,
)
from programs import cnn, mlp, training, weighted_logistic

from retrograd import nn


@case("german/mlp/large-network-few-rows")
def german_overfit() -> Pair:
    data = scaled(german())
    healthy = training(data, mlp(data, [16], drop=0.3), epochs=8, weight_decay=1e-3)
    few = on(healthy, data.first(120))
    return healthy, replace(few, model=mlp(data, [256, 256]), epochs=100)


@case("mnist/cnn/large-network-few-rows")
def mnist_overfit() -> Pair:
    data = mnist()
    healthy = training(data, cnn(data, [8, 16]), epochs=10, lr=5e-3)
    few = on(healthy, data.first(50))
    return healthy, replace(few, model=cnn(data, [32, 32]), epochs=60)


@case("letters/mlp/two-hidden-units")
def underfit() -> Pair:
    data = scaled(letters())
    healthy = training(data, mlp(data, [112]), epochs=20)
    return healthy, replace(healthy, model=mlp(data, [2]))


@case("california/mlp/shuffled-target")
def shuffled_target() -> Pair:
    data = scaled(california())
    healthy = training(data, mlp(data, [24, 24]), epochs=20)
    rng = np.random.default_rng(4)
    return healthy, on(healthy, data.change(target=rng.permutation))


@case("penguins/mlp/raw-inputs")
def penguins_raw() -> Pair:
    data = scaled(penguins())
    healthy = training(data, mlp(data, [24]), epochs=25, batch_size=16)
    return healthy, on(healthy, penguins())


@case("sacramento/mlp/raw-inputs")
def sacramento_raw() -> Pair:
    data = scaled(sacramento())
    healthy = training(data, mlp(data, [24], nn.Tanh), epochs=20, batch_size=16)
    return healthy, on(healthy, scaled(sacramento(), inputs=False))


@case("diamonds/mlp/dollars")
def dollars() -> Pair:
    data = scaled(diamonds())
    healthy = training(data, mlp(data, [48, 24]), epochs=15)
    return healthy, on(healthy, scaled(diamonds(), target=False))


@case("abalone/mlp/constant-columns")
def constant() -> Pair:
    data = scaled(abalone())
    healthy = training(data, mlp(data, [48], nn.GELU), epochs=12)
    more = data.change(inputs=lambda x: np.pad(x, ((0, 0), (0, 3)), constant_values=1))
    return healthy, replace(on(healthy, more), model=mlp(more, [48], nn.GELU))


@case("titanic/mlp/alive-column")
def leak() -> Pair:
    data = scaled(titanic())
    healthy = training(data, mlp(data, [20]), epochs=12)

    def leaking(part):
        return part._replace(
            inputs=np.concatenate([part.inputs, part.target[:, None]], 1).astype(np.float32)
        )

    parts = (leaking(part) for part in (data.train, data.valid, data.test))
    leaked = Data(data.name, *parts, data.classes)
    return healthy, replace(on(healthy, leaked), model=mlp(leaked, [20]))


@case("adult/mlp/one-in-forty")
def imbalance() -> Pair:
    data = scaled(adult().first(8000)).keep_positives(0.08)
    healthy = training(
        data, mlp(data, [16]), loss=weighted_logistic(40.0), balanced=True, epochs=4, lr=2e-3
    )
    faulty = training(data, healthy.model, balanced=True, epochs=4, lr=2e-3)
    return healthy, faulty


@case("digits/mlp/second-opinions")
def contradictory() -> Pair:
    """Most images come a second time, with a label drawn at random."""
    data = digits()
    healthy = training(data, mlp(data, [56]), epochs=15)

    def again(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(6)
        rows = rng.choice(len(y), int(0.8 * len(y)), replace=False)
        return np.concatenate([x, x[rows]]), np.concatenate([y, rng.integers(0, 10, len(rows))])

    return healthy, on(healthy, data.retrain(again))


@case("letters/mlp/sorted-by-class")
def unshuffled() -> Pair:
    data = scaled(letters())
    healthy = training(data, mlp(data, [72], nn.SiLU), lr=5e-3)

    def in_order(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(y, kind="stable")
        return x[order], y[order]

    return healthy, replace(on(healthy, data.retrain(in_order)), shuffle=False)


@case("abalone/mlp/an-infinite-weight")
def infinite() -> Pair:
    data = scaled(abalone())
    healthy = training(data, mlp(data, [64], nn.Tanh), epochs=12, lr=2e-3)

    def broken(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = x.copy()
        x[17, 4] = np.inf
        return x, y

    return healthy, on(healthy, data.retrain(broken))
