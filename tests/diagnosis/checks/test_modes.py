"""Training and evaluation mode, dropout, weight decay, batch statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import (
    BAD,
    GOOD,
    epoch_losses,
    losses,
    only,
    performance,
    record,
    told,
    weights,
)

from retrograd import nn
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.modes import (
    batch_statistics,
    dropout,
    evaluated_in_training,
    trained_in_evaluation,
    weight_decay,
)


@pytest.mark.parametrize(
    ("check", "code", "fact", "words"),
    [
        (trained_in_evaluation, "RG218", "trained_in_eval", "during training"),
        (evaluated_in_training, "RG506", "evaluated_in_train", "in passes under no_grad"),
    ],
)
def test_layers_in_the_wrong_mode_are_named(check: Any, code: str, fact: str, words: str) -> None:
    mode = "evaluation" if code == "RG218" else "training"
    for layers, named in (
        (("a",), "a was"),
        (("a", "b"), "a, b were"),
        (("a", "b", "c"), "a, b, c were"),
        (("a", "b", "c", "d"), "a, b, c and 1 more were"),
        (("a", "b", "c", "d", "e"), "a, b, c and 2 more were"),
    ):
        found = only(check, Case(record=record({"loss": 1.0}, **{fact: layers})))
        assert (found.code, found.evidence.layers) == (code, layers)
        assert found.evidence.text == f"{named} in {mode} mode {words}."
    assert told(check, Case(record=record({"loss": 1.0}))) == []
    assert told(check, Case()) == []


def dropping(p: float, left: float | None = None, cost: float | None = None) -> Case:
    """Before a run, or after it; in its last epoch training cost `cost` times validation."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1), nn.Dropout(p))
    if left is None:
        return Case(model=model)
    epochs = epoch_losses([9.0, 7.0, 2.0], [9.0, 5.0, 2.0 * cost]) if cost else []
    return Case(model=model, record=record({"loss": losses(40, left)}, epochs=epochs))


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (dropping(0.71), True),
        (dropping(0.7), False),
        (dropping(0.69), False),
        (dropping(0.71, BAD), True),
        (dropping(0.71, GOOD), False),
        (dropping(0.9, GOOD), True),
        (dropping(0.89, GOOD), False),
        (dropping(0.5, BAD), False),
        (dropping(0.5, BAD, 2.01), True),
        (dropping(0.5, BAD, 1.99), False),
        (dropping(0.49, BAD, 2.01), False),
        (dropping(0.5, GOOD, 2.01), False),
        (Case(model=nn.Sequential(nn.Dropout(0.0))), False),
        (Case(model=nn.Linear(2, 2)), False),
    ],
)
def test_dropout_that_is_too_much(case: Case, is_found: bool) -> None:
    assert told(dropout, case) == ([("RG505", "warning")] if is_found else [])


def test_the_rate_of_dropout_is_told() -> None:
    found = only(dropout, dropping(0.8)).evidence
    assert found.text == "2 drops 80% of its inputs in each step."
    assert (found.layers, found.numbers) == (("2",), {"rate": 0.8})
    assert only(dropout, dropping(0.8, BAD, 3.0)).evidence.text == (
        "2 drops 80% of its inputs in each step; the last training loss is 6, the last "
        "validation loss 2."
    )


def shrunk(to: float, decay: float | None = 0.01, left: float = BAD, steps: int = 40) -> Case:
    series: dict[Any, Any] = {"loss": losses(steps, left)}
    parameters = [weights(f"{place}.weight") for place in range(4)]
    for each, end in zip(parameters, (to, to, 0.1 * to, 1.0), strict=True):
        series["weight_norm", each.name] = np.linspace(2, 2 * end, steps)
    series["weight_norm", "3.weight"] = 0.0  # has no first size
    options = {} if decay is None else {"weight_decay": decay}
    return Case(record=record(series, parameters=parameters, options=options))


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (shrunk(0.49), True),
        (shrunk(0.51), False),
        (shrunk(0.5), False),
        (shrunk(0.49, 1e-3), True),
        (shrunk(0.49, 0.9e-3), False),
        (shrunk(0.19, 0.9e-3), True),
        (shrunk(0.21, 0.9e-3), False),
        (shrunk(0.49, left=GOOD), False),
        (shrunk(0.1, 0.0), False),
        (shrunk(0.1, None), False),
        (Case(record=record({"loss": losses(40, BAD)}, options={"weight_decay": 0.1})), False),
    ],
)
def test_weights_that_shrink_under_decay(case: Case, is_found: bool) -> None:
    assert told(weight_decay, case) == ([("RG215", "warning")] if is_found else [])


