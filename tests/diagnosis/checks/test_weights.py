"""Initial weights that are zero, alike, too large or too small; layers without an activation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.cases import layer, losses, only, record, told, weights

import retrograd as rg
from retrograd import nn
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.weights import (
    alike_units,
    matrices,
    no_activation,
    scale_of_weights,
    zero_weights,
)

X = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)


def started(*parameters: Any, layers: Any = (), **series: Any) -> Case:
    return Case(record=record({"loss": losses(8, 0.9)}, parameters=parameters, layers=layers))


def test_matrices_multiply() -> None:
    parameters = [
        weights("a.weight", (8, 16), std=0.3, mean=0.4),
        weights("a.bias", (8,)),
        weights("c.weight_ih", (8, 4, 3, 3)),
        weights("e.weight", (100, 8)),
        weights("table", (8, 8)),
        weights("n.weight", (8,)),
    ]
    found = matrices(started(*parameters, layers=[layer("e", "Embedding")]))
    assert [(each.name, each.fan_in) for each in found] == [("a.weight", 16), ("c.weight_ih", 36)]
    assert found[0].rms == pytest.approx(0.5)
    assert found[0].gain == pytest.approx(2.0)


def test_embeddings_of_a_model_are_looked_up() -> None:
    model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2))
    assert [each.name for each in matrices(Case(model=model))] == ["1.weight"]


def zeros(gradient: Any, steps: int = 8, **more: Any) -> Case:
    parameters = [weights("0.weight", std=0.0, **more), weights("1.weight")]
    series: dict[Any, Any] = {"loss": losses(steps, 0.9)}
    if gradient is not None:
        series["gradient_norm", "0.weight"] = gradient
    return Case(record=record(series, parameters=parameters))


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (zeros(0.0), True),
        (zeros([0, 0, 0, 0, 0, 0, 0, 1e-9]), False),
        (zeros([0, 0, 0, 0, 0, 0, 0, np.nan]), True),
        (zeros(0.0, steps=4), True),
        (zeros(0.0, steps=3), False),
        (zeros(0.0, trained=False), False),
        (zeros(0.0, mean=0.1), False),
    ],
)
def test_without_a_model_zeros_are_stuck_that_never_had_a_gradient(
    case: Case, is_found: bool
) -> None:
    assert told(zero_weights, case) == ([("RG105", "error")] if is_found else [])


def test_the_matrices_that_are_stuck_are_named() -> None:
    model = nn.Sequential(*(nn.Linear(4, 4) for _ in range(6)))
    for each in model.parameters():
        nn.init.zeros_(each)
    parameters = [weights(f"{n}.weight", std=0.0) for n in range(6)]
    case = Case(record=record({"loss": losses(8, 0.9)}, parameters=parameters), model=model)
    found = only(zero_weights, case).evidence
    assert found.text == ("All weights of 0.weight, 1.weight, 2.weight and 3 more start at 0.")
    assert found.numbers == {"matrices": 6}
    three = Case(record=record({"loss": losses(8, 0.9)}, parameters=parameters[:3]), model=model)
    assert only(zero_weights, three).evidence.text == (
        "All weights of 0.weight, 1.weight, 2.weight start at 0."
    )


def test_of_four_matrices_three_are_named() -> None:
    parameters = [weights(f"{n}.weight", std=0.0) for n in range(4)]
    series = {"loss": losses(8, 0.9)} | {("gradient_norm", p.name): 0.0 for p in parameters}
    found = only(zero_weights, Case(record=record(series, parameters=parameters))).evidence
    assert found.text == "All weights of 0.weight, 1.weight, 2.weight and 1 more start at 0."


def test_of_a_model_without_the_matrix_the_gradients_are_asked() -> None:
    case = zeros(0.0)
    other = Case(record=case.record, model=nn.Linear(2, 2))
    assert told(zero_weights, other) == [("RG105", "error")]


def test_without_rows_zeros_are_not_tried() -> None:
    model = nn.Linear(4, 4)
    nn.init.zeros_(model.weight)
    assert told(zero_weights, Case(model=model)) == []


def test_a_parameter_of_no_use_stays_where_it_is_while_zeros_are_tried() -> None:
    model = Own(lambda x: x)
    model.unused = rg.Parameter([1.0])
    nn.init.zeros_(model.last.weight)
    assert told(zero_weights, modelled(model)) == []


@pytest.mark.parametrize(("apart", "is_found"), [(2e-6, True), (4e-5, False)])
def test_twins_are_equal_to_five_digits(apart: float, is_found: bool) -> None:
    """Of the largest weight, which is 1."""
    values = np.round(np.random.default_rng(0).uniform(-0.5, 0.5, (32, 4)), 3)
    values[0, 0] = 1
    values[16:] = values[:16] + apart
    linear = nn.Linear(4, 32)
    linear.weight.data = values
    run = record({"loss": losses(8, 0.9)}, parameters=[weights("0.weight", (32, 4), std=0.0)])
    assert bool(zero_weights(Case(record=run, model=nn.Sequential(linear)))) == is_found


@pytest.mark.parametrize(("twins", "is_found"), [(8, False), (10, True)])
def test_after_a_run_units_may_have_few_twins(twins: int, is_found: bool) -> None:
    """Of 32 units a quarter."""
    linear = nn.Linear(4, 32)
    values = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
    values[:twins] = np.repeat(values[: twins // 2], 2, 0)
    linear.weight.data = values
    start = [weights("0.weight", (32, 4), std=0.0)]
    case = Case(
        record=record({"loss": losses(8, 0.9)}, parameters=start), model=nn.Sequential(linear)
    )
    assert bool(zero_weights(case)) == is_found
    # Of other layers the rows need not be units.
    other = nn.Module()
    other.add_module("0", nn.Module())
    next(iter(other.children())).weight = rg.Parameter(np.ones((32, 4), np.float32))
    assert told(zero_weights, Case(record=case.record, model=other)) == []


@pytest.mark.parametrize(
    ("parameter", "is_found"),
    [
        (weights("a.weight", equal_units=0.51), True),
        (weights("a.weight", equal_units=0.5), False),
        (weights("a.weight", equal_units=None), False),
        (weights("a.weight", std=0.0, equal_units=1.0), False),
        (weights("a.weight", (16, 1), equal_units=1.0), False),
        (weights("a.weight", (16, 2), equal_units=1.0), True),
    ],
)
def test_units_that_start_alike(parameter: Any, is_found: bool) -> None:
    assert told(alike_units, started(parameter)) == ([("RG106", "error")] if is_found else [])


def test_the_share_of_alike_units_is_told() -> None:
    parameters = [weights(f"{n}.weight", equal_units=0.75 - n / 8) for n in range(2)]
    found = only(alike_units, started(*parameters)).evidence
    assert found.text == (
        "In 0.weight, 1.weight, 75% of the units have the same weights as another unit."
    )
    assert found.numbers == {"equal_units": 0.75}
    assert found.layers == ("0.weight", "1.weight")


@pytest.mark.parametrize(
    ("low", "high", "columns", "is_found"),
    [(0.1, 0.1, 8, True), (0.0, 0.0, 8, False), (0.1, 0.2, 8, False), (0.1, 0.1, 1, False)],
)
def test_columns_of_an_embedding_that_start_alike(
    low: float, high: float, columns: int, is_found: bool
) -> None:
    table = replace(weights("user.weight", (99, columns)), min=low, max=high)
    found = told(alike_units, started(table, layers=[layer("user", "Embedding")]))
    assert found == ([("RG106", "error")] if is_found else [])


LAST = weights("z.weight")  # a gain of 0.8


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ([weights("a.weight", std=0.88), LAST], ["RG107"]),  # 3.52
        ([weights("a.weight", std=0.87), LAST], []),  # 3.48
        ([LAST, weights("z2.weight", std=0.88)], ["RG107"]),
        ([weights("a.weight", std=0.0249), LAST], ["RG108"]),  # 0.0996
        ([weights("a.weight", std=0.0251), LAST], []),
        ([LAST, weights("z2.weight", std=0.01)], []),  # many start the last one small
        ([weights("a.weight", (48, 16), std=0.0176), LAST], ["RG108"]),  # sqrt(32) times
        ([weights("a.weight", (48, 16), std=0.0178), LAST], []),
        ([weights("a.weight", std=0.0), LAST], []),
        ([weights("a.weight", std=9), weights("b.weight", std=0.01), LAST], ["RG107", "RG108"]),
    ],
)
def test_the_gain_of_initial_weights(parameters: list[Any], expected: list[str]) -> None:
    assert told(scale_of_weights, started(*parameters)) == [(c, "warning") for c in expected]


def test_the_worst_gain_is_told() -> None:
    case = started(
        weights("a.weight", std=1.0), weights("b.weight", std=2.0),
        weights("c.weight", std=0.02), weights("d.weight", std=0.01), LAST,
    )  # fmt: skip
    large, small = scale_of_weights(case)
    assert large.evidence.text == (
        "The initial weights of b.weight, a.weight are so large that a layer multiplies the size "
        "of its input by 8; 0.6 to 2.4 is usual."
    )
    assert large.evidence.layers == ("b.weight", "a.weight")
    assert large.evidence.numbers == pytest.approx({"gain": 8, "std": 2})
    assert small.evidence.text == (
        "The initial weights of c.weight, d.weight are so small that a layer multiplies the size "
        "of its input by 0.04; 0.6 to 2.4 is usual."
    )
    assert small.evidence.layers == ("c.weight", "d.weight")
    assert small.evidence.numbers == pytest.approx({"gain": 0.04, "std": 0.01})


def test_a_normalization_layer_undoes_the_scale() -> None:
    large = weights("a.weight", std=0.88)
    recorded = started(large, LAST, layers=[layer("n", "LayerNorm")])
    assert told(scale_of_weights, recorded) == [("RG107", "note")]
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Linear(4, 4))
    model[0].weight.data = np.full((4, 4), 5.0, np.float32)
    assert told(scale_of_weights, Case(model=model)) == [("RG107", "note")]
    bare = nn.Sequential(model[0], nn.ReLU())
    assert told(scale_of_weights, Case(model=bare)) == [("RG107", "warning")]


class Own(nn.Module):
    """A function of one's own between two layers."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.first, self.function, self.last = nn.Linear(4, 8), function, nn.Linear(8, 2)

    def forward(self, x: Any) -> Any:
        return self.last(self.function(self.first(x)))


