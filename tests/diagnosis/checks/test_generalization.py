"""Overfitting, overtraining, underfitting, baselines: by curves, and beside simple models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from support.cases import (
    CODES,
    GOOD,
    NUMBERS,
    epoch_losses,
    losses,
    only,
    performance,
    record,
    told,
)

from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.checks.generalization import (
    baseline,
    overfitting,
    overtraining,
    underfitting,
)
from retrograd.diagnosis.outcome.baselines import SimpleScores


def run(
    validation: Sequence[float] = (),
    train: Sequence[float] | None = None,
    restores_best: bool = False,
    **known: Any,
) -> Case:
    """A run with these losses by epoch; `known` replaces what its performance works out."""
    case = Case(
        record=record({"loss": losses(40, GOOD)}, epochs=epoch_losses(validation, train)),
        restores_best=restores_best,
    )
    answers = known.pop("answers", NUMBERS)
    y = np.arange(2500) % 2
    judged = (y, None) if known.pop("judged", True) else ()
    if "valid_error" in known:
        known["judged_error"] = known["valid_error"]
    case.__dict__["performance"] = (
        performance(y, None, *judged, answers=answers, **known) if known else None
    )
    return case


@pytest.mark.parametrize(
    ("validation", "train", "is_found"),
    [
        ([2.0, 1.0, 1.26], [1.0, 0.8, 0.62], True),
        ([2.0, 1.0, 1.24], [1.0, 0.8, 0.5], False),
        ([2.0, 1.0, 1.26], [1.0, 0.8, 0.64], False),  # less than twice the training loss
        ([1.0, 1.0, 1.026], [1.0, 0.8, 0.1], True),  # a quarter of a tenth of the least
        ([1.0, 1.0, 1.024], [1.0, 0.8, 0.1], False),
        ([2.0, 1.26], [1.0, 0.1], False),
        ([1.0, 1.5], [1.0, 0.1], False),  # two epochs are too few
        ([0.0, 0.0, 1.0], [1.0, 0.8, 0.1], True),
        ([10.0, 10.0, 10.26], [1.0, 0.8, 0.1], True),
        ([10.0, 10.0, 10.24], [1.0, 0.8, 0.1], False),
        ([2.0, 1.0, 1.5], [1.0, 0.8, 0.0], True),
        ([2.0, 1.0, float("nan")], [1.0, 0.8, 0.1], False),
        ([2.0, 1.0, 1.5], [1.0, 0.8, float("nan")], False),
        ([2.0, 1.0, 1.5], [1.0, 0.8, -0.1], True),
    ],
)
def test_a_validation_loss_that_rose(
    validation: list[float], train: list[float], is_found: bool
) -> None:
    expected = [("RG501", "warning")] if is_found else []
    assert told(overfitting, run(validation, train)) == expected


def test_how_far_it_rose_is_told() -> None:
    case = run([2.0, 1.0, 1.5], [1.0, 0.8, 0.25], restores_best=True)
    found = only(overfitting, case)
    assert found.severity == "note"
    assert found.evidence.text == (
        "The validation loss rose from 1 in epoch 2 to 1.5, while the training loss fell to 0.25."
    )
    assert found.evidence.numbers["rise"] == pytest.approx(0.5)


SIMPLE = SimpleScores(constant=1.0, linear=0.5, neighbors=0.6)


def scored(train: float, valid: float, shortfall: float = 1.2, **known: Any) -> Case:
    return run(train_error=train, valid_error=valid, shortfall=shortfall, simple=SIMPLE, **known)


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (scored(0.29, 0.6), True),
        (scored(0.31, 0.6), False),
        (scored(0.29, 0.6, 1.11), True),
        (scored(0.29, 0.6, 1.09), False),
        (scored(0.49, 1.0), True),
        (scored(0.51, 1.1), False),  # worse than the simple model on its own rows
        (scored(0.29, 0.6, restores_best=True), True),
    ],
)
def test_a_network_that_does_well_on_its_own_rows_alone(case: Case, is_found: bool) -> None:
    assert told(overfitting, case) == ([("RG501", "warning")] if is_found else [])


@pytest.mark.parametrize(
    ("train", "valid", "answers", "is_found"),
    [
        (0.035, 0.36, CODES, True),
        (0.037, 0.36, CODES, False),
        (0.0, 0.34, CODES, False),
        (0.0, 0.36, NUMBERS, False),
    ],
)
def test_a_classifier_that_knows_its_own_rows_by_heart(
    train: float, valid: float, answers: Any, is_found: bool
) -> None:
    """No simple model does better."""
    case = scored(train, valid, 1.0, answers=answers)
    assert bool(told(overfitting, case)) == is_found


def test_the_scores_of_overfitting_are_told() -> None:
    found = only(overfitting, scored(0.25, 0.75)).evidence
    assert found.text == (
        "The share of unexplained variance is 0.25 on the training rows and 0.75 on the "
        "validation rows."
    )
    assert (found.numbers["train_error"], found.numbers["valid_error"]) == (0.25, 0.75)
    wrong = only(overfitting, scored(0.25, 0.75, answers=CODES)).evidence.text
    assert wrong.startswith("The error rate is 0.25")
    ranked = scored(0.25, 0.75, answers=CODES, is_unbalanced=True)
    assert only(overfitting, ranked).evidence.text == (
        "The area under the ROC curve is 0.75 on the training rows and 0.25 on the validation rows."
    )


@pytest.mark.parametrize(
    ("validation", "expected"),
    [
        ([2, 1.5, 1, 1.26, 1.26, 1.26], "warning"),
        ([2, 1.5, 1, 1.24, 1.24, 1.24], "note"),
        ([2, 1.5, 1, 1.11, 1.11, 1.11], "note"),
        ([2, 1.5, 1, 1.09, 1.09, 1.09], ""),
        ([2, 1.5, 1.4, 1, 1.5, 1.5], ""),  # the best in the second half
        ([2, 1.5, 1, 1.5, 1.5], ""),
        ([2, 1.5, 1, 1.5, 1.5, float("nan")], ""),
        ([1, 1, 1, 1.026, 1.026, 1.026], "warning"),
        ([1, 1, 1, 1.024, 1.024, 1.024], "note"),
        ([2, 1.5, 1, 1.05, 1.2, 1.9], "note"),  # of the last three the middle one
        ([2, 1.5, 1, 1, 1.04, 1.12, 1.5], "note"),
        ([2, 1.5, 1, 1, 1.5, 1.08, 1.04], ""),
        ([0, 0, 0, 1, 1, 1], "warning"),
    ],
)
def test_a_best_epoch_in_the_first_half(validation: list[float], expected: str) -> None:
    assert told(overtraining, run(validation)) == ([("RG502", expected)] if expected else [])


def test_the_best_epoch_is_told() -> None:
    found = only(overtraining, run([2, 1, 1.5, 1.5, 1.25, 1.75], restores_best=True))
    assert found.severity == "note"
    assert found.evidence.text == (
        "The validation loss was best in epoch 2 of 6, 1; it ends at 1.75."
    )
    assert found.evidence.numbers == pytest.approx({"best_epoch": 2, "epochs": 6, "lost": 0.5})


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (scored(0.5, 0.8), True),
        (scored(0.49, 0.8), False),
        (scored(0.5, 0.8, 1.11), True),
        (scored(0.5, 0.8, 1.09), False),
        (scored(float("inf"), 0.8), False),
        (scored(0.5, 0.8, float("nan")), False),
    ],
)
def test_a_network_that_does_badly_on_its_own_rows(case: Case, is_found: bool) -> None:
    assert told(underfitting, case) == ([("RG503", "warning")] if is_found else [])


def test_the_simple_model_that_does_better_is_named() -> None:
    found = only(underfitting, scored(0.625, 0.75)).evidence
    assert found.text == (
        "The share of unexplained variance is 0.625 on the training rows and 0.75 on the "
        "validation rows; with ridge regression it is 0.5 on the validation rows."
    )
    assert found.numbers == {"train_error": 0.625, "valid_error": 0.75, "simple": 0.5}
    for linear, neighbors, name in (
        (0.5, 0.5, "ridge regression"),
        (0.6, 0.5, "nearest neighbors"),
    ):
        case = scored(0.7, 0.8)
        assert case.performance is not None
        case.performance.__dict__["simple"] = SimpleScores(1.0, linear, neighbors)
        assert f"with {name} it is 0.5 on" in only(underfitting, case).evidence.text


def test_without_validation_rows_simple_models_answer_rows_that_they_have_not_seen() -> None:
    case = scored(0.625, 0.625, judged=False)
    assert only(underfitting, case).evidence.text == (
        "The share of unexplained variance is 0.625 on the training rows; with ridge regression it "
        "is 0.5 on rows that it has not seen."
    )
    assert told(underfitting, scored(0.49, 0.49, judged=False)) == []
    assert told(overfitting, scored(0.29, 0.6, judged=False)) == []


def beside(valid: float, constant: float, best: float, **known: Any) -> Case:
    return run(valid_error=valid, simple=SimpleScores(constant, best, best), **known)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (beside(0.981, 1.0, 0.5), "error"),
        (beside(0.979, 1.0, 0.5), ""),
        (beside(0.981, 1.0, 0.979), "error"),
        (beside(0.981, 1.0, 0.981), "warning"),
        (beside(float("inf"), 1.0, 0.5), ""),
        (beside(float("nan"), 1.0, 0.5), ""),
        (beside(0.5, 0.39, 0.2, answers=CODES, ranks_better=True), "error"),
        (beside(0.4, 0.39, 0.2, answers=CODES, ranks_better=True), ""),
        (beside(0.4, 0.39, 0.2, answers=CODES, ranks_better=False), "error"),
        (beside(0.4, 0.41, 0.2, answers=CODES, ranks_better=True), "error"),
        (beside(0.4, 0.39, 0.2, ranks_better=True), "error"),
    ],
)
def test_no_better_than_the_constant_answer(case: Case, expected: str) -> None:
    assert told(baseline, case) == ([("RG504", expected)] if expected else [])


def test_the_baseline_is_told() -> None:
    found = only(baseline, beside(1.25, 1.0, 0.5)).evidence
    assert found.text == (
        "The share of unexplained variance on the validation rows is 1.25; always answering the "
        "mean gives 1, a simple model 0.5."
    )
    assert found.numbers == {"valid_error": 1.25, "constant": 1.0, "simple": 0.5}
    classes = only(baseline, beside(0.6, 0.5, 0.25, answers=CODES)).evidence.text
    assert classes == (
        "The error rate on the validation rows is 0.6; always answering the most frequent class "
        "gives 0.5 (or by chance 0.48), a simple model 0.25."
    )


def test_the_baseline_of_the_training_rows_is_told_where_there_are_no_others() -> None:
    found = only(baseline, beside(1.25, 1.0, 0.5, judged=False)).evidence.text
    assert found == (
        "The share of unexplained variance on the training rows is 1.25; always answering the "
        "mean gives 1, a simple model 0.5."
    )
    # Of rows with many items there is no other simple model.
    known = {"valid_error": 0.6, "answers": CODES, "simple": SimpleScores(0.5, math.inf, math.inf)}
    pixels = only(baseline, run(**known))
    assert pixels.severity == "warning"
    assert pixels.evidence.text == (
        "The error rate on the validation rows is 0.6; always answering the most frequent class "
        "gives 0.5 (or by chance 0.48)."
    )


def test_what_is_gained_is_a_tenth_of_the_least_loss_or_more() -> None:
    """0.01 was gained of a loss of 2: the rise of 0.015 is 7.5 % of 0.2."""
    assert told(overtraining, run([2.01, 2.0, 2.0, *[2.015] * 5])) == []
    assert only(overtraining, run([2.01, 2.0, 2.0, *[2.03] * 5])).evidence.numbers[
        "lost"
    ] == pytest.approx(0.15)
