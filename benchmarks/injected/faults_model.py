"""Faults in the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from healthy import digits, friedman, moons, network
from kinds import injected

import retrograd as rg
from retrograd import nn

Pair = tuple[rg.Program, rg.Program]


def _made(build: Callable[[], nn.Module], change: Callable[[nn.Module], None]) -> nn.Module:
    model = build()
    change(model)
    return model


@injected("frozen-weights", source="published checklists: requires_grad left off", mended=0.90)
def frozen_weights() -> Pair:
    """The hidden layers do not require gradients and keep their random weights."""
    healthy = replace(friedman(), model=lambda: network(10, 12, 12, 1), epochs=40)

    def freeze(model: nn.Module) -> None:
        for parameter in list(model.parameters())[:4]:
            parameter.requires_grad = False

    return healthy, replace(healthy, model=lambda: _made(healthy.model, freeze))


class _Gated(nn.Module):
    """Each row's inputs weighed by a softmax along `dim`."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(64, 64), nn.Softmax(dim))
        self.rest = network(64, 32, 10)

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return self.rest(64 * x * self.gate(x))


@injected("wrong-axis", source="published checklists: softmax over the batch", mended=0.96)
def wrong_axis() -> Pair:
    """Attention to the pixels is normalized over the rows of the batch."""
    healthy = replace(digits(), model=lambda: _Gated(-1))
    return healthy, replace(healthy, model=lambda: _Gated(0))


@injected("stale-statistics", source="published checklists: BatchNorm's momentum", mended=0.90)
def stale_statistics() -> Pair:
    """The running statistics hardly move, so that the evaluated network is another one."""

    def build(momentum: float) -> nn.Module:
        norm = nn.BatchNorm1d(64, momentum=momentum)
        return nn.Sequential(nn.Linear(64, 64), norm, nn.ReLU(), nn.Linear(64, 10))

    part = {n: rg.Samples(4 * s.inputs + 9, s.target) for n, s in (
        ("train", digits().train), ("valid", digits().valid), ("test", digits().test))}  # fmt: skip
    healthy = replace(digits(), model=lambda: build(0.1), **part)
    return healthy, replace(healthy, model=lambda: build(1e-4))


@injected("wrong-activation", source="DeepCrime ACH", mended=0.85)
def wrong_activation() -> Pair:
    """Sigmoids in a network of six hidden layers."""
    sizes = (64, *6 * (32,), 10)
    healthy = replace(digits(), model=lambda: network(*sizes))
    return healthy, replace(healthy, model=lambda: network(*sizes, activation=nn.Sigmoid))


@injected("removed-activation", source="DeepCrime ARM", mended=0.96)
def removed_activation() -> Pair:
    """No activation between the layers."""
    linear = replace(moons(), model=lambda: network(2, 24, 24, 1, activation=nn.Identity))
    return moons(), linear


@injected("bad-initialization", source="DeepCrime WCI", mended=0.88)
def bad_initialization() -> Pair:
    """All weights start at zero."""

    def zero(model: nn.Module) -> None:
        for parameter in model.parameters():
            nn.init.zeros_(parameter)

    return digits(), replace(digits(), model=lambda: _made(digits().model, zero))


@injected("removed-layer", source="DeepMutation LR", mended=0.94)
def removed_layer() -> Pair:
    """One of two hidden layers is missing, and the other one has two units left."""
    return friedman(), replace(friedman(), model=lambda: network(10, 2, 1))


@injected("missing-bias", source="DeepCrime WRB", mended=0.64)
def missing_bias() -> Pair:
    """The last layer has no bias for a target far from 0."""

    def build(bias: bool) -> nn.Module:
        hidden = nn.Linear(10, 32, bias=bias), nn.ReLU(), nn.Linear(32, 32, bias=bias), nn.ReLU()
        return nn.Sequential(*hidden, nn.Linear(32, 1, bias=bias))

    def far(part: rg.Samples) -> rg.Samples:
        return rg.Samples(part.inputs, (part.target + 6).astype(np.float32))

    parts = {name: far(getattr(friedman(), name)) for name in ("train", "valid", "test")}
    healthy = replace(friedman(), model=lambda: build(True), **parts)
    return healthy, replace(healthy, model=lambda: build(False))


@injected("too-much-dropout", source="DeepCrime RCD", mended=0.90)
def too_much_dropout() -> Pair:
    """Nine tenths and more of the hidden units are dropped."""

    def build(p: float) -> nn.Module:
        first, second = nn.Linear(64, 32), nn.Linear(32, 32)
        hidden = first, nn.ReLU(), nn.Dropout(p), second, nn.ReLU(), nn.Dropout(p)
        return nn.Sequential(*hidden, nn.Linear(32, 10))

    healthy = replace(digits(), model=lambda: build(0.1))
    return healthy, replace(healthy, model=lambda: build(0.9))


class _Dropping(nn.Module):
    """Dropout within forward(), whose function trains unless it is told otherwise."""

    def __init__(self, always: bool) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(64, 32), nn.Linear(32, 10)
        self.always = always

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        hidden = nn.functional.relu(self.first(x))
        return self.last(nn.functional.dropout(hidden, 0.7, self.always or self.training))


@injected("dropout-at-evaluation", source="published checklists: functional dropout", mended=0.93)
def dropout_at_evaluation() -> Pair:
    """A dropout in forward() that goes on when the network is evaluated."""
    healthy = replace(digits(), model=lambda: _Dropping(False), epochs=25)
    return healthy, replace(healthy, model=lambda: _Dropping(True))
