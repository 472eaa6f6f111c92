"""What a case works out: how a run went, how the model does, what the targets are."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.cases import CODES, NUMBERS, YES, epoch_losses, performance, record, weights

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.failures import CheckWarning
from retrograd.diagnosis.outcome.baselines import SimpleScores
from retrograd.diagnosis.outcome.performance import Performance
from retrograd.diagnosis.probes.answers import Answers

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


def judged(poor: bool, shortfall: float = 1.0, beats: bool = True) -> Performance:
    return performance(is_poor=poor, shortfall=shortfall, beats_constant=beats)


def test_a_run_fared_badly_beside_a_simple_model_or_by_its_fall() -> None:
    assert run([1.0, 0.71]).fared_badly
    assert not run([1.0, 0.69]).fared_badly
    assert run([1.0, 0.1], performance=judged(True)).fared_badly
    assert not run([1.0, 0.9], performance=judged(False)).fared_badly
    assert run([1.0, 0.1], performance=judged(False, beats=False)).fared_badly
    assert run([1.0, 0.71], performance=judged(False, math.nan)).fared_badly
    assert not run([1.0, 0.69], performance=judged(True, math.nan)).fared_badly
    assert not Case().fared_badly


def adversary(output: Any, target: Any) -> Any:
    return output.mean()


@pytest.mark.parametrize(
    ("left", "known", "is_bad"),
    [
        (1.0, {"loss": adversary}, False),
        (math.nan, {"loss": adversary}, True),
        (1.0, {}, True),
        (1.0, {"loss": adversary, "outputs": None}, True),
    ],
)
def test_a_loss_without_right_answers_need_not_fall(
    left: float, known: dict[str, Any], is_bad: bool
) -> None:
    case = Case(record=record({"loss": [1.0, left]}), loss=known.get("loss"))
    case.__dict__.update({"outputs": np.zeros((4, 2)), "answers": None, **known})
    assert case.fared_badly == is_bad


def compared(judged: float, best: float) -> Performance:
    """Numbers, whose mean leaves all of their variance."""
    return performance(judged_error=judged, simple=SimpleScores(1.0, best, 1.0))


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        (run([1.0, 0.1], performance=compared(0.1, 0.5)), "well"),
        (run([1.0, 0.9], performance=compared(0.1, 0.5)), "well"),  # however little the loss fell
        (run([1.0, 0.1], performance=compared(0.549, 0.5)), "well"),  # as a simple model, + 0.05
        (run([1.0, 0.1], performance=compared(0.551, 0.5)), "unclear"),
        (run([1.0, 0.1], performance=compared(0.60, 0.5)), "unclear"),  # 1.1 · 0.55 = 0.605
        (run([1.0, 0.1], performance=compared(0.61, 0.5)), "badly"),
        (run([1.0, 0.1], performance=compared(0.94, 0.9)), "well"),
        (run([1.0, 0.1], performance=compared(0.94, 0.91)), "unclear"),  # which finds too little
        (run([1.0, 0.1], performance=compared(0.5, 1.0)), "well"),
        (run([1.0, 0.1], performance=compared(0.51, 1.0)), "unclear"),
        (run([1.0, 0.1], performance=compared(0.979, 1.0)), "unclear"),
        (run([1.0, 0.1], performance=compared(0.981, 1.0)), "badly"),
        (run([1.0, 0.1], performance=None), "well"),
        (run([1.0, 0.69], performance=None), "well"),
        (run([1.0, 0.71], performance=None), "badly"),
        (run([1.0, 0.71], performance=None, lacks_answers=True), "unclear"),
        (run([1.0, math.nan, 0.1], performance=compared(0.1, 0.5)), "badly"),
    ],
)
def test_how_a_run_came_out(case: Case, outcome: str) -> None:
    assert case.outcome == outcome


def squared(output: Any, target: Any) -> Any:
    return nn.mse_loss(output[:, 0], target)


LINE = np.random.default_rng(1).normal(size=(1000, 3)).astype(np.float32)


def before(noise: float = 0.0, **more: Any) -> Case:
    """A line to be learned, whose slope is 1, and noise."""
    rg.manual_seed(0)
    drawn = np.random.default_rng(2).normal(size=1000)
    y = ((1 - noise) * LINE[:, 0] + noise * drawn).astype(np.float32)
    given = {"loss": squared, "train": Data((LINE,), y), "model": nn.Linear(3, 1)}
    return Case(**{**given, **more})


def by(lr: float, **more: Any) -> Case:
    case = before(**more)
    assert case.model is not None
    return replace(case, optimizer=optim.SGD(case.model.parameters(), lr=lr))


def test_before_a_run_a_rehearsal_shows_whether_there_is_harm() -> None:
    assert by(0.1).outcome == "well"
    assert by(0.0).outcome == "badly"
    assert by(100.0).outcome == "badly"  # it diverges
    assert by(0.1, noise=1.0).outcome == "unclear"  # the mean is as good
    assert Case(model=nn.Linear(3, 1)).outcome == "badly"
    assert Case().outcome == "badly"


def memorizing(rows: int, valid: bool = False) -> Case:
    """More columns than rows, and a target that they say nothing about."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2 * rows, 600)).astype(np.float32), rng.normal(size=2 * rows)
    halves = [Data((x[part],), y[part]) for part in (slice(rows), slice(rows, None))]
    model = nn.Linear(600, 1)
    optimizer = optim.Adam(model.parameters(), lr=0.03)
    given = {"loss": squared, "model": model, "optimizer": optimizer, "batch_size": 64}
    return Case(train=halves[0], valid=halves[1] if valid else None, **given)


