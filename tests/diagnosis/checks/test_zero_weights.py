"""Weights that start at zero are a fault only where they stay there, or their units stay alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.examine import examined
from retrograd.diagnosis.recorder import LiveRecord
from retrograd.models.texts.bag import NgramVotes
from retrograd.random import manual_seed

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 6)).astype(np.float32)
Y = (X[:, 0] > X[:, 1]).astype(np.int64)
WORDS = RNG.integers(1, 40, (64, 9))


def zeroed(model: nn.Module, *names: str) -> nn.Module:
    for name, parameter in model.named_parameters():
        if name in names:
            nn.init.zeros_(parameter)
    return model


def mlp(activation: type[nn.Module], *zero: str) -> nn.Module:
    layers = (nn.Linear(6, 8), activation(), nn.Linear(8, 8), activation(), nn.Linear(8, 2))
    return zeroed(nn.Sequential(*layers), *zero)


class Residual(nn.Module):
    """A network of two residual blocks, each like Fixup's, with a last layer of zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            [nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 6)) for _ in range(2)]
        )
        self.head = nn.Linear(6, 2)
        zeroed(self, "blocks.0.2.weight", "blocks.1.2.weight", "head.weight")

    def forward(self, x: Any) -> Any:
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


class Adapted(nn.Module):
    """A hidden layer with a low-rank adapter beside it (LoRA): its up-projection starts at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.head = nn.Linear(6, 8), nn.Linear(8, 2)
        self.down, self.up = nn.Linear(6, 2, bias=False), nn.Linear(2, 8, bias=False)
        zeroed(self, "up.weight")

    def forward(self, x: Any) -> Any:
        return self.head(rg.tanh(self.layer(x) + self.up(self.down(x))))


class Votes(nn.Module):
    """Two members that vote from zero on, behind fixed ratios, and a network beside them."""

    def __init__(self) -> None:
        super().__init__()
        self.votes = nn.ModuleList([NgramVotes(40, 2, 0.0) for _ in range(2)])
        self.embedding, self.head = nn.Embedding(40, 4), nn.Linear(4, 2)
        for each in self.votes:
            each.ratio.data = np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32)

    def forward(self, ids: Any) -> Any:
        votes = self.votes[0](ids) + self.votes[1](ids)
        return votes + self.head(self.embedding(ids).mean(1))


HEALTHY: dict[str, tuple[Callable[[], nn.Module], np.ndarray[Any, Any]]] = {
    "a last layer": (lambda: mlp(nn.ReLU, "4.weight", "4.bias"), X),
    "biases": (lambda: mlp(nn.ReLU, "0.bias", "2.bias", "4.bias"), X),
    "a single layer": (lambda: zeroed(nn.Sequential(nn.Linear(6, 2)), "0.weight", "0.bias"), X),
    "residual branches": (Residual, X),
    "an adapter": (Adapted, X),
    "votes of words": (Votes, WORDS),
}
FAULTY: dict[str, Callable[[], nn.Module]] = {
    "two layers, one after the other": lambda: mlp(
        nn.ReLU, "0.weight", "0.bias", "2.weight", "2.bias"
    ),
    "all weights, tanh": lambda: mlp(nn.Tanh, *(f"{i}.{n}" for i in (0, 2, 4) for n in NAMES)),
    "all weights, sigmoid": lambda: mlp(
        nn.Sigmoid, *(f"{i}.{n}" for i in (0, 2, 4) for n in NAMES)
    ),
    "a hidden layer of dead units": lambda: mlp(nn.ReLU, "2.weight", "2.bias"),
}
NAMES = ("weight", "bias")


def codes_before(model: nn.Module, inputs: np.ndarray[Any, Any]) -> list[str]:
    return [each.code for each in rg.diagnose(model, (inputs, Y), loss=nn.cross_entropy)]


def trained(model: nn.Module, inputs: np.ndarray[Any, Any]) -> LiveRecord:
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    with rg.record(model, optimizer) as record:
        for _ in range(12):
            optimizer.zero_grad()
            nn.cross_entropy(model(inputs), Y).backward()
            optimizer.step()
    return record


@pytest.mark.parametrize(("make", "inputs"), HEALTHY.values(), ids=HEALTHY.keys())
def test_zeros_that_learn_are_no_fault(
    make: Callable[[], nn.Module], inputs: np.ndarray[Any, Any]
) -> None:
    manual_seed(0)
    model = make()
    assert "RG105" not in codes_before(model, inputs)
    record = trained(model, inputs)
    assert "RG105" not in [each.code for each in examined(Case(record=record))]
    assert "RG105" not in [each.code for each in record.findings()]


@pytest.mark.parametrize("make", FAULTY.values(), ids=FAULTY.keys())
def test_zeros_that_stay_are_a_fault(make: Callable[[], nn.Module]) -> None:
    manual_seed(0)
    model = make()
    assert "RG105" in codes_before(model, X)
    assert "RG105" in [each.code for each in trained(model, X).findings()]


def test_a_run_of_one_step_does_not_tell_whether_zeros_move() -> None:
    manual_seed(0)
    model = Residual()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with rg.record(model, optimizer) as record:
        nn.cross_entropy(model(X), Y).backward()
        optimizer.step()
    assert "RG105" not in [each.code for each in record.findings()]