@pytest.mark.parametrize(
    ("norms", "is_found"),
    [
        ([[0.5, 0.2]], True),
        ([[0.5, 0.0]], True),
        ([[np.nan, 0.2]], False),  # measured once
        ([[0.5, 0.2], [np.nan, 0.2]], True),
        ([[0.5, 0.2], [0.5, 0.5]], False),
    ],
)
def test_weights_are_compared_that_were_measured_twice(norms: Any, is_found: bool) -> None:
    parameters = [weights(f"{place}.weight") for place in range(len(norms))]
    series: dict[Any, Any] = {"loss": 1.0}
    series |= {("weight_norm", p.name): each for p, each in zip(parameters, norms, strict=True)}
    run = record(series, parameters=parameters, options={"weight_decay": 0.01})
    assert bool(weight_decay(Case(record=run))) == is_found


def test_how_far_weights_shrank_is_told() -> None:
    found = only(weight_decay, shrunk(0.4)).evidence
    assert (
        found.text == "With a weight decay of 0.01 the weights shrank to 0.4 of their initial size."
    )
    assert found.layers == ("2.weight", "0.weight", "1.weight")
    assert found.steps == (1, 40)
    assert found.numbers == pytest.approx({"shrunk_to": 0.4, "weight_decay": 0.01})


X = np.random.default_rng(0).normal(size=(512, 3)).astype(np.float32)
X = (X - X[:256].mean(0)) / X[:256].std(0)


def normalizing(
    mean: float = 0.0, var: float = 1.0, left: float = BAD, x: Any = X, channels: int = 3
) -> Case:
    norm = nn.BatchNorm1d(3)
    norm.running_mean.data = np.where(np.arange(3) < channels, mean, 0.0).astype(np.float32)
    norm.running_var.data = np.where(np.arange(3) < channels, var, 1.0).astype(np.float32)
    model = nn.Sequential(nn.Identity(), norm, nn.Dropout(0.5))
    return Case(
        model=model,
        train=Data((x,), np.zeros((len(x), 2))),  # which three outputs do not answer
        record=record({"loss": losses(40, left)}),
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (normalizing(), ""),
        (normalizing(mean=1.01), "error"),
        (normalizing(mean=-1.01), "error"),
        (normalizing(mean=0.99), ""),
        (normalizing(mean=1.01, left=GOOD), "warning"),
        (normalizing(var=4.05), "error"),
        (normalizing(var=3.95), ""),
        (normalizing(var=1 / 4.05), "error"),
        (normalizing(var=1 / 3.95), ""),
        (normalizing(mean=5, channels=2), "error"),
        (normalizing(mean=5, channels=1), ""),
        (normalizing(mean=5, x=X * np.nan), ""),
    ],
)
def test_running_statistics_that_are_not_those_of_the_rows(case: Case, expected: str) -> None:
    if np.isnan(case.train.inputs[0]).any():
        assert told(batch_statistics, case) == []
        return
    assert told(batch_statistics, case) == ([("RG507", expected)] if expected else [])


def test_before_a_run_no_statistics_are_stale() -> None:
    case = normalizing(mean=5)
    assert told(batch_statistics, Case(model=case.model, train=case.train)) == []
    other = Case(model=nn.Sequential(nn.Linear(3, 3)), train=case.train, record=case.record)
    assert told(batch_statistics, other) == []