def test_a_rehearsal_that_memorizes_is_not_taken_for_learning() -> None:
    """A quarter of 400 rows is kept back; of fewer rows the training rows themselves tell."""
    assert memorizing(400).outcome == "badly"
    assert memorizing(399).outcome == "well"
    assert memorizing(399, valid=True).outcome == "badly"


def test_of_a_loss_without_right_answers_the_rehearsal_shows_the_fall() -> None:
    """The outputs are meant to be 2, whatever the target."""

    def loss(output: Any, target: Any) -> Any:
        return ((output - 2) ** 2).mean()

    assert by(0.1, loss=loss).answers is None
    assert by(0.1, loss=loss).outcome == "well"
    assert by(0.0, loss=loss).outcome == "badly"


def test_the_rehearsal_leaves_the_case_as_it_was() -> None:
    case = by(0.1)
    assert case.model is not None
    first = {name: each.copy() for name, each in case.model.state_dict().items()}
    outputs = case.outputs
    assert case.outcome == "well"
    assert case.outputs is outputs
    for name, each in case.model.state_dict().items():
        assert np.array_equal(each, first[name])


def test_the_predicted_classes_are_those_of_the_answers() -> None:
    case = Case(train=Data((X[:2],), np.array([0, 1])))
    case.__dict__.update(outputs=np.array([[3.0, 1, 2], [1, 2, 3]]), answers=CODES)
    assert case.predicted.tolist() == [0, 2]
    single = Case(train=Data((X[:2],), np.array([0, 1])))
    single.__dict__.update(outputs=np.array([[0.4], [0.6]]), answers=YES)
    assert single.predicted.tolist() == [1, 1]
    likely = Case(train=Data((X[:2],), np.array([0, 1])))
    likely.__dict__.update(single.__dict__ | {"last_operation": "sigmoid"})
    del likely.__dict__["predicted"]
    assert likely.predicted.tolist() == [0, 1]


@pytest.mark.parametrize(
    "known",
    [
        {"outputs": np.array([[np.nan], [1]]), "answers": YES},
        {"outputs": None, "answers": YES},
        {"outputs": np.zeros((2, 1)), "answers": None},
        {"outputs": np.zeros((2, 1)), "answers": NUMBERS},
        {"outputs": np.zeros((2, 3)), "answers": YES, "train": Data((X[:2],), np.eye(3)[:2])},
    ],
)
def test_without_a_class_for_each_row_nothing_is_predicted(known: dict[str, Any]) -> None:
    case = Case(train=known.get("train", Data((X[:2],), np.array([0, 1]))))
    case.__dict__.update({name: each for name, each in known.items() if name != "train"})
    assert case.predicted is None


def test_a_model_that_fails_is_told_once() -> None:
    class Failing(nn.Module):
        def forward(self, x: Any) -> Any:
            raise RuntimeError("no such room")

    case = Case(model=Failing(), train=Data((X,), X[:, 0]), valid=Data((X,), X[:, 0]))
    with pytest.warns(CheckWarning, match=r"evaluation mode .* RuntimeError: no such room") as told:
        known = (case.outputs, case.valid_outputs, case.last_operation)
    assert known == (None, None, "")
    assert len(told) == 1
    assert case.answers is case.performance is case.predicted is None


