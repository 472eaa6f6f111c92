"""Inputs and targets: their size, columns that are constant, copied, or give the target away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from support.cases import only, told

from retrograd import nn
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.data import (
    constant_inputs,
    duplicated_inputs,
    gives_class_away,
    gives_number_away,
    input_scale,
    target_scale,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4)).clip(-3, 3)
X = (X / np.sqrt((X**2).mean(0))).astype(np.float32)  # of size 1


def inputs(x: Any, y: Any = None, **more: Any) -> Case:
    x = np.asarray(x, np.float32)
    return Case(train=Data((x,), np.zeros(len(x)) if y is None else np.asarray(y)), **more)


@pytest.mark.parametrize(
    ("scales", "is_found"),
    [
        ([1, 1, 1, 1], False),
        ([1, 10.1, 1, 1], True),
        ([1, 9.9, 1, 1], False),
        ([0.0099] * 4, True),
        ([0.0101] * 4, False),
        ([0.0099, 0.0099, 0.0099, 0.0101], False),
        ([0, 0, 0, 0], False),
    ],
)
def test_the_size_of_columns(scales: list[float], is_found: bool) -> None:
    found = told(input_scale, inputs(X * scales))
    assert found == ([("RG301", "warning")] if is_found else [])


def test_the_largest_column_is_told() -> None:
    x = np.zeros((4, 3))
    x[:, 0] = [30, 10, 30, 10]
    x[:, 1] = [1, -1, 1, -1]
    x[:, 2] = 11
    found = only(input_scale, inputs(x)).evidence
    assert found.text == (
        "Column 0 of the inputs has mean 20 and standard deviation 10; 2 of 3 columns have a root "
        "mean square above 10."
    )
    assert found.numbers == pytest.approx(
        {"largest": np.sqrt(500), "smallest": 1, "columns": 2}, rel=1e-6
    )
    tiny = only(input_scale, inputs(X * 0.005)).evidence
    assert tiny.text == "The largest column of the inputs has a root mean square of 0.005."
    assert tiny.numbers["largest"] == pytest.approx(0.005, rel=1e-5)


@pytest.mark.parametrize(
    ("layers", "is_found"),
    [
        ([nn.Linear(4, 4), nn.BatchNorm1d(4)], True),
        ([nn.BatchNorm1d(4), nn.Linear(4, 4)], False),
        ([nn.Identity(), nn.LayerNorm(4)], False),
        ([nn.Identity()], True),
    ],
)
def test_a_model_may_scale_its_inputs_itself(layers: list[nn.Module], is_found: bool) -> None:
    assert bool(input_scale(inputs(X * 100, model=nn.Sequential(*layers)))) == is_found


def test_what_is_not_finite_counts_as_0_and_one_row_as_none() -> None:
    x = X.copy()
    x[0, 0] = np.inf
    assert not input_scale(inputs(x))
    assert not input_scale(inputs(X[:1] * 100))
    assert input_scale(inputs(X[:2] * 100))
    assert not input_scale(Case(train=Data((X.astype(int) * 100,), np.zeros(200))))


@pytest.mark.parametrize(
    ("mean", "spread", "is_found"),
    [
        (0, 1, False),
        (10.1, 1, True),
        (-10.1, 1, True),
        (9.9, 1, False),
        (0, 10.1, True),
        (0, 9.9, False),
        (0, 0.0099, True),
        (0, 0.0101, False),
        (1, 0, False),
    ],
)
def test_the_size_of_the_target(mean: float, spread: float, is_found: bool) -> None:
    y = mean + spread * np.resize([1.0, -1.0], 50)
    found = told(target_scale, inputs(X[:50], y, task="regression"))
    assert found == ([("RG302", "warning")] if is_found else [])


def test_the_targets_of_which_nothing_is_told() -> None:
    y = np.array([1e3, 2e3, np.nan])
    assert told(target_scale, inputs(X[:3], y, task="regression")) == [("RG302", "warning")]
    assert told(target_scale, inputs(X[:2], y[1:], task="regression")) == []
    assert told(target_scale, inputs(X[:3], [100, 200, 300], task="classification")) == []
    several = np.stack([np.resize([0.0, 1.0], 50), np.resize([0.0, 30.0], 50)], 1)
    found = only(target_scale, inputs(X[:50], several, task="regression")).evidence
    assert found.numbers == {"mean": 7.75, "std": 15}
    assert found.text == "The target has mean 7.75 and standard deviation 15."


def with_constant(constant: int, columns: int, value: float = 3.0) -> Any:
    x = RNG.normal(size=(30, columns))
    x[:, columns - constant :] = value
    return x


@pytest.mark.parametrize(
    ("x", "severity"),
    [
        (with_constant(1, 1), ""),
        (with_constant(2, 2), "error"),
        (with_constant(1, 2), "warning"),
        (with_constant(2, 10), "warning"),
        (with_constant(1, 10), "note"),
        (with_constant(0, 10), ""),
        (with_constant(1, 50), "note"),
        (with_constant(1, 51), ""),  # pixels
        (with_constant(20, 51), ""),
        (with_constant(26, 51), "warning"),
        (with_constant(26, 52), "warning"),
        (with_constant(1, 10).reshape(30, 2, 5), ""),
        (with_constant(2, 10, 0.0), "warning"),
    ],
)
def test_constant_columns_by_their_share(x: Any, severity: str) -> None:
    found = told(constant_inputs, inputs(x))
    assert found == ([("RG303", severity)] if severity else [])


def test_a_column_varies_if_its_digits_do() -> None:
    for change, is_found in ((1e-8, True), (1e-6, False)):
        x = np.ones((30, 2))
        x[:, 0] = RNG.normal(size=30)
        x[0, 1] += change
        case = Case(train=Data((x,), np.zeros(30)))
        assert bool(constant_inputs(case)) == is_found


def test_the_first_constant_column_is_named() -> None:
    found = only(constant_inputs, inputs(with_constant(2, 8))).evidence
    assert found.text == (
        "2 of 8 columns of the inputs have the same value in all rows; the first is column 6."
    )
    assert found.numbers == {"columns": 2, "share": 0.25}


def copied_columns(columns: int) -> Any:
    x = RNG.normal(size=(100, columns))
    x[:, -1] = x[:, 0]
    return x


@pytest.mark.parametrize(
    ("x", "severity"),
    [
        (copied_columns(10), "warning"),
        (copied_columns(11), "note"),
        (copied_columns(50), "note"),
        (copied_columns(51), ""),
        (copied_columns(10).reshape(100, 2, 5), ""),
        (with_constant(2, 10), ""),  # of constant columns RG303 tells
    ],
)
def test_copies_of_columns(x: Any, severity: str) -> None:
    found = told(duplicated_inputs, inputs(x))
    assert found == ([("RG304", severity)] if severity else [])


def test_how_many_columns_are_copies_is_told() -> None:
    x = copied_columns(5)
    x[:, 3] = x[:, 0]
    found = only(duplicated_inputs, inputs(x)).evidence
    assert found.text == "2 of 5 columns of the inputs are copies of others."
    assert found.numbers == {"columns": 2}


def rows_again(copies: int, rows: int = 100) -> Any:
    x = RNG.normal(size=(rows, 3)).astype(np.float32)
    x[rows - copies :] = x[0]
    return x


@pytest.mark.parametrize(("copies", "is_found"), [(31, True), (29, False)])
def test_copies_of_rows(copies: int, is_found: bool) -> None:
    found = duplicated_inputs(inputs(rows_again(copies)))
    assert bool(found) == is_found
    if found:
        assert found[0].evidence.numbers == pytest.approx({"copies": 0.31, "overlap": 0.0})


@pytest.mark.parametrize(("kinds", "is_found"), [(1, True), (100, False)])
def test_rows_that_differ_in_another_input_are_no_copies(kinds: int, is_found: bool) -> None:
    """As a user beside a film: of 100 rows, 40 have one and the same first input."""
    second = np.arange(100)[:, None] % kinds
    case = Case(train=Data((rows_again(39), second), np.zeros(100)))
    assert bool(duplicated_inputs(case)) == is_found


@pytest.mark.parametrize(
    ("overlap", "copies", "is_found"),
    [(11, 0, True), (9, 0, False), (26, 10, True), (24, 10, False)],
)
def test_validation_rows_among_the_training_rows(overlap: int, copies: int, is_found: bool) -> None:
    train = rows_again(copies)
    valid = RNG.normal(size=(100, 3)).astype(np.float32)
    valid[:overlap] = train[:overlap]
    case = inputs(train, valid=Data((valid,), np.zeros(100)))
    found = duplicated_inputs(case)
    assert bool(found) == is_found
    if found:
        assert found[0].severity == "warning"
        assert found[0].evidence.text == (
            f"{copies}% of the training rows are copies of others, and {overlap}% of the "
            "validation rows also occur in the training rows."
        )
        assert found[0].evidence.numbers == pytest.approx(
            {"copies": copies / 100, "overlap": overlap / 100}
        )


@pytest.mark.parametrize(("values", "is_found"), [(31, True), (30, False)])
def test_rows_of_few_values_coincide_by_nature(values: int, is_found: bool) -> None:
    x = np.stack([np.arange(100) % values, np.zeros(100)], 1)
    assert bool(duplicated_inputs(inputs(x))) == is_found


def correlated(y: Any, correlation: float, seed: int) -> Any:
    """Numbers whose correlation with `y` is this."""
    noise = np.random.default_rng(seed).normal(size=len(y))
    noise -= np.polyval(np.polyfit(y, noise, 1), y)
    noise *= y.std() / noise.std()
    return correlation * (y - y.mean()) + np.sqrt(1 - correlation**2) * noise


def telling(best: float, next_best: float = 0.7, rows: int = 400) -> tuple[Any, Any]:
    """Columns with these correlations with the target, and the target: of two values, so that the
    correlations of ranks are less."""
    y = np.resize([1.0, -1.0], rows)
    x = [correlated(y, each, place) for place, each in enumerate((best, next_best, 0.1))]
    return np.stack(x, 1), y


@pytest.mark.parametrize(
    ("x_and_y", "is_found"),
    [
        (telling(0.9951), True),
        (telling(0.9949), False),
        (telling(-0.9951), True),
        ((telling(0.9951)[0] * 1e-4, telling(0.9951)[1]), True),
        (telling(0.996, 0.979), True),  # 5.25 times as often wrong
        (telling(0.996, 0.981), False),  # 4.75 times
        (telling(0.9999, 0.979), True),
        (telling(0.9999, 0.981), False),  # the task is easy
        (telling(0.9951, rows=50), True),
        (telling(0.9951, rows=49), False),
    ],
)
def test_a_column_that_gives_a_number_away(x_and_y: Any, is_found: bool) -> None:
    x, y = x_and_y
    case = Case(train=Data((x,), y), task="regression")
    assert told(gives_number_away, case) == ([("RG305", "warning")] if is_found else [])
    assert told(gives_class_away, case) == []


@pytest.mark.parametrize(("columns", "is_found"), [(1, True), (4, True), (5, False), (6, True)])
def test_a_reconstruction_of_the_inputs_gives_nothing_away(columns: int, is_found: bool) -> None:
    """Its targets are the inputs, column by column."""
    x = np.random.default_rng(0).normal(size=(100, 5))
    y = np.concatenate([x, x], 1)[:, :columns]
    case = Case(train=Data((x,), y), task="regression")
    assert bool(gives_number_away(case)) == is_found


def test_ranks_are_correlated_too() -> None:
    y = np.random.default_rng(1).normal(size=400)
    x = np.stack([np.exp(3 * y), correlated(y, 0.7, 1)], 1)
    case = Case(train=Data((x,), y[:, None]), task="regression")
    found = only(gives_number_away, case).evidence
    second = max(abs(np.corrcoef(x[:, 1], y)[0, 1]), abs(spearmanr(x[:, 1], y).statistic))
    assert found.numbers == pytest.approx({"column": 0, "score": 1, "next_best": second})
    assert found.text == (
        "Column 0 of the inputs alone predicts the target with correlation 1.0000; the next best "
        f"column reaches {second:.2f}."
    )


def test_constant_columns_and_targets_tell_nothing() -> None:
    x, y = telling(0.999)
    x[:, 1:] = 1
    assert told(gives_number_away, Case(train=Data((x,), y), task="regression")) == []
    x, y = telling(0.99)
    assert told(gives_number_away, Case(train=Data((x,), 0 * y), task="regression")) == []


def of_classes(wrong: int, other: int = 100, rare: float = 0.5, rows: int = 1000) -> Case:
    """A column that is the class, but for `wrong` of the rows that judge, and another, with `other`
    of them wrong; the rows that judge are every second."""
    y = (np.arange(rows) // 2 % round(1 / rare) == 0).astype(int)
    columns = []
    for count in (wrong, other):
        says = y.copy()
        flipped = np.arange(1, rows, 2)[:count]
        says[flipped] = 1 - says[flipped]
        columns.append(says)
    return Case(train=Data((np.stack(columns, 1).astype(np.float32),), y), task="classification")


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (of_classes(4), True),  # 0.8 % wrong
        (of_classes(5), False),
        (of_classes(6), False),
        (of_classes(4, 21), True),
        (of_classes(4, 19), False),
        (of_classes(0, 11), True),
        (of_classes(0, 9), False),  # the task is easy
        (of_classes(2, rare=0.05), True),  # 0.4 %, where 5 % are rare
        (of_classes(3, rare=0.05), False),  # a tenth of the rare is 0.5 %
        (of_classes(3, rare=1 / 16), True),  # 0.6 % of 6.3 %
        (of_classes(0, 15, rows=50), True),
        (of_classes(0, 15, rows=48), False),
    ],
)
def test_a_column_that_gives_the_class_away(case: Case, is_found: bool) -> None:
    assert told(gives_class_away, case) == ([("RG305", "warning")] if is_found else [])


def test_the_share_right_is_told() -> None:
    found = only(gives_class_away, of_classes(4)).evidence
    assert found.numbers == pytest.approx({"column": 0, "score": 0.992, "next_best": 0.8})
    assert found.text == (
        "Column 0 of the inputs alone predicts the target with accuracy 0.9920; the next best "
        "column reaches 0.80."
    )


def test_the_smallest_column_is_one_that_is_not_zero() -> None:
    found = only(input_scale, inputs(X * [0, 20, 2, 3])).evidence
    assert found.numbers["smallest"] == pytest.approx(2, rel=1e-5)


def test_each_interval_of_a_column_may_have_a_class_of_its_own() -> None:
    x = np.stack([np.arange(400) // 2 % 8, RNG.normal(size=400)], 1)
    case = Case(train=Data((x,), np.arange(400) // 2 % 2), task="classification")
    assert only(gives_class_away, case).evidence.numbers["column"] == 0


def test_a_column_is_judged_by_other_rows_than_it_is_fitted_to() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60)
    x = np.stack([rng.normal(size=60), rng.integers(0, 2, 60)], 1)
    assert told(gives_class_away, Case(train=Data((x,), y), task="classification")) == []


def test_of_several_targets_the_first_counts() -> None:
    x, y = telling(0.9951)
    both = Data((x,), np.stack([y, RNG.normal(size=400)], 1))
    assert told(gives_number_away, Case(train=both, task="regression")) == [("RG305", "warning")]


def test_rows_are_copies_if_all_their_inputs_are() -> None:
    copies, others = rows_again(31), X[:100]
    assert told(duplicated_inputs, Case(train=Data((copies, copies), others))) == [
        ("RG304", "warning")
    ]
    assert told(duplicated_inputs, Case(train=Data((copies, others), others))) == []
    assert told(duplicated_inputs, Case(train=Data((others, copies), others))) == []


def test_the_next_values_of_a_sequence_stand_in_it() -> None:
    """Of windows (rows, 8, 1) the target is the same, one step on."""
    walks = np.random.default_rng(0).normal(size=(200, 9, 1)).cumsum(1).astype(np.float32)
    case = Case(train=Data((walks[:, :-1],), walks[:, 1:3]), task="regression")
    assert told(gives_number_away, case) == []
    flat = Case(train=Data((walks[:, :-1, 0],), walks[:, 1:3, 0]), task="regression")
    assert told(gives_number_away, flat) != []
