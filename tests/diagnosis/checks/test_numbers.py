"""NaN and infinity are found where they are first seen."""

from __future__ import annotations

import numpy as np
import pytest
from support.cases import only, record, told, weights

from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.numbers import (
    numbers_in_data,
    numbers_in_gradients,
    numbers_in_loss,
)

NAN, INF = np.nan, np.inf
X = np.ones((4, 2), np.float32)
Y = np.ones(4, np.float32)


def data(x: np.ndarray = X, y: np.ndarray = Y) -> Data:
    return Data((x,), y)


def test_rows_of_the_data_are_counted_and_the_first_is_named() -> None:
    x = X.copy()
    x[1] = NAN
    x[3, 0] = -INF
    found = only(numbers_in_data, Case(train=data(x)))
    assert found.evidence.text == (
        "2 of 4 training rows have NaN or infinity in the inputs; the first is row 1."
    )
    assert found.evidence.numbers == {"rows": 2, "first_row": 1, "values": 3}
    assert found.severity == "error"


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (Case(train=data(y=np.float32([1, 1, 1, NAN]))), "training rows have NaN or infinity in "),
        (Case(train=data(), valid=data(X * INF)), "4 of 4 validation rows"),
        (Case(valid=data(X * INF)), "4 of 4 validation rows"),
        (Case(train=Data((X.astype(int), X * NAN), Y)), "4 of 4 training rows"),
    ],
)
def test_each_array_is_looked_at(case: Case, words: str) -> None:
    assert words in only(numbers_in_data, case).evidence.text


def test_finite_numbers_and_whole_ones_are_no_fault() -> None:
    assert not numbers_in_data(Case(train=data(), valid=data()))
    assert not numbers_in_data(Case(train=Data((X.astype(int),), Y.astype(int))))
    assert not numbers_in_data(Case())


def test_one_array_is_enough() -> None:
    assert len(numbers_in_data(Case(train=data(X * NAN, Y * NAN), valid=data(X * NAN)))) == 1


@pytest.mark.parametrize(
    ("values", "text", "before"),
    [
        ([1, 2, NAN, 3, INF], "The loss is nan in step 3, after 2 in the step before.", 2),
        ([INF, 1, 1, 1, 1], "The loss is inf in step 1.", NAN),
        ([INF, 1, NAN, 1, 1], "The loss is inf in step 1.", NAN),
    ],
)
def test_the_first_loss_that_is_not_finite_is_named(
    values: list[float], text: str, before: float
) -> None:
    found = only(numbers_in_loss, Case(record=record({"loss": values})))
    assert found.evidence.text == text
    assert found.evidence.numbers["before"] == pytest.approx(before, nan_ok=True)
    assert found.evidence.steps == (3 if before == 2 else 1, 5)


def test_finite_losses_are_no_fault() -> None:
    assert not numbers_in_loss(Case(record=record({"loss": [1, 2, 3]})))


def gradients(total: list[float], losses: list[float], first: list[float]) -> Case:
    series = {
        "loss": losses,
        "gradient_norm": total,
        ("gradient_norm", "0.weight"): first,
        ("gradient_norm", "1.weight"): total,
    }
    return Case(record=record(series, parameters=[weights("0.weight"), weights("1.weight")]))


def test_a_gradient_is_named_by_the_parameter_nearest_to_the_loss() -> None:
    found = only(numbers_in_gradients, gradients([1, NAN, NAN], [5, 6, 7], [1, NAN, NAN]))
    assert found.evidence.text == (
        "The gradient is not finite in step 2, where the loss is 6; first in 1.weight."
    )
    assert found.evidence.layers == ("1.weight", "0.weight")
    assert found.evidence.steps == (2, 2)
    assert found.evidence.numbers == {"loss": 6}
    one = only(numbers_in_gradients, gradients([1, NAN, NAN], [5, 6, 7], [1, 1, 1]))
    assert one.evidence.layers == ("1.weight",)


def test_a_gradient_after_a_loss_that_is_not_finite_is_no_cause() -> None:
    assert told(numbers_in_gradients, gradients([1, NAN, 1], [5, NAN, 7], [1, 1, 1])) == []
    assert told(numbers_in_gradients, gradients([1, 1, 1], [5, 6, 7], [1, 1, 1])) == []


def test_without_a_gradient_none_is_not_finite() -> None:
    assert not numbers_in_gradients(Case(record=record({"loss": [1, 2], "gradient_norm": NAN})))


def test_a_parameter_is_named_where_none_was_measured_in_that_step() -> None:
    found = only(numbers_in_gradients, gradients([1, NAN], [5, 6], [1, 1]))
    assert found.evidence.layers == ("1.weight",)
