"""Real and seeded bugs of TheDeepChecker's collection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from building import drawn, fit_of, flat_mnist, he
from collection import faulty
from training import Training

import retrograd as rg
from retrograd import nn, optim
from retrograd.nn import init


def hits(rows):
    """The share of right classes; the target holds class numbers or one-hot rows."""
    x, y = rows
    classes = y if y.ndim == 1 else y.argmax(1)
    return lambda predict: (predict(x).argmax(-1) == classes).mean()


@faulty(
    "deepchecker-ips4-mlp-normal-weights",
    source="https://github.com/thedeepchecker/thedeepchecker/blob/master/SO_buggy_examples/IPS_4.py",
    shape="classes",
    faults=("weights and biases of deviation 1 in a network of four layers",),
    right=("RG107", "RG406"),
)
def deepchecker_ips4_mlp_normal_weights() -> tuple[Training, Training]:
    """Three hidden ReLU layers on MNIST with standard normal weights and biases, Adam at 0.003."""
    train, test = flat_mnist()

    def start():
        return nn.Sequential(
            *(nn.Linear(784, 120), nn.ReLU(), nn.Linear(120, 120), nn.ReLU()),
            *(nn.Linear(120, 120), nn.ReLU(), nn.Linear(120, 10)),
        )

    def loud():
        model = drawn(start(), 1.0)
        for layer in (model[0], model[2], model[4], model[6]):
            init.normal_(layer.bias)
        return model

    fixed = Training(
        model=lambda: he(start()),
        train=train,
        loss=nn.cross_entropy,
        optimizer=lambda parameters: optim.Adam(parameters, 0.003),
        score=hits(test),
        well=0.9,
        epochs=10,
        batch_size=100,
    )
    return replace(fixed, model=loud), fixed


@faulty(
    "deepchecker-ips15-trend-unscaled",
    source="https://github.com/thedeepchecker/thedeepchecker/blob/master/SO_buggy_examples/IPS_15.py",
    shape="one output",
    faults=("the time from 0 to 99 goes in as it is", "a learning rate of 0.5"),
    right=("RG301", "RG201"),
)
def deepchecker_ips15_trend_unscaled() -> tuple[Training, Training]:
    """A straight line through 100 noisy points by gradient descent at 0.5."""
    time = np.arange(100, dtype=np.float32)
    noise = 10 * np.random.default_rng(0).random((100, 1), np.float32)
    target = 2 * time[:, None] + 4 + noise

    def start():
        model = nn.Linear(2, 1, bias=False)
        init.zeros_(model.weight)
        return model

    def line(inputs):
        return Training(
            model=start,
            train=(inputs, target),
            loss=lambda output, target: ((target - output) ** 2).sum() / 200,
            optimizer=lambda parameters: optim.SGD(parameters, 0.5),
            score=fit_of((inputs, target)),
            well=0.95,
            epochs=200,
            batch_size=100,
        )

    ones = np.ones_like(time)
    return line(np.stack([time, ones], 1)), line(np.stack([time / 100, ones], 1))


@faulty(
    "deepchecker-ips7-log-of-logits",
    source="https://github.com/thedeepchecker/thedeepchecker/blob/master/SO_buggy_examples/IPS_7.py",
    shape="classes",
    faults=("logarithms of outputs that are no probabilities", "weights of deviation 1"),
    right=("RG402", "RG107"),
)
def deepchecker_ips7_log_of_logits() -> tuple[Training, Training]:
    """One sigmoid layer on MNIST; binary cross-entropy by hand on outputs without a sigmoid."""
    train, test = flat_mnist()

    def start(std):
        layers = nn.Linear(784, 256, bias=False), nn.Sigmoid(), nn.Linear(256, 10, bias=False)
        return drawn(nn.Sequential(*layers), std)

    def by_hand(output, target):
        costs = -target * rg.log(output) - (1 - target) * rg.log(1 - output)
        return costs.sum(1).mean()

    fixed = Training(
        model=lambda: start(0.05),
        train=train,
        loss=lambda output, target: 10 * nn.binary_cross_entropy_with_logits(output, target),
        optimizer=lambda parameters: optim.SGD(parameters, 0.05),
        score=hits(test),
        well=0.8,
        epochs=25,
        batch_size=50,
    )
    return replace(fixed, model=lambda: start(1.0), loss=by_hand), fixed
