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


@rg.primitive
def bent(xp: Any, x: Any) -> Any:
    return xp.where(x > 0, x, 0 * x)


bent.pullbacks(x=lambda g, x: rg.where(x > 0, g * 1.02, 0 * g))


@pytest.mark.parametrize(("function", "is_found"), [(bent, True), (rg.relu, False)])
def test_a_wrong_gradient_is_found_in_a_network_with_bends(function: Any, is_found: bool) -> None:
    rg.manual_seed(0)
    case = tried(function)
    assert case.model is not None
    case.model.linear = nn.Linear(3, 64)
    assert told(wrong_gradient, case) == ([("RG409", "error")] if is_found else [])


@pytest.mark.parametrize(("function", "is_found"), [(slanted, True), (straight, False)])
def test_a_model_that_cannot_be_compiled_is_checked(function: Any, is_found: bool) -> None:
    case = tried(lambda x: function(x) if float(x.sum()) < 1e6 else x)
    assert told(wrong_gradient, case) == ([("RG409", "error")] if is_found else [])


def test_a_loss_that_bends_where_the_weights_are_has_no_slope_there() -> None:
    """Rows of zeros and a bias of zero: the units stand where ReLU bends."""
    x = X.copy()
    x[::2] = 0
    case = tried(rg.relu, train=Data((x,), Y + 1))
    assert case.model is not None
    case.model.linear.bias.data = np.zeros(1, np.float32)
    assert told(wrong_gradient, case) == []


@pytest.mark.parametrize(("sides", "rows"), [((3,), 32), ((8, 16), 32), ((3, 16, 16), 8)])
def test_of_large_rows_fewer_are_run(sides: tuple[int, ...], rows: int) -> None:
    seen: list[int] = []

    class Seeing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(int(np.prod(sides)), 1)

        def forward(self, x: Any) -> Any:
            seen.append(len(x))
            return self.linear(x.reshape(len(x), -1))

    x = np.random.default_rng(0).normal(size=(40, *sides)).astype(np.float32)
    case = Case(model=Seeing(), loss=squared, train=Data((x,), Y), task="regression")
    assert told(wrong_gradient, case) == []
    # Once for the gradients, and at both ends of the weight's difference and the bias's.
    assert seen == [rows] * 5


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


@pytest.mark.parametrize(("far", "is_found"), [(3.0, False), (100.0, True)])
def test_outputs_that_have_a_long_way_to_go_may_take_larger_steps(
    far: float, is_found: bool
) -> None:
    """150 steps of 0.005 move a bias by 0.75 at most, and 150 steps of 0.05 by 7.5."""

    class Biased(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bias = rg.Parameter([0.0])

        def forward(self, x: Any) -> Any:
            return 0 * x[:, :1] + self.bias

    case = Case(model=Biased(), train=Data((X,), 0 * Y + np.float32(far)), loss=squared)
    assert 0.25 * far**2 < (far - 0.75) ** 2 or far > 3
    assert told(one_batch, case) == ([("RG411", "warning")] if is_found else [])


def test_a_loss_that_cannot_be_compiled_is_not_tried_on_one_batch() -> None:
    def looking(output: Any, target: Any) -> Any:
        return squared(output, target) if float(output.sum()) < 1e9 else output.sum()

    assert told(one_batch, tried(lambda x: 0 * x, loss=looking)) == []


def test_a_slope_that_rounding_hides_is_not_called_wrong() -> None:
    """Values near 1 are rounded to steps of 1e-16, and the difference to steps of 1e-11."""

    class Near(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = rg.Parameter([17.0])

        def forward(self, x: Any) -> Any:
            return rg.sigmoid(self.weight + 0 * x[:, :1])

    def far(output: Any, target: Any) -> Any:
        return output.mean() + 0 * target.mean()

    assert told(wrong_gradient, Case(model=Near(), train=Data((X,), Y), loss=far)) == []


class Shifted(nn.Module):
    """A Linear with a bias of its own, whose gradient alone is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.shift = nn.Linear(3, 1, bias=False), rg.Parameter([0.5])

    def forward(self, x: Any) -> Any:
        return self.linear(x) + slanted(self.shift)


def test_each_of_a_few_parameters_is_tried() -> None:
    case = Case(model=Shifted(), train=Data((X,), Y), task="regression", loss=squared)
    assert only(wrong_gradient, case).evidence.layers == ("shift",)