def modelled(model: nn.Module, x: Any = X) -> Case:
    return Case(model=model, train=Data((x,), np.zeros(len(x))), task="regression")


def sequence(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), *layers, nn.Linear(8, 2))


@pytest.mark.parametrize(
    ("model", "is_found"),
    [
        (Own(lambda x: x * 2 + 1), True),
        (Own(rg.tanh), False),
        (Own(lambda x: rg.relu(x + 25)), False),  # bends only far out
        (Own(lambda x: x * 1e-3), True),
        (Own(lambda x: rg.exp(x * 40)), False),  # not finite far out
        (nn.Linear(4, 2), False),  # one layer is meant to be linear
        (nn.Sequential(Own(lambda x: x), nn.Softmax(1)), True),
        (nn.Sequential(Own(lambda x: x), nn.LogSoftmax(1)), True),
        (nn.Sequential(Own(rg.tanh), nn.Softmax(1)), False),
        (nn.Sequential(Own(lambda x: x), nn.Sigmoid()), False),
        (sequence(nn.ReLU()), False),
        (sequence(nn.Dropout(0.5)), True),
    ],
)
def test_outputs_that_are_a_linear_function(model: nn.Module, is_found: bool) -> None:
    for parameter in model.parameters():
        parameter.data = np.random.default_rng(0).normal(0, 0.5, parameter.shape).astype(np.float32)
    found = told(no_activation, modelled(model))
    assert found == ([("RG109", "warning")] if is_found else [])


