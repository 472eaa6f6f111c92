"""Python values that a compiled function reads from around it are compared at every call."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.compiled_steps import programs

import retrograd as rg
from retrograd import nn

ONE = rg.Tensor([1.0])
scale = 2.0


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tau = 1.0
        self.sizes = [1, 2]
        self.epoch = 0  # named by no method
        self.calls = 0

    def forward(self, x: Any) -> Any:
        self.calls += 1
        return x * self.tau * sum(self.sizes)


def test_an_attribute_of_a_module() -> None:
    module = Scaled()
    step = rg.compile(lambda x: module(x))
    assert step(ONE).item() == 3.0
    module.tau = 5
    assert step(ONE).item() == 15.0
    module.sizes.append(7)
    assert step(ONE).item() == 50.0
    module.tau = 1.0
    module.sizes[:] = [1, 2]
    assert step(ONE).item() == 3.0
    assert programs(step) == 3  # the first one is found again


def test_an_attribute_of_a_layer_below() -> None:
    model = nn.Sequential(nn.Dropout(0.0), nn.LeakyReLU(0.5))
    step = rg.compile(model)
    x = rg.Tensor([-1.0] * 8)
    assert step(x).tolist() == [-0.5] * 8
    model[1].negative_slope = 0.25
    assert step(x).tolist() == [-0.25] * 8
    model[0].p = 1.0
    assert step(x).tolist() == [0.0] * 8


def test_what_no_method_names_or_the_step_itself_changes_compiles_nothing() -> None:
    module = Scaled()
    step = rg.compile(lambda x: module(x))
    for module.epoch in range(4):
        step(ONE)
        module(ONE)  # counts its calls
    assert programs(step) == 1


def test_variables_of_enclosing_functions_and_of_the_module() -> None:
    factor, rates, table = 2.0, [1.0, {"a": 3.0}], rg.Tensor([4.0])

    def helper(x: Any) -> Any:
        return x * scale * rates[1]["a"]

    step = rg.compile(lambda x: helper(x) * factor * table)
    assert step(ONE).item() == 48.0
    factor = 1.0
    assert step(ONE).item() == 24.0
    rates[1]["a"] = 1.0
    assert step(ONE).item() == 8.0
    table = rg.Tensor([1.0])
    assert step(ONE).item() == 2.0
    global scale
    try:
        scale = 3.0
        assert step(ONE).item() == 3.0
    finally:
        scale = 2.0
    assert step(ONE).item() == 2.0


def test_attributes_of_other_objects() -> None:
    class Counter:
        def __init__(self) -> None:
            self.by = 1.0

        @rg.compile
        def add(self, x: Any) -> Any:
            return x + self.by

    counter, options = Counter(), SimpleNamespace(rate=2.0)
    step = rg.compile(lambda x: x * options.rate)
    assert (counter.add(ONE).item(), step(ONE).item()) == (2.0, 2.0)
    counter.by, options.rate = 5.0, 7.0
    assert (counter.add(ONE).item(), step(ONE).item()) == (6.0, 7.0)


def test_a_model_that_takes_anothers_place_is_the_one_that_runs() -> None:
    model = nn.Linear(1, 1)
    step = rg.compile(lambda x: model(x))
    step(ONE)
    model = nn.Linear(1, 1)
    model.weight.data, model.bias.data = np.full((1, 1), 3.0, np.float32), np.zeros(1, np.float32)
    assert step(ONE).item() == 3.0


def test_a_value_that_changes_all_the_time_is_named() -> None:
    settings = SimpleNamespace(decay=0.0)
    step = rg.compile(lambda x: x * settings.decay)
    for i in range(16):
        settings.decay = float(i)
        assert step(ONE).item() == i
    settings.decay = 16.0
    with pytest.warns(UserWarning, match=r"compiled 16 times because 'decay' has changed"):
        step(ONE)
    assert programs(step) <= 16
