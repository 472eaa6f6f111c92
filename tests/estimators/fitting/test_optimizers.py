"""Optimizers whose numbers are Variables take the steps of those whose numbers are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import optim
from retrograd.estimators.fitting.optimizers import DecayedAdam, DecayedSGD, TunableOneCycle
from retrograd.kinds.table.recipe import WARM_UP

STEPS = 40


def weights_after(
    make: Callable[[list[dict[str, Any]]], tuple[optim.Optimizer, Any]], decay: float
) -> list[np.ndarray[Any, Any]]:
    """Of 40 compiled steps on two vectors, of which the first decays."""
    start = np.linspace(-1, 1, 5, dtype=np.float32)
    decays, other = rg.Parameter(start.copy()), rg.Parameter(start.copy())
    optimizer, schedule = make(
        [{"params": [decays], "weight_decay": decay}, {"params": [other], "weight_decay": 0.0}]
    )

    @rg.compile
    def step() -> None:
        optimizer.zero_grad()
        (((decays - 3) ** 2).sum() + ((other - 3) ** 2).sum()).backward()
        optimizer.step()
        schedule.step()

    for _ in range(STEPS):
        step()
    return [np.array(decays.data), np.array(other.data)]


def test_it_steps_as_adamw_with_one_cycle() -> None:
    def plain(groups: list[dict[str, Any]]) -> tuple[optim.Optimizer, Any]:
        optimizer = optim.AdamW(groups, lr=0.1)
        return optimizer, optim.lr_scheduler.OneCycleLR(optimizer, 0.1, STEPS, pct_start=WARM_UP)

    def tuned(groups: list[dict[str, Any]]) -> tuple[optim.Optimizer, Any]:
        optimizer = DecayedAdam(groups)
        optimizer.decay.data = np.asarray(0.5)
        schedule = TunableOneCycle(optimizer)
        schedule.tune(0.1, STEPS)
        return optimizer, schedule

    for expected, found in zip(weights_after(plain, 0.5), weights_after(tuned, 1.0), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_sgd_takes_the_decay_off_the_weights_and_not_through_the_momentum() -> None:
    """Loshchilov & Hutter 2019, algorithm 1: the momentum meets the loss's slope alone."""

    def tuned(groups: list[dict[str, Any]]) -> tuple[optim.Optimizer, Any]:
        optimizer = DecayedSGD(groups, momentum=0.9)
        optimizer.decay.data = np.asarray(0.5)
        schedule = TunableOneCycle(optimizer)
        schedule.tune(0.05, STEPS)
        return optimizer, schedule

    reference = optim.SGD([rg.Parameter(np.zeros(1))], lr=0.05)
    schedule = optim.lr_scheduler.OneCycleLR(reference, 0.05, STEPS, pct_start=WARM_UP)
    x, momentum = np.linspace(-1, 1, 5), np.zeros(5)
    for _ in range(STEPS):
        lr = reference.param_groups[0]["lr"]
        momentum = 0.9 * momentum + 2 * (x - 3)
        x = x - lr * 0.5 * x - lr * momentum
        schedule.step()
    np.testing.assert_allclose(weights_after(tuned, 1.0)[0], x, rtol=1e-4)


@pytest.mark.parametrize("length", [1, 2, 10, 500])
def test_a_tuned_cycle_is_a_cycle_of_that_height_and_length(length: int) -> None:
    tuned = TunableOneCycle(DecayedAdam([rg.Parameter(np.zeros(1))]))
    tuned.tune(0.3, length)
    plain_optimizer = optim.AdamW([rg.Parameter(np.zeros(1))])
    plain = optim.lr_scheduler.OneCycleLR(plain_optimizer, 0.3, length, pct_start=WARM_UP)
    with np.errstate(all="ignore"):  # a cycle of one step divides by its length, 0
        for _ in range(length + 2):
            np.testing.assert_allclose(tuned.get_last_lr(), plain.get_last_lr())
            tuned.step()
            plain.step()