def test_a_linear_function_names_its_layers() -> None:
    found = only(no_activation, modelled(Own(lambda x: x))).evidence
    assert found.layers == ("first.weight", "last.weight")
    assert found.text.startswith("The outputs are a linear function of the inputs")


@pytest.mark.parametrize(
    "x", [X[:7], (X * 10).astype(np.int32), np.full_like(X, np.nan), np.ones_like(X)]
)
def test_where_it_cannot_be_tried_only_neighbors_are_looked_at(x: Any) -> None:
    assert told(no_activation, modelled(Own(lambda x: x), x)) == []
    assert told(no_activation, Case(model=Own(lambda x: x))) == []
    assert only(no_activation, modelled(sequence(), x)).evidence.text == (
        "There is no activation between the layers 0 and 1."
    )


def test_rows_far_from_0_are_moved_away_from_their_mean() -> None:
    rg.manual_seed(0)
    assert told(no_activation, modelled(Own(rg.relu), X + 10)) == []
    assert told(no_activation, modelled(Own(lambda x: x), X + 10)) == [("RG109", "warning")]


def test_a_model_of_two_inputs_is_not_tried() -> None:
    class Both(Own):
        def forward(self, x: Any, y: Any) -> Any:
            return super().forward(x + y)

    case = Case(model=Both(rg.tanh), train=Data((X, X), np.zeros(64)), task="regression")
    assert told(no_activation, case) == []


@pytest.mark.parametrize("rows", [8, 9])
def test_pairs_are_made_of_an_odd_number_of_rows_too(rows: int) -> None:
    assert told(no_activation, modelled(Own(lambda x: x), X[:rows])) == [("RG109", "warning")]


def test_eight_rows_are_enough() -> None:
    assert told(no_activation, modelled(Own(lambda x: x), X[:8])) == [("RG109", "warning")]


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2)), ["0", "1"]),
        (nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)), ["0", "2"]),
        (nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), []),
        (sequence(nn.Identity(), nn.Dropout(0.1), nn.Linear(8, 8)), ["0", "3", "3", "4"]),
        (nn.Sequential(nn.ReLU(), nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))), ["1.0", "1.1"]),
        (Own(rg.tanh), []),
    ],
)
def test_layers_side_by_side(model: nn.Module, names: list[str]) -> None:
    found = no_activation(Case(model=model))
    assert [list(each.evidence.layers) for each in found] == ([names] if names else [])
    for each in found:
        assert each.evidence.numbers == {"pairs": len(names) // 2}
        assert each.evidence.text == (
            f"There is no activation between the layers {names[0]} and {names[1]}."
        )
