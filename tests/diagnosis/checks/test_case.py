"""What a case works out: how a run went, how the model does, what the targets are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from support.cases import epoch_losses, losses, record, weights

from retrograd import nn, optim
from retrograd.diagnosis.checks.baselines import SimpleScores, misranked, simple_scores
from retrograd.diagnosis.checks.case import Case, Data

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)


def test_a_record_without_a_step_is_none() -> None:
    case = Case(record=record({"loss": []}))
    assert case.record is None
    assert not case.has_run
    assert len(case.steps) == len(case.losses) == 0


def test_a_series_that_is_not_recorded_is_nan() -> None:
    case = Case(record=record({"loss": [1.0, 2.0]}))
    assert case.losses.tolist() == [1, 2]
    assert case.losses.dtype == np.float64
    assert np.isnan(case.series("dead", "0")).tolist() == [True, True]


def run(values: Any, **known: Any) -> Case:
    case = Case(record=record({"loss": values}))
    case.__dict__.update(known)
    return case


@pytest.mark.parametrize(
    ("values", "fall"),
    [
        ([4.0], 0.0),
        ([4.0, 1.0], 0.75),
        ([2.0, 5.0], -1.5),
        ([2.0, math.nan], -math.inf),
        ([2.0, 1.0, math.nan], -math.inf),
        ([0.5, 0.25], 0.5),
        ([0.0, 1.0], -1e12),
        ([1.5, 1.5, 3.0, *[1.0] * 60], 0.5),  # of 63 steps the first three
        ([2.0, 2.0, 2.0, 0.0, *[1.0] * 100], 0.5),  # of more no more
        ([2.0, *[1.0] * 38], 0.5),  # of 39 one
        ([3.0, 1.0, *[1.0] * 38], 0.5),  # of 40 two
        ([2.0] * 37 + [1.5, 1.0], 0.5),  # of 39 the last one
        ([2.0] * 39 + [1.5, 0.5], 0.5),  # of 41 the last two
        ([-2.0, -3.0], 0.5),
        ([2.0] * 20 + [math.nan] + [1.0] * 19, 0.5),
    ],
)
def test_the_fall_of_the_loss(values: list[float], fall: float) -> None:
    assert run(values).fall == pytest.approx(fall)


def test_a_run_fared_badly_beside_a_simple_model_or_by_its_fall() -> None:
    assert run([1.0, 0.71]).fared_badly
    assert not run([1.0, 0.69]).fared_badly
    assert run([1.0, 0.1], shortfall=1.11).fared_badly
    assert not run([1.0, 0.9], shortfall=1.09).fared_badly
    assert not Case().fared_badly


def scored(valid_error: float, best: float, task: str = "regression", **known: Any) -> Case:
    case = Case(
        record=record({"loss": losses(8, 0.5)}),
        train=Data((X,), np.arange(20) % 2),
        valid=Data((X,), np.arange(20) % 2),
        task=task,
    )
    case.__dict__.update(valid_error=valid_error, simple=SimpleScores(1, best, 1), **known)
    return case


@pytest.mark.parametrize(
    ("case", "shortfall"),
    [
        (scored(0.52, 0.5), 1.0),
        (scored(0.53, 0.5), 0.53 / 0.52),
        (scored(0.1, 0.5), 1.0),
        (scored(math.nan, 0.5), math.nan),
        # Two standard errors of 20 rows, and one in a hundred.
        (scored(0.9, 0.5, "classification"), 0.9 / (0.51 + 2 * math.sqrt(0.25 / 20))),
        (scored(0.7, 0.5, "classification"), 1.0),
    ],
)
def test_the_shortfall(case: Case, shortfall: float) -> None:
    assert case.shortfall == pytest.approx(shortfall, nan_ok=True)


def test_without_a_run_or_a_simple_model_the_shortfall_is_not_known() -> None:
    assert math.isnan(Case().shortfall)
    before = Case(train=Data((X,), X), valid=Data((X,), X), task="regression")
    before.__dict__["valid_error"] = 1.0
    assert math.isnan(before.shortfall)


def classes(counts: list[int], **more: Any) -> Case:
    y = np.repeat(np.arange(len(counts)), counts)
    data = Data((np.zeros((len(y), 1)),), y)
    return Case(train=data, valid=data, task="classification", **more)


@pytest.mark.parametrize(
    ("counts", "is_unbalanced"), [([10, 50], True), ([10, 49], False), ([10, 20, 50], True)]
)
def test_classes_five_times_as_frequent(counts: list[int], is_unbalanced: bool) -> None:
    assert classes(counts).is_unbalanced == is_unbalanced


def test_the_margin_is_twice_a_standard_error() -> None:
    assert classes([50, 50]).margin(0.2) == pytest.approx(2 * math.sqrt(0.16 / 100))
    assert classes([50, 50]).margin(0.0) == pytest.approx(2 * math.sqrt(0.01 / 100))
    assert Case().margin(0.2) == 0.02
    # Mann & Whitney: (a + b) / (12 a b), for large classes.
    two = classes([20, 200]).margin(0.5)
    assert two == pytest.approx(2 * math.sqrt((1 / 20 + 1 / 200) / 12))
    assert classes([20, 200]).margin(0.0) == pytest.approx(2 * math.sqrt(0.01 / 3 * 0.055))
    one = Case(train=classes([20, 200]).train, valid=classes([50]).valid, task="classification")
    assert math.isnan(one.margin(0.5))
    three = classes([20, 100, 100]).margin(0.5)
    each = np.mean([1 / 20 + 1 / 200, 1 / 100 + 1 / 120, 1 / 100 + 1 / 120])
    assert three == pytest.approx(2 * math.sqrt(each / 12 / 3))


def test_errors_are_shares() -> None:
    numbers = Case(task="regression")
    y = np.array([1.0, 2.0, 3.0])
    assert numbers.error(np.array([[1.0], [2.0], [2.0]]), y) == pytest.approx(0.5)
    assert numbers.error(np.array([[1.0, 9.0], [2.0, 9.0], [2.0, 9.0]]), y) == pytest.approx(0.5)
    both = np.stack([y, 2 * y], 1)
    assert numbers.error(both + np.array([[1, 0], [0, 0], [0, 1]]), both) == pytest.approx(2 / 10)
    assert math.isnan(numbers.error(np.ones((3, 1)), np.ones(3)))
    assert numbers.error(np.array([[np.nan], [2.0], [2.0]]), y) == math.inf
    assert numbers.error(None, y) == math.inf
    assert Case().error(y, y) == math.inf
    case = classes([2, 2])
    outputs = np.array([[1.0, 0], [0, 1], [0, 1], [0, 1]])
    assert case.error(outputs, np.array([0, 0, 1, 1])) == 0.25


@pytest.mark.parametrize(
    ("outputs", "last", "said"),
    [
        ([[-0.1], [0.1]], "", [0, 1]),
        ([[0.4], [0.6]], "sigmoid", [0, 1]),
        ([[0.4], [0.6]], "softmax", [0, 1]),
        ([[0.4], [0.6]], "", [1, 1]),
        ([[3.0, 1, 2], [1, 2, 3]], "", [0, 2]),
        ([0.1, -0.1], "", [1, 0]),
    ],
)
def test_the_classes_that_outputs_mean(outputs: Any, last: str, said: list[int]) -> None:
    case = Case(task="classification")
    case.__dict__["last_operation"] = last
    assert case.predicted(np.array(outputs)).tolist() == said


def test_targets_are_labels_or_numbers() -> None:
    one_hot = Data((X[:2],), np.eye(3)[[2, 0]])
    assert Case(train=one_hot, task="classification").labels.tolist() == [2, 0]
    assert Case(train=one_hot, task="classification").classes == 2
    assert Case(train=one_hot, task="classification").numbers is None
    numbers = Case(train=Data((X[:2],), np.array([1, 2])), task="regression")
    assert numbers.numbers.tolist() == [[1], [2]]
    assert numbers.labels is None
    assert numbers.classes == 0
    assert Case(train=one_hot).labels is Case(train=one_hot).numbers is None
    assert Case(task="classification").labels is None


def test_columns_are_those_of_the_first_input_of_floats() -> None:
    codes = np.zeros((4, 2), np.int64)
    x = np.array([[1, np.nan], [np.inf, 2], [3, 4], [5, 6]], np.float32)
    assert Case(train=Data((codes, x), np.zeros(4))).columns.tolist() == [
        [1, 0], [0, 2], [3, 4], [5, 6],
    ]  # fmt: skip
    assert Case(train=Data((x.reshape(2, 2, 2),), np.zeros(2))).columns.shape == (2, 4)
    assert Case(train=Data((codes,), np.zeros(4))).columns is None
    assert Case(train=Data((x[:, 0],), np.zeros(4))).columns is None
    assert Case(train=Data((x[:1],), np.zeros(1))).columns is None
    assert Case().columns is None


@pytest.mark.parametrize(
    ("shape", "is_table"), [((4, 50), True), ((4, 51), False), ((4, 2, 2), False)]
)
def test_wide_rows_are_no_table(shape: tuple[int, ...], is_table: bool) -> None:
    assert Case(train=Data((np.zeros(shape),), np.zeros(4))).is_table == is_table


def test_the_first_input_is_the_table() -> None:
    table, images, codes = np.zeros((4, 3)), np.zeros((4, 2, 2)), np.zeros((4, 3), np.int64)
    assert Case(train=Data((table, images), np.zeros(4))).is_table
    assert not Case(train=Data((images, table), np.zeros(4))).is_table
    assert not Case(train=Data((codes,), np.zeros(4))).is_table
    assert not Case().is_table
    assert Case(train=Data((X, X[:, :2]), X)).scaled_features.shape == (20, 3)


def test_simple_models_are_fitted_to_the_first_input() -> None:
    other = X[:, :1] * 0
    y = X[:, 0] + X[:, 1]
    train, valid = Data((X[:12], other[:12]), y[:12]), Data((X[12:], other[12:]), y[12:])
    numbers = Case(train=train, valid=valid, task="regression").simple
    assert numbers == simple_scores(X[:12], y[:12], X[12:], y[12:], "regression")
    codes = (y > 0).astype(int)
    train, valid = (
        Data((d.inputs), np.eye(2)[c]) for d, c in ((train, codes[:12]), (valid, codes[12:]))
    )
    found = Case(train=train, valid=valid, task="classification").simple
    assert found == simple_scores(X[:12], codes[:12], X[12:], codes[12:], "classification")
    assert Case(train=train, valid=valid).simple is None
    assert Case(train=train, task="regression").simple is None
    assert Case(valid=valid, task="regression").simple is None


def test_no_more_than_2000_rows_are_looked_at() -> None:
    rows = np.arange(2001.0)[:, None]
    sample = Case(train=Data((rows,), rows)).sample
    assert len(sample) == 2000
    assert np.array_equal(sample.inputs[0], sample.target)
    assert (np.diff(sample.target[:, 0]) > 0).all()
    assert len(Case(train=Data((rows[:2000],), rows[:2000])).sample) == 2000


def test_rows_and_steps_of_batches() -> None:
    sizes = Case(record=record({"loss": [1.0] * 3, "batch_size": [32.0, 32.0, 5.0]}), batch_size=9)
    assert sizes.rows_per_step == 32
    unknown = record({"loss": [1.0], "batch_size": math.nan})
    assert Case(record=unknown, batch_size=9).rows_per_step == 9
    assert Case(record=record({"loss": [1.0], "batch_size": 0.0}), batch_size=9).rows_per_step == 9
    assert math.isnan(Case(record=unknown).rows_per_step)
    epochs = [{"step": 7, **epoch_losses([1.0])[0]}, {"step": 14, **epoch_losses([1.0])[0]}]
    assert Case(record=record({"loss": [1.0]}, epochs=epochs)).steps_per_epoch == 7
    assert Case(train=Data((X,), X), batch_size=6).steps_per_epoch == 3
    assert Case(train=Data((X,), X), batch_size=60).steps_per_epoch == 1
    assert Case(train=Data((X,), X)).steps_per_epoch is None


def test_weights_are_those_recorded_or_the_models() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2))
    model[0].weight.data = np.float32([[1, 2, 3], [1, 2, 3]])
    model[1].weight.requires_grad = False
    optimizer = optim.SGD(model[0].parameters(), lr=0.1)
    first, _, frozen, _ = Case(model=model, optimizer=optimizer).weights
    assert (first.name, first.layer, first.shape) == ("0.weight", "0", (2, 3))
    assert (first.mean, first.min, first.max, first.equal_units) == (2, 1, 3, 1.0)
    assert first.std == pytest.approx(math.sqrt(2 / 3))
    assert (first.optimized, frozen.optimized, first.trained, frozen.trained) == (
        True, False, True, False,
    )  # fmt: skip
    assert all(each.optimized for each in Case(model=model).weights)
    start = [weights("a.weight")]
    recorded = Case(model=model, record=record({"loss": 1.0}, parameters=start))
    assert [each.name for each in recorded.weights] == ["a.weight"]
    assert Case().weights == ()


def test_answers_of_the_model_on_either_part() -> None:
    model = nn.Linear(3, 1)
    case = Case(
        model=model,
        train=Data((X,), X[:, 0]),
        valid=Data((X[:5],), X[:5, 0]),
        task="regression",
        answer=lambda output: output * 0 + X[: len(output), :1],
    )
    assert case.outputs.shape == (20, 1)
    assert (case.train_error, case.valid_error) == (0, 0)
    assert case.operations == (case.last_operation,)
    assert math.isnan(Case(model=model).train_error)
    assert math.isnan(Case(model=model).valid_error)
    assert math.isnan(Case(train=case.train, task="regression").train_error)
    assert math.isnan(Case(valid=case.valid, task="regression").valid_error)
    assert Case(model=model).last_operation == ""


def test_the_error_is_that_of_the_outputs_in_shares_of_the_targets() -> None:
    rows = Data((X,), X[:, 0] * 0.1)
    case = Case(train=rows, valid=rows, task="regression")
    case.__dict__["valid_outputs"] = case.__dict__["outputs"] = np.zeros((20, 1))
    y = X[:, 0].astype(np.float64)
    expected = (y**2).sum() / ((y - y.mean()) ** 2).sum()
    assert case.valid_error == pytest.approx(expected, rel=1e-5)
    assert case.train_error == pytest.approx(expected, rel=1e-5)


def ranking(outputs: Any) -> Case:
    y = np.repeat([0, 1], [100, 20])
    data = Data((np.zeros((120, 1)),), y)
    case = Case(train=data, valid=data, task="classification")
    case.__dict__["valid_outputs"] = np.asarray(outputs, np.float64)
    return case


def test_a_ranking_is_better_than_chance_by_two_standard_errors() -> None:
    """0.5 - 2 · sqrt((1 / 20 + 1 / 100) / 12) = 0.359."""
    for wrong, is_better in ((35, True), (37, False)):
        # Each rare row stands above all but `wrong` of the 100 others.
        scores = np.concatenate([np.arange(100.0), np.full(20, 99.5 - wrong)])[:, None]
        assert ranking(scores).valid_error == pytest.approx(wrong / 100)
        assert ranking(scores).ranks_better == is_better


def test_logits_rank_by_their_probabilities() -> None:
    """Neither column of (1, 1) and (0.9, 0) ranks the rows as their difference does."""
    logits = np.repeat([[0.9, 0.0], [1.0, 1.0]], [100, 20], axis=0)
    assert ranking(logits).valid_error == 0
    assert ranking(logits).ranks_better
    assert ranking(logits * 900).valid_error == 0
    shares = np.repeat([[1.0, 0.0], [0.7, 0.3]], [100, 20], axis=0)
    assert ranking(shares).valid_error == 0


def test_probabilities_rank_as_they_are() -> None:
    """A softmax of them would rank otherwise, as it does what is no probability."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [100, 20, 30])
    case = Case(train=Data((np.zeros((150, 1)),), y), task="classification")
    p = rng.dirichlet([1, 1, 1], 150)
    p[:3] = np.eye(3)

    def softmax(x: Any) -> Any:
        return np.exp(x) / np.exp(x).sum(1, keepdims=True)

    below = p + np.array([0.3, -0.3, 0])
    assert misranked(p, y) != pytest.approx(misranked(softmax(p), y))
    assert case.error(p, y) == pytest.approx(misranked(p, y))
    assert case.error(below, y) == pytest.approx(misranked(softmax(below), y))
    assert misranked(below, y) != pytest.approx(misranked(softmax(below), y))


def test_without_answers_or_classes_nothing_ranks() -> None:
    assert not Case().ranks_better
    assert not Case(
        train=ranking([]).train, valid=ranking([]).valid, task="classification"
    ).ranks_better
    numbers = Case(train=Data((X,), X), valid=Data((X,), X), task="regression")
    numbers.__dict__["valid_outputs"] = X
    assert not numbers.ranks_better


def test_the_best_weights_are_not_restored_unless_it_is_said() -> None:
    assert not Case().restores_best