def test_how_far_statistics_are_off_is_told_and_the_model_is_left_as_it_was() -> None:
    case = normalizing(mean=3, var=9)
    assert case.model is not None
    case.model.train()
    case.model[1].eval()
    before = {name: each.copy() for name, each in case.model.state_dict().items()}
    found = only(batch_statistics, case).evidence
    assert found.text == (
        "In the median channel of 1 the running mean is off by 3 standard deviations and the "
        "running variance by a factor of 9."
    )
    assert found.layers == ("1",)
    assert found.numbers == pytest.approx({"shift": 3, "factor": 9}, rel=1e-3)
    assert [each.training for each in case.model.modules()] == [True, True, False, True]
    for name, each in case.model.state_dict().items():
        assert np.array_equal(each, before[name])


def test_the_worst_normalization_is_named_first_and_images_are_pooled() -> None:
    x = np.random.default_rng(0).normal(2.0, 3.0, size=(64, 2, 5, 5)).astype(np.float32)
    model = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2))
    model[0].running_mean.data = np.full(2, 2.0 + 6.0, np.float32)
    model[0].running_var.data = np.full(2, 9.0, np.float32)
    model[1].running_mean.data = np.full(2, 4.0, np.float32)
    case = Case(
        model=model, train=Data((x,), np.zeros(64)), record=record({"loss": losses(40, BAD)})
    )
    found = only(batch_statistics, case).evidence
    assert found.layers == ("1", "0")
    assert found.numbers["shift"] == pytest.approx(4, rel=0.05)


def test_dropout_stays_off_while_statistics_are_taken() -> None:
    x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    model = nn.Sequential(nn.Dropout(0.95), nn.BatchNorm1d(3))
    run = record({"loss": losses(40, BAD)})
    assert told(batch_statistics, Case(record=run, model=model, train=Data((x,), x[:, 0]))) == []
    own = nn.Sequential(nn.BatchNorm1d(3, track_running_stats=False))
    assert told(batch_statistics, Case(record=run, model=own, train=Data((9 * x,), x))) == []


def test_each_channel_has_statistics_of_its_own() -> None:
    """Also one that is constant, whose variance is 0."""
    x = np.random.default_rng(0).normal(size=(64, 2, 5, 5)).astype(np.float32)
    x = x * np.float32([[[[1]], [[0]]]]) + np.float32([[[[0]], [[20]]]])
    model = nn.Sequential(nn.BatchNorm2d(2))
    model[0].running_mean.data = np.float32([0, 20])
    model[0].running_var.data = np.float32([1, 0])
    run = record({"loss": losses(40, BAD)})
    case = Case(record=run, model=model, train=Data((x,), np.zeros(64)))
    assert told(batch_statistics, case) == []


@pytest.mark.parametrize(("shift", "worst"), [(2.2, "b"), (2.3, "a")])
def test_a_factor_of_4_counts_as_a_shift_by_1(shift: float, worst: str) -> None:
    """The one is off by `shift` standard deviations, the other by a factor of 9."""
    model = nn.Sequential()
    for name, mean, var in (("a", shift, 1.0), ("b", 0.0, 9.0)):
        norm = nn.BatchNorm1d(3)
        norm.running_mean.data = np.full(3, mean, np.float32)
        norm.running_var.data = np.full(3, var, np.float32)
        model.add_module(name, norm)
    run = record({"loss": losses(40, BAD)})
    case = Case(record=run, model=model, train=Data((X[:256],), np.zeros((256, 2))))
    assert only(batch_statistics, case).evidence.layers[0] == worst


@pytest.mark.parametrize(("better", "is_found"), [(0.79, True), (0.81, False)])
def test_statistics_are_stale_only_where_they_cost_a_fifth_of_the_error(
    better: float, is_found: bool
) -> None:
    """The rows are 5 off in evaluation mode; in training mode the error is `better` of that."""
    case = normalizing(mean=5)
    usual = case.outputs
    assert usual is not None

    def error(outputs: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> float:
        assert len(outputs) == len(target)
        return 1.0 if np.array_equal(outputs, usual[: len(outputs)]) else better

    judged = performance()
    judged.__dict__.update(error=error, is_poor=True, shortfall=2.0)
    case.__dict__["performance"] = judged
    assert bool(told(batch_statistics, case)) == is_found
