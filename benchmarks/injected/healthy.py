"""The healthy programs that faults are injected into; each trains in about a second."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
from sklearn import datasets

import retrograd as rg
from retrograd import nn, optim

__all__ = ["digits", "friedman", "moons", "network"]

Array = np.ndarray[Any, Any]


def network(*sizes: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers with an activation between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


def _parts(x: Array, y: Array, train: int, valid: int) -> dict[str, rg.Samples]:
    order = np.random.default_rng(0).permutation(len(y))
    cuts = np.split(order, [train, train + valid])
    return {
        name: rg.Samples(x[rows], y[rows])
        for name, rows in zip(("train", "valid", "test"), cuts, strict=True)
    }


@functools.cache
def digits() -> rg.Program:
    """Ten digits of 8 × 8 pixels by one hidden layer."""
    x, y = datasets.load_digits(return_X_y=True)
    return rg.Program(
        model=lambda: network(64, 32, 10),
        loss=nn.cross_entropy,
        **_parts((x / 8 - 1).astype(np.float32), y.astype(np.int64), 800, 400),
        task="classification",
        optimizer=optim.Adam,
        options={"lr": 3e-3},
        epochs=15,
    )


@functools.cache
def friedman() -> rg.Program:
    """Friedman's first function of ten numbers, five of which matter."""
    x, y = datasets.make_friedman1(1200, noise=0.3, random_state=0)
    y = ((y - y.mean()) / y.std()).astype(np.float32)
    return rg.Program(
        model=lambda: network(10, 32, 32, 1),
        loss=lambda output, target: nn.mse_loss(output[:, 0], target),
        **_parts((4 * x - 2).astype(np.float32), y, 600, 250),
        task="regression",
        optimizer=optim.Adam,
        options={"lr": 5e-3},
        epochs=20,
    )


@functools.cache
def moons() -> rg.Program:
    """Two half moons, told apart by one output."""
    x, y = datasets.make_moons(1200, noise=0.2, random_state=0)
    return rg.Program(
        model=lambda: network(2, 24, 24, 1),
        loss=lambda output, target: nn.binary_cross_entropy_with_logits(
            output[:, 0], target.astype(np.float32)
        ),
        **_parts(x.astype(np.float32), y.astype(np.int64), 600, 250),
        task="classification",
        optimizer=optim.Adam,
        options={"lr": 5e-3},
        epochs=20,
    )
