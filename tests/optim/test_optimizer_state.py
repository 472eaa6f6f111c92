"""A run that is saved and resumed goes on exactly."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import ops, optim
from retrograd.optim import lr_scheduler

KINDS = [
    (optim.SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.1}),
    (optim.Adagrad, {"lr_decay": 0.1, "initial_accumulator_value": 0.3}),
    (optim.RMSprop, {"momentum": 0.9, "centered": True}),
    (optim.Adam, {"amsgrad": True}),
    (optim.AdamW, {}),
]


class Run:
    """A small training run whose second parameter sits out the first two steps."""

    def __init__(self, kind: Any, options: dict[str, Any]) -> None:
        rng = np.random.default_rng(1)
        self.weights = [rg.Parameter(rng.normal(size=(2, 3))), rg.Parameter(rng.normal(size=2))]
        self.optimizer = kind(self.weights, **options)
        self.scheduler = lr_scheduler.ExponentialLR(self.optimizer, 0.97)
        self.average = optim.ExponentialMovingAverage(self.weights, 0.9, bias_correction=True)
        self.step = rg.compile(self._step)

    def _step(self) -> None:
        self.optimizer.zero_grad()
        loss = sum(ops.sum(ops.square(w)) for w in self.weights if w.requires_grad)
        loss.backward()
        self.optimizer.step()
        self.scheduler.step()
        self.average.update()

    def go(self, steps: int, compiled: bool) -> None:
        for _ in range(steps):
            self.weights[1].requires_grad = self.scheduler.last_epoch >= 2
            self.step() if compiled else self._step()

    def saved(self) -> dict[str, Any]:
        return {
            "weights": [w.numpy() for w in self.weights],
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "average": self.average.state_dict(),
        }

    def load(self, saved: dict[str, Any]) -> None:
        for weight, values in zip(self.weights, saved["weights"], strict=True):
            weight.data = values
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scheduler.load_state_dict(saved["scheduler"])
        self.average.load_state_dict(saved["average"])


def flat(state: Any) -> list[Any]:
    if isinstance(state, dict):
        return [each for key in sorted(state, key=str) for each in [str(key), *flat(state[key])]]
    if isinstance(state, list | tuple):
        return [each for part in state for each in flat(part)]
    return [state]


def assert_same(a: Any, b: Any) -> None:
    assert len(flat(a)) == len(flat(b))
    for x, y in zip(flat(a), flat(b), strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.parametrize(("kind", "options"), KINDS, ids=[kind.__name__ for kind, _ in KINDS])
def test_a_resumed_run_is_the_run(kind: Any, options: dict[str, Any], compiled: bool) -> None:
    whole = Run(kind, options)
    whole.go(4, compiled)
    saved = whole.saved()
    kept = copy.deepcopy(saved)
    whole.go(4, compiled)
    assert_same(saved, kept)  # what was saved does not change under the run that goes on

    resumed = Run(kind, options)
    resumed.load(saved)
    resumed.go(4, compiled)
    assert_same(resumed.saved(), whole.saved())

    whole.load(saved)  # back in time, through programs that are compiled already
    whole.go(4, compiled)
    assert_same(whole.saved(), resumed.saved())


def test_state_is_laid_out_as_pytorchs() -> None:
    parameters = [rg.Parameter([1.0, 2.0]), rg.Parameter([3.0])]
    optimizer = optim.Adam([{"params": parameters[:1]}, {"params": parameters[1:], "lr": 0.5}])
    assert optimizer.state_dict()["state"] == {}
    ops.sum(parameters[1]).backward()
    optimizer.step()
    saved = optimizer.state_dict()
    assert saved["state"].keys() == {1}
    assert saved["state"][1].keys() == {"step", "exp_avg", "exp_avg_sq"}
    assert saved["state"][1]["step"] == 1
    assert [group["params"] for group in saved["param_groups"]] == [[0], [1]]
    assert [group["lr"] for group in saved["param_groups"]] == [1e-3, 0.5]
    assert saved["param_groups"][0]["betas"] == (0.9, 0.999)


def test_loading_an_untrained_state_forgets() -> None:
    fresh, used = Run(*KINDS[3]), Run(*KINDS[3])
    used.go(4, True)
    used.load(fresh.saved())
    used.go(4, True)
    fresh.go(4, True)
    assert_same(used.saved()["weights"], fresh.saved()["weights"])


def test_another_optimizers_state_is_refused() -> None:
    parameters = [rg.Parameter([1.0, 2.0]), rg.Parameter([3.0])]
    adam = optim.Adam(parameters)
    with pytest.raises(ValueError, match=r"saved groups have \[1\] parameters, .* have \[2\]"):
        adam.load_state_dict(optim.Adam(parameters[:1]).state_dict())
    with pytest.raises(ValueError, match="lack amsgrad, betas"):
        adam.load_state_dict(optim.SGD(parameters).state_dict())
    ops.sum(parameters[0]).backward()
    adam.step()
    with pytest.raises(ValueError, match=r"exp_avg has shape \(2,\), its parameter has .* \(1,\)"):
        optim.Adam(parameters[::-1]).load_state_dict(adam.state_dict())