def test_targets_are_labels_or_numbers() -> None:
    one_hot = Data((X[:2],), np.eye(3)[[2, 0]])
    assert Case(train=one_hot, task="classification").labels.tolist() == [2, 0]
    assert Case(train=one_hot, task="classification").train_labels.tolist() == [2, 0]
    assert Case(train=one_hot, task="classification").numbers is None
    numbers = Case(train=Data((X[:2],), np.array([1, 2])), task="regression")
    assert numbers.numbers.tolist() == [[1], [2]]
    assert numbers.labels is numbers.train_labels is None
    assert Case(train=one_hot).labels is Case(train=one_hot).numbers is None
    assert Case(task="classification").labels is None


def answering(target: Any, answers: Answers | None, task: str | None = None) -> Case:
    case = Case(train=Data((np.zeros((len(target), 1)),), np.asarray(target)), task=task)
    case.__dict__.update(answers=answers, outputs=np.zeros((len(target), 1)))
    return case


def test_where_outputs_are_known_labels_are_what_they_answer() -> None:
    assert answering([[0], [2], [1]], CODES).labels.tolist() == [0, 2, 1]
    assert answering([-1, 1, -1], YES).labels.tolist() == [0, 1, 0]
    one_hot = Answers("classes", is_one_hot=True)
    assert answering(np.eye(3)[[2, 0]], one_hot).labels.tolist() == [2, 0]
    # Several labels, and a class for each pixel, are no class of a row.
    assert answering([[0, 1], [1, 1]], YES).labels is None
    assert answering(np.zeros((3, 2, 2), int), CODES).labels is None
    assert answering([0, 1], None, "classification").labels is None
    assert answering([0, 1], NUMBERS).labels is None
    assert answering([0, 1], NUMBERS).numbers.tolist() == [[0], [1]]
    assert answering([0, 1], YES, "regression").numbers is None
    assert answering([0, 1], None, "regression").numbers.tolist() == [[0], [1]]


def test_labels_of_other_rows_are_read_alike() -> None:
    case = answering([-1, 1], YES)
    assert case.row_classes(Data((X[:3],), np.array([1, 1, -1]))).tolist() == [1, 1, 0]
    rows = np.arange(2001.0)[:, None]
    many = Case(train=Data((rows,), np.arange(2001) % 3))
    many.__dict__.update(answers=CODES, outputs=np.zeros((2000, 3)))
    assert many.train_labels.tolist() == (np.arange(2001) % 3).tolist()
    assert len(many.labels) == 2000


def test_64_rows_drawn_at_random_show_how_outputs_answer() -> None:
    """Of a target that is sorted, any may be among them."""
    seen: list[Any] = []

    def loss(output: Any, target: Any) -> Any:
        seen.append(target.numpy())
        return nn.cross_entropy(output, target)

    y = np.repeat([0, 1, 2, 3], 50)
    case = Case(train=Data((np.zeros((200, 1)),), y), task="classification", loss=loss)
    case.__dict__.update(outputs=np.random.default_rng(0).normal(size=(200, 4)), last_operation="")
    assert case.answers == CODES
    assert {len(each) for each in seen} == {64}
    assert np.unique(seen[0]).tolist() == [0, 1, 2, 3]


def test_the_result_is_that_of_either_part() -> None:
    train, valid = Data((X,), X[:, 0]), Data((X[:5],), X[:5, 0])
    case = Case(model=nn.Linear(3, 1), train=train, valid=valid, task="regression")
    made = case.performance
    assert (made.train, made.valid, made.answers) == (train, valid, NUMBERS)
    assert made.outputs is case.outputs
    assert made.valid_outputs is case.valid_outputs
    assert made.last_operation == case.last_operation
    alone = Case(model=nn.Linear(3, 1), train=train, task="regression").performance
    assert alone.valid is alone.valid_outputs is None
    assert Case(train=train, task="regression").performance is None
    wide = Case(model=nn.Linear(3, 2), train=train, task="regression")
    assert wide.performance is None


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
    assert (case.performance.train_error, case.performance.valid_error) == (0, 0)
    assert case.operations == (case.last_operation,)
    assert Case(model=model).outputs is Case(model=model).valid_outputs is None
    assert Case(model=model).last_operation == ""
