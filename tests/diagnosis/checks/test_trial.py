"""What is tried before a run: gradients beside differences, and one batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import losses, only, record, told

import retrograd as rg
from retrograd import nn
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.trial import one_batch, wrong_gradient

X = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
Y = X[:, 0].copy()


@rg.primitive
def slanted(xp: Any, x: Any) -> Any:
    return x * 1.0


@rg.primitive
def straight(xp: Any, x: Any) -> Any:
    return x * 1.0


slanted.pullbacks(x=lambda g: g * 1.011)
straight.pullbacks(x=lambda g: g * 1.009)


class Through(nn.Module):
    """A Linear whose output goes through a function."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.linear, self.function = nn.Linear(3, 1), function

    def forward(self, x: Any) -> Any:
        return self.function(self.linear(x))


def squared(output: Any, target: Any) -> Any:
    return ((output[:, 0] - target) ** 2).mean()


def tried(function: Any, rows: int = 40, **more: Any) -> Case:
    given = {"loss": squared, "train": Data((X[:rows],), Y[:rows]), "task": "regression"}
    return Case(model=Through(function), **{**given, **more})


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (tried(slanted), True),
        (tried(straight), False),
        (tried(rg.tanh), False),
        (tried(slanted, rows=2), True),
        (tried(slanted, rows=1), False),
        (tried(slanted, loss=None), False),
        (tried(slanted, record=record({"loss": losses(8, 0.5)})), False),
        (tried(slanted, train=Data((X * np.nan,), Y)), False),
    ],
)
def test_a_slope_that_is_off_by_more_than_a_percent(case: Case, is_found: bool) -> None:
    assert told(wrong_gradient, case) == ([("RG409", "error")] if is_found else [])


def test_the_parameter_whose_gradient_is_wrong_is_named() -> None:
    case = tried(slanted)
    found = only(wrong_gradient, case).evidence
    assert found.layers == ("linear.weight",)
    assert found.numbers["gradient"] == pytest.approx(1.011 * found.numbers["difference"])
    assert case.model is not None
    assert all(each.grad is None for each in case.model.parameters())


@pytest.mark.parametrize(("function", "is_found"), [(lambda x: x, False), (lambda x: 0 * x, True)])
def test_one_batch_that_cannot_be_learned(function: Any, is_found: bool) -> None:
    case = tried(function)
    assert told(one_batch, case) == ([("RG411", "warning")] if is_found else [])


def test_what_one_batch_came_to_is_told() -> None:
    found = only(one_batch, tried(lambda x: 0 * x)).evidence
    cost = float((Y[:32].astype(np.float64) ** 2).mean())
    assert found.numbers == pytest.approx({"first": cost, "last": cost}, rel=1e-5)
    assert found.text == (
        f"150 steps of Adam on the same 32 rows took the loss from {cost:.4g} to {cost:.4g}."
    )
