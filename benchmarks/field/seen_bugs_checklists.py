"""Mistakes of well-known checklists, each in a program after an example in the source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from collection import faulty
from data import split
from training import Training

from retrograd import nn, optim


@faulty(
    "orangeduck-deep-sigmoid-network",
    source="https://theorangeduck.com/page/neural-network-not-working",
    shape="numbers",
    faults=("a network of eight sigmoid layers, too deep for them",),
    right=("RG101",),
)
def orangeduck_deep_sigmoid_network() -> tuple[Training, Training]:
    """Poses from phases: eight layers of sigmoid units that hardly pass a gradient, SGD."""
    rng = np.random.default_rng(0)
    phase = rng.uniform(0, 2 * np.pi, (900, 1))
    gait = rng.normal(0, 0.5, (900, 2))
    x = np.hstack([np.sin(phase), np.cos(phase), gait]).astype(np.float32)
    pose = np.hstack(
        [np.sin(2 * phase) + gait[:, :1], np.cos(phase) * gait[:, 1:], np.cos(2 * phase)]
    )
    train, test = split(x, pose.astype(np.float32))

    def start(depth, activation):
        layers = [nn.Linear(4, 48), activation]
        for _ in range(depth - 1):
            layers += [nn.Linear(48, 48), activation]
        return nn.Sequential(*layers, nn.Linear(48, 3))

    fixed = Training(
        model=lambda: start(2, nn.ReLU()),
        train=train,
        loss=nn.mse_loss,
        optimizer=lambda parameters: optim.SGD(parameters, 0.05, momentum=0.9),
        score=lambda predict: 1 - np.square(predict(test[0]) - test[1]).mean() / test[1].var(),
        well=0.8,
        epochs=20,
        batch_size=32,
        valid=test,
    )
    return replace(fixed, model=lambda: start(8, nn.Sigmoid())), fixed
