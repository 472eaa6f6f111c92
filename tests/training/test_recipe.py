"""The recipe of networks other than the table's, number by number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from retrograd import nn, optim
from retrograd.training.objective import Regression
from retrograd.training.options import Options
from retrograd.training.recipe import one_cycle_trainer
from retrograd.training.trainer import Trainer

OPTIONS = Options(
    epochs=5, learning_rate=0.02, weight_decay=0.3, clip_norm=0.7, average=0.9, seed=1
)


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))


def trainer(model: nn.Module) -> Trainer:
    return one_cycle_trainer(model, Regression(), OPTIONS, steps_per_epoch=8)


def test_weights_decay_and_biases_and_norms_do_not() -> None:
    model = network()
    decay = {
        id(parameter): group["weight_decay"]
        for group in trainer(model).optimizer.param_groups
        for parameter in group.params
    }
    found = {name: decay[id(parameter)] for name, parameter in model.named_parameters()}
    assert found == {
        "0.weight": 0.3,
        "0.bias": 0.0,
        "1.weight": 0.0,
        "1.bias": 0.0,
        "2.weight": 0.3,
        "2.bias": 0.0,
    }


def test_a_network_of_biases_alone_is_trained_too() -> None:
    (group,) = trainer(nn.BatchNorm1d(3)).optimizer.param_groups
    assert group["weight_decay"] == 0.0
    assert len(group.params) == 2


def test_adamw_with_the_betas_of_short_runs() -> None:
    optimizer = trainer(network()).optimizer
    assert type(optimizer) is optim.AdamW
    assert all(tuple(group["betas"]) == (0.9, 0.99) for group in optimizer.param_groups)


def test_the_rate_rises_over_a_tenth_of_the_steps_and_falls_along_a_cosine() -> None:
    """40 steps: up from 1/25 of the rate over 3, down over 36 to 1/10⁴ of where it began."""
    found = trainer(network())
    rates = []
    for _ in range(40):
        rates.append(float(found.optimizer.param_groups[0]["lr"]))
        if len(rates) < 40:
            found.scheduler.step()
    assert int(np.argmax(rates)) == 3
    assert max(rates) == pytest.approx(0.02)
    assert rates[0] == pytest.approx(0.02 / 25)
    low = 0.02 / 25 / 1e4
    half = low + (0.02 - low) * (1 + math.cos(math.pi * 18 / 36)) / 2
    assert rates[21] == pytest.approx(half)
    assert rates[39] == pytest.approx(low)


def test_the_average_holds_parameters_and_running_statistics() -> None:
    model = network()
    found = trainer(model)
    assert found.average is not None
    assert found.average.decay == 0.9
    assert found.average.bias_correction
    averaged = {id(each) for each in found.average.parameters}
    floats = [each for each in model.buffers() if each.dtype.kind == "f"]
    assert len(floats) == 2
    assert averaged == {id(each) for each in (*model.parameters(), *floats)}


def test_the_options_clip_and_the_objective_is_the_one_given() -> None:
    model, objective = network(), Regression()
    found = one_cycle_trainer(model, objective, OPTIONS, 8)
    assert found.clip_norm == 0.7
    assert found.model is model
    assert found.objective is objective
