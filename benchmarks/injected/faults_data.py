"""Faults in the data and in how it is handed out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from healthy import digits, friedman, moons, network
from kinds import injected

import retrograd as rg

Array = np.ndarray[Any, Any]
Pair = tuple[rg.Program, rg.Program]


def _trained_on(program: rg.Program, change: Callable[[Array, Array], tuple[Array, Array]]) -> Any:
    return replace(program, train=rg.Samples(*change(*program.train)))


@injected("label-leakage", source="Kaufman et al. 2012", mended=0.81)
def label_leakage() -> Pair:
    """A column holds the target in the rows at hand, and nothing where the network is used."""
    healthy = replace(friedman(), model=lambda: network(11, 32, 32, 1))

    def leaking(part: rg.Samples, column: Array) -> rg.Samples:
        return rg.Samples(np.column_stack([part.inputs, column]).astype(np.float32), part.target)

    noise = np.random.default_rng(0)
    parts = {name: getattr(healthy, name) for name in ("train", "valid", "test")}
    blank = {name: noise.normal(size=len(part.target)) for name, part in parts.items()}
    leak = {name: part.target + 0.01 * blank[name] for name, part in parts.items()}
    good = {name: leaking(part, np.zeros(len(part.target))) for name, part in parts.items()}
    seen = {name: leaking(parts[name], leak[name]) for name in ("train", "valid")}
    unseen = leaking(parts["test"], blank["test"])
    return replace(healthy, **good), replace(healthy, **seen, test=unseen)


@injected("shuffled-labels", source="DeepMutation: label error, all rows", mended=0.89)
def shuffled_labels() -> Pair:
    """The labels are in another order than the rows."""
    rng = np.random.default_rng(1)
    return digits(), _trained_on(digits(), lambda x, y: (x, rng.permutation(y)))


@injected("changed-labels", source="DeepCrime TCL", mended=0.95)
def changed_labels() -> Pair:
    """Half of the training labels are replaced by random ones; the network is trained long."""
    healthy = replace(digits(), epochs=60)
    rng = np.random.default_rng(2)

    def changed(x: Array, y: Array) -> tuple[Array, Array]:
        return x, np.where(rng.random(len(y)) < 0.5, rng.integers(0, 10, len(y)), y)

    return healthy, _trained_on(healthy, changed)


@injected("noise-in-the-inputs", source="DeepCrime TAN", mended=0.95)
def noise_in_the_inputs() -> Pair:
    """The training inputs are buried in noise, those that the network is used on are not."""
    rng = np.random.default_rng(3)
    healthy = replace(digits(), epochs=60)
    return healthy, _trained_on(healthy, lambda x, y: (_noisy(x, rng), y))


def _noisy(x: Array, rng: np.random.Generator) -> Array:
    return (x + rng.normal(0, 2.0, x.shape)).astype(np.float32)


@injected("class-imbalance", source="DeepCrime TUD", mended=0.84)
def class_imbalance() -> Pair:
    """Of one class a fortieth of the rows is left; the score is the mean recall."""
    x, y = (np.concatenate(pair) for pair in zip(moons().train, moons().valid, strict=True))
    rng = np.random.default_rng(4)
    x = (x + rng.normal(0, 0.35, x.shape)).astype(np.float32)
    test = rg.Samples(
        (moons().test.inputs + rng.normal(0, 0.35, moons().test.inputs.shape)).astype(np.float32),
        moons().test.target,
    )
    healthy = replace(
        moons(), balanced=True, train=rg.Samples(x[:600], y[:600]),
        valid=rg.Samples(x[600:], y[600:]), test=test,
    )  # fmt: skip

    def rare(part: rg.Samples, share: float) -> rg.Samples:
        kept = (part.target == 0) | (rng.random(len(part.target)) < share)
        return rg.Samples(part.inputs[kept], part.target[kept])

    return healthy, replace(healthy, train=rare(healthy.train, 1 / 40))


@injected("overlapping-splits", source="DeepCrime VRM", mended=0.72)
def overlapping_splits() -> Pair:
    """The rows to stop by are training rows, so that training stops far too late."""
    rng = np.random.default_rng(5)
    x, y = friedman().train
    y = (y + rng.normal(0, 0.8, len(y))).astype(np.float32)
    train, valid = rg.Samples(x[:240], y[:240]), rg.Samples(x[240:320], y[240:320])
    healthy = replace(
        friedman(), model=lambda: network(10, 128, 128, 1), train=train, valid=valid,
        epochs=150, patience=8,
    )  # fmt: skip
    both = rg.Samples(x[:320], y[:320])
    return healthy, replace(healthy, train=both)


@injected("missing-normalization", source="AutoTrainer; Humbatova et al. 2020", mended=0.77)
def missing_normalization() -> Pair:
    """Ten columns in units of their own, from thousandths to tens of thousands."""
    scale = 10.0 ** np.linspace(-3, 4, 10)

    def raw(part: rg.Samples) -> rg.Samples:
        return rg.Samples(((part.inputs + 3) * scale).astype(np.float32), part.target)

    program = friedman()
    parts = {name: raw(getattr(program, name)) for name in ("train", "valid", "test")}
    return program, replace(program, **parts)


@injected("mismatched-preprocessing", source="Humbatova et al. 2020", mended=0.76)
def mismatched_preprocessing() -> Pair:
    """The training inputs are scaled, those of the other rows are as they come."""
    program = friedman()

    def raw(part: rg.Samples) -> rg.Samples:
        return rg.Samples((20 * part.inputs + 50).astype(np.float32), part.target)

    return program, replace(program, valid=raw(program.valid), test=raw(program.test))


@injected("unshuffled-rows", source="Humbatova et al. 2020", mended=0.95)
def unshuffled_rows() -> Pair:
    """One class after the other, in the same order in each epoch."""
    healthy = replace(digits(), options={"lr": 5e-3}, epochs=8)
    order = np.argsort(healthy.train.target, kind="stable")
    sorted_rows = rg.Samples(healthy.train.inputs[order], healthy.train.target[order])
    return healthy, replace(healthy, train=sorted_rows, shuffle=False)


@injected("wrong-batch", source="DeepCrime HDB", mended=0.93)
def wrong_batch() -> Pair:
    """Batches are switched off: each epoch is one step over all rows."""
    return digits(), replace(digits(), batch_size=800)
