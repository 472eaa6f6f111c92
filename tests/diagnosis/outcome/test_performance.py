"""How well a model answers: errors, margins, rankings, and simple models of the same rows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.neighbors import KNeighborsRegressor
from support.cases import CODES, NUMBERS, YES, performance

from retrograd import nn
from retrograd.diagnosis.outcome.baselines import SimpleScores
from retrograd.diagnosis.outcome.performance import Performance
from retrograd.diagnosis.probes.answers import Answers

RNG = np.random.default_rng(0)
ONE_HOT = Answers("classes", is_one_hot=True)
WEIGHTED = "variance_weighted"


def counted(counts: list[int], judged: bool = True) -> Performance:
    """Rows of class codes, this many of each."""
    y = np.repeat(np.arange(len(counts)), counts)
    outputs = np.zeros((len(y), len(counts)))
    return performance(y, outputs, *((y, outputs) if judged else ()), answers=CODES)


# Errors -------------------------------------------------------------------------------------------


def test_the_error_of_numbers_is_the_share_of_variance_that_is_left() -> None:
    y = np.array([1.0, 2.0, 3.0])
    made = performance(y)
    assert made.error(np.array([[1.0], [2.0], [2.0]]), y) == pytest.approx(0.5)
    assert math.isnan(made.error(np.ones((3, 1)), np.ones(3)))
    assert made.error(np.array([[np.nan], [2.0], [2.0]]), y) == math.inf
    assert made.error(np.array([[np.inf], [2.0], [2.0]]), y) == math.inf


@pytest.mark.parametrize("shape", [(60,), (60, 1), (60, 3)])
def test_the_error_of_several_numbers_is_what_scikit_learns_r2_leaves(
    shape: tuple[int, ...],
) -> None:
    y, outputs = RNG.normal(size=shape), RNG.normal(size=shape if len(shape) > 1 else (60, 1))
    flat = y.reshape(60, -1)
    left = 1 - r2_score(flat, outputs, multioutput=WEIGHTED)
    assert performance(y).error(outputs, y) == pytest.approx(left)


def test_the_numbers_of_an_image_are_compared_one_by_one() -> None:
    y, outputs = RNG.normal(size=(6, 2, 4, 4)), RNG.normal(size=(6, 2, 4, 4))
    assert performance(y, answers=replace(NUMBERS, by_row=False)).error(
        outputs, y
    ) == pytest.approx(1 - r2_score(y.ravel(), outputs.ravel()))


def test_a_link_stands_between_outputs_and_numbers() -> None:
    rate = np.array([0.1, 0.5, 0.8])
    logistic = performance(rate, answers=Answers("numbers", link="logistic"))
    assert logistic.error(np.log(rate / (1 - rate))[:, None], rate) == pytest.approx(0)
    counts = np.array([1.0, 2.0, 5.0])
    powers = performance(counts, answers=Answers("numbers", link="exp"))
    assert powers.error(np.log(counts)[:, None], counts) == pytest.approx(0)
    assert powers.error(counts[:, None], counts) > 1


def test_the_error_of_classes_is_the_share_of_wrong_ones() -> None:
    outputs = np.array([[1.0, 0], [0, 1], [0, 1], [0, 1]])
    codes = np.array([0, 0, 1, 1])
    assert counted([2, 2]).error(outputs, codes) == 0.25
    one_hot = np.eye(2)[codes]
    assert performance(one_hot, outputs, answers=ONE_HOT).train_error == 0.25
    assert counted([2, 2]).error(outputs * np.nan, codes) == math.inf


@pytest.mark.parametrize(
    ("outputs", "last", "wrong"),
    [
        ([[-0.1], [0.1]], "", [0, 1]),
        ([[0.4], [0.6]], "sigmoid", [0, 1]),
        ([[0.4], [0.6]], "softmax", [0, 1]),
        ([[0.4], [0.6]], "", [1, 1]),
        ([0.1, -0.1], "", [1, 0]),
    ],
)
def test_a_single_score_says_yes_above_0_or_a_probability_of_one_half(
    outputs: Any, last: str, wrong: list[int]
) -> None:
    made = performance([0, 0], outputs, answers=YES, last=last, is_unbalanced=False)
    assert made.train_error == np.mean(wrong)


def test_the_error_of_several_labels_is_that_of_each() -> None:
    y = np.array([[1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 1, 0]])
    outputs = np.where(y > 0, 2.0, -2.0)
    outputs[0] *= -1  # three of twelve
    assert performance(y, outputs, answers=YES).train_error == 0.25
    minus = np.where(y > 0, 1, -1)
    assert performance(minus, outputs, answers=YES).train_error == 0.25


def test_of_unbalanced_labels_each_is_ranked_by_itself() -> None:
    y = (RNG.random((200, 3)) < [0.1, 0.5, 0.3]).astype(int)
    y[:, 2] = 0  # a label that no row has says nothing
    outputs = RNG.normal(size=(200, 3)) + y
    made = performance(y, outputs, answers=YES)
    areas = [roc_auc_score(y[:, c], outputs[:, c]) for c in (0, 1)]
    assert made.is_unbalanced
    assert made.train_error == pytest.approx(1 - np.mean(areas))
    assert math.isnan(performance(0 * y, outputs, answers=YES).train_error)


def test_every_pixel_of_a_row_is_an_item() -> None:
    codes = RNG.integers(0, 3, (8, 4, 4))
    outputs = RNG.normal(size=(8, 3, 4, 4)) + 2 * np.moveaxis(np.eye(3)[codes], -1, 1)
    wrong = np.mean(outputs.argmax(1) != codes)
    assert 0 < wrong < 1
    assert performance(codes, outputs, answers=CODES).train_error == pytest.approx(wrong)
    last = np.moveaxis(outputs, 1, -1)
    assert performance(
        codes, last, answers=Answers("classes", axis=3)
    ).train_error == pytest.approx(wrong)


def test_an_item_without_a_class_does_not_count() -> None:
    codes = np.array([[0, 1, -100], [1, -100, -100], [0, 0, -100]])
    outputs = np.zeros((3, 2, 3))
    outputs[:, 0] = 1  # every answer is class 0
    assert performance(codes, outputs, answers=CODES).train_error == pytest.approx(2 / 5)
    nothing = performance(0 * codes - 100, outputs, answers=CODES)
    assert math.isnan(nothing.train_error)


def squared(output: Any, target: Any) -> Any:
    return nn.mse_loss(output, target.astype("float32"))


def without_padding(output: Any, target: Any) -> Any:
    return nn.cross_entropy(output, target, ignore_index=0)


def test_what_the_loss_leaves_out_does_not_count() -> None:
    """Words of class 0 are padding: half of all, and the answer of a model that says nothing."""
    codes = RNG.integers(1, 4, (20, 6))
    codes[:, 3:] = 0
    outputs = np.moveaxis(np.eye(4)[codes], -1, 1)
    outputs[:5, :, :3] = 0
    outputs[:5, 0, :3] = 1  # a quarter of the words are taken for padding
    whole = performance(codes, outputs, codes, outputs, answers=CODES, loss=nn.cross_entropy)
    assert whole.valid_error == pytest.approx(1 / 8)
    left = performance(codes, outputs, codes, outputs, answers=CODES, loss=without_padding)
    assert left.valid_error == left.train_error == pytest.approx(1 / 4)
    words = codes[:, :3].ravel()
    assert left.simple.constant == pytest.approx(1 - np.bincount(words).max() / len(words))
    # Rows with one class each all count, whatever the loss.
    rows = np.array([0, 1, 2])
    each = performance(rows, np.eye(3)[[1, 1, 2]], answers=CODES, loss=without_padding)
    assert each.train_error == pytest.approx(1 / 3)


def masked(output: Any, target: Any) -> Any:
    """Numbers of 9 are gaps."""
    known = (target < 9).astype("float32")
    return (known * (output - target.astype("float32")) ** 2).sum() / known.sum()


def test_gaps_of_a_table_that_the_loss_leaves_out_do_not_count() -> None:
    y, outputs = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 3))
    gaps = RNG.random((40, 3)) < 0.3
    y[gaps] = 9
    made = performance(y, outputs, y, outputs, loss=masked)
    spread = sum(((y[~g, c] - y[~g, c].mean()) ** 2).sum() for c, g in enumerate(gaps.T))
    left = ((outputs - y)[~gaps] ** 2).sum() / spread
    assert made.train_error == made.valid_error == pytest.approx(left)
    # The mean of what is known is the only simple model.
    assert made.simple == SimpleScores(pytest.approx(1.0), math.inf, math.inf)
    whole = performance(y, outputs, y, outputs, loss=squared)
    assert whole.train_error == pytest.approx(1 - r2_score(y, outputs, multioutput=WEIGHTED))


def test_of_many_items_20000_are_scored() -> None:
    codes = RNG.integers(0, 2, (300, 100))
    right = RNG.random((300, 100)) < 0.7
    said = np.where(right, codes, 1 - codes)
    outputs = np.moveaxis(np.eye(2)[said], -1, 1)
    error = performance(codes, outputs, answers=CODES).train_error
    assert error == pytest.approx(0.3, abs=0.012)
    assert error * 20_000 == pytest.approx(round(error * 20_000), abs=1e-6)
    assert error != np.mean(~right)


def test_the_rows_of_validation_are_judged_if_there_are_any() -> None:
    y = np.array([0.0, 1.0, 2.0])
    made = performance(y, y[:, None], y, y[::-1, None])
    assert (made.train_error, made.valid_error, made.judged_error) == (0, 4, 4)
    alone = performance(y, y[::-1, None])
    assert (alone.train_error, alone.judged_error) == (4, 4)
    assert math.isnan(alone.valid_error)


# Rankings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "is_unbalanced"),
    [
        ([10, 50], True),
        ([10, 49], False),
        ([10, 20, 50], True),
        ([10], False),
        ([10, *[50] * 19], True),
        ([10, *[50] * 20], False),  # too many classes to rank each
    ],
)
def test_classes_five_times_as_frequent(counts: list[int], is_unbalanced: bool) -> None:
    assert counted(counts).is_unbalanced == is_unbalanced


@pytest.mark.parametrize(("yes", "is_unbalanced"), [(10, True), (11, False), (50, True)])
def test_yes_five_times_as_frequent_as_no(yes: int, is_unbalanced: bool) -> None:
    y = (np.arange(60) < yes).astype(int)
    assert performance(y, answers=YES).is_unbalanced == is_unbalanced
    assert performance(np.where(y > 0, 1, -1), answers=YES).is_unbalanced == is_unbalanced
    even = np.stack([np.arange(60) % 2, y], 1)
    assert performance(even, np.zeros((60, 2)), answers=YES).is_unbalanced == is_unbalanced


def test_numbers_are_not_unbalanced() -> None:
    assert not performance(np.repeat([0.0, 1.0], [10, 90])).is_unbalanced


def ranking(outputs: Any, answers: Answers) -> Performance:
    y = np.repeat([0, 1], [100, 20])
    return performance(y, outputs, y, outputs, answers=answers)


def test_a_ranking_is_better_than_chance_by_two_standard_errors() -> None:
    """0.5 - 2 · sqrt((1 / 20 + 1 / 100) / 12) = 0.359."""
    for wrong, is_better in ((35, True), (37, False)):
        # Each rare row stands above all but `wrong` of the 100 others.
        scores = np.concatenate([np.arange(100.0), np.full(20, 99.5 - wrong)])[:, None]
        assert ranking(scores, YES).valid_error == pytest.approx(wrong / 100)
        assert ranking(scores, YES).ranks_better == is_better
        both = np.concatenate([-scores, scores], 1) / 200
        assert ranking(both, CODES).valid_error == pytest.approx(wrong / 100)
        assert ranking(both, CODES).ranks_better == is_better
        alone = performance(np.repeat([0, 1], [100, 20]), scores, answers=YES)
        assert alone.ranks_better == is_better


def test_what_is_not_finite_or_no_class_ranks_nothing() -> None:
    scores = np.arange(120.0)[:, None]
    assert ranking(scores, YES).ranks_better
    assert not ranking(scores * [[np.nan]], YES).ranks_better
    assert not ranking(scores, NUMBERS).ranks_better


def test_logits_rank_by_their_probabilities() -> None:
    """Neither column of (1, 1) and (0.9, 0) ranks the rows as their difference does."""
    logits = np.repeat([[0.9, 0.0], [1.0, 1.0]], [100, 20], axis=0)
    assert ranking(logits, CODES).valid_error == 0
    shares = np.repeat([[1.0, 0.0], [0.7, 0.3]], [100, 20], axis=0)
    assert ranking(shares, CODES).valid_error == 0


# Margins ------------------------------------------------------------------------------------------


def test_the_margin_is_twice_a_standard_error() -> None:
    assert counted([50, 50]).margin(0.2) == pytest.approx(2 * math.sqrt(0.16 / 100))
    assert counted([50, 50]).margin(0.0) == pytest.approx(2 * math.sqrt(0.01 / 100))
    assert counted([50, 50], judged=False).margin(0.2) == pytest.approx(2 * math.sqrt(0.16 / 100))
    assert performance([1.0, 2.0]).margin(0.2) == 0.02
    # Mann & Whitney: (a + b) / (12 a b), for large classes.
    two = counted([20, 200]).margin(0.5)
    assert two == pytest.approx(2 * math.sqrt((1 / 20 + 1 / 200) / 12))
    three = counted([20, 100, 100]).margin(0.5)
    each = np.mean([1 / 20 + 1 / 200, 1 / 100 + 1 / 120, 1 / 100 + 1 / 120])
    assert three == pytest.approx(2 * math.sqrt(each / 12 / 3))


def test_the_margin_of_yes_and_no_is_that_of_two_classes() -> None:
    y = np.repeat([0, 1], [200, 20])
    assert performance(y, answers=YES).margin(0.5) == pytest.approx(counted([200, 20]).margin(0.5))
    labels = np.stack([y, np.arange(220) % 2, 0 * y], 1)
    each = np.mean([1 / 20 + 1 / 200, 2 / 110])
    found = performance(labels, np.zeros((220, 3)), answers=YES).margin(0.5)
    assert found == pytest.approx(2 * math.sqrt(each / 12 / 2))
    assert math.isnan(performance(0 * y, answers=YES).margin(0.5))


def test_the_margin_of_several_labels_that_are_balanced_is_that_of_rows() -> None:
    y = np.stack([np.arange(100) % 2, np.arange(100) // 2 % 2], 1)
    assert performance(y, np.zeros((100, 2)), answers=YES).margin(0.2) == pytest.approx(
        2 * math.sqrt(0.16 / 100)
    )


def test_the_margin_counts_the_rows_that_are_judged() -> None:
    y = np.arange(100) % 2
    made = performance(y, y[:, None], y[:40], y[:40, None], answers=YES)
    assert made.margin(0.5) == pytest.approx(2 * math.sqrt(0.25 / 40))


# Simple models ------------------------------------------------------------------------------------

X, NEW = RNG.normal(size=(90, 3)), RNG.normal(size=(60, 3))


def standard(x: np.ndarray, by: np.ndarray = X) -> np.ndarray:
    return (x - by.mean(0)) / by.std(0)


def test_simple_models_of_numbers_are_scored_on_the_validation_rows() -> None:
    y, truth = X[:, 0] + X[:, 1] ** 2, NEW[:, 0] + NEW[:, 1] ** 2
    simple = performance(y, None, truth, x=X, valid_x=NEW).simple
    linear = Ridge(alpha=9.0).fit(standard(X), y).predict(standard(NEW))
    near = KNeighborsRegressor(7).fit(standard(X), y).predict(standard(NEW))
    assert simple.constant == pytest.approx(1 - r2_score(truth, np.full(60, y.mean())))
    assert simple.linear == pytest.approx(1 - r2_score(truth, linear))
    assert simple.neighbors == pytest.approx(1 - r2_score(truth, near))


@pytest.mark.parametrize("form", ["codes", "one-hot", "yes", "minus"])
def test_simple_models_of_classes_are_scored_alike_in_every_form(form: str) -> None:
    y, truth = (X[:, 0] > 0.2).astype(int), (NEW[:, 0] > 0.2).astype(int)
    made = {"codes": CODES, "one-hot": ONE_HOT, "yes": YES, "minus": YES}[form]
    shown = {"one-hot": lambda c: np.eye(2)[c], "minus": lambda c: 2 * c - 1}.get(form, lambda c: c)
    columns = 1 if made is YES else 2
    found = performance(
        shown(y), np.zeros((90, columns)), shown(truth), np.zeros((60, columns)),
        answers=made, x=X, valid_x=NEW, last="" if form == "yes" else "sigmoid",
    )  # fmt: skip
    assert not found.is_unbalanced
    linear = Ridge(alpha=9.0).fit(standard(X), y).predict(standard(NEW)) > 0.5
    near = KNeighborsRegressor(7).fit(standard(X), y).predict(standard(NEW)) > 0.5
    assert found.simple.constant == np.mean(truth != (y.mean() > 0.5))
    assert found.simple.linear == np.mean(truth != linear)
    assert found.simple.neighbors == np.mean(truth != near)


def test_simple_models_of_unbalanced_classes_are_ranked() -> None:
    y, truth = (X[:, 0] > 1.1).astype(int), (NEW[:, 0] > 1.1).astype(int)
    linear = Ridge(alpha=9.0).fit(standard(X), y).predict(standard(NEW))
    for answers, columns in ((YES, 1), (CODES, 2)):
        made = performance(
            y, np.zeros((90, columns)), truth, np.zeros((60, columns)),
            answers=answers, x=X, valid_x=NEW,
        )  # fmt: skip
        assert made.is_unbalanced
        assert made.simple.constant == 0.5
        assert made.simple.linear == pytest.approx(1 - roc_auc_score(truth, linear))


def test_without_validation_rows_each_half_is_answered_by_the_other() -> None:
    y = X[:, 0] + X[:, 1] ** 2
    answers = np.zeros(90)
    for half in (0, 1):
        learn, judge = slice(1 - half, None, 2), slice(half, None, 2)
        model = Ridge(alpha=4.5).fit(standard(X[learn], X[learn]), y[learn])
        answers[judge] = model.predict(standard(X[judge], X[learn]))
    assert performance(y, x=X).simple.linear == pytest.approx(1 - r2_score(y, answers))


def test_of_rows_with_many_items_the_most_frequent_answer_is_the_only_simple_model() -> None:
    codes = np.repeat([0, 1, 2], [10, 30, 20]).reshape(6, 10)
    truth = np.repeat([0, 1], [5, 15]).reshape(2, 10)
    made = performance(codes, np.zeros((6, 3, 10)), truth, np.zeros((2, 3, 10)), answers=CODES)
    assert made.simple == SimpleScores(5 / 20, math.inf, math.inf)
    holed = codes.copy()
    holed[:, 0] = -100
    left = codes[:, 1:].ravel()
    alone = performance(holed, np.zeros((6, 3, 10)), answers=CODES)
    assert alone.simple.constant == pytest.approx(np.mean(left != 1))
    image = RNG.normal(size=(4, 1, 5, 5))
    numbers = performance(image, np.zeros((4, 1, 5, 5)), answers=replace(NUMBERS, by_row=False))
    assert numbers.simple == SimpleScores(pytest.approx(1.0), math.inf, math.inf)
    mask = (image > 1).astype(int)
    share = mask.mean()
    masks = performance(
        mask, np.zeros((4, 1, 5, 5)), answers=replace(YES, by_row=False), is_unbalanced=False
    )
    assert masks.simple.constant == pytest.approx(share)


def test_a_class_that_only_validation_rows_have_is_never_answered() -> None:
    y, truth = np.arange(90) % 2, np.arange(60) % 3
    made = performance(
        y, np.zeros((90, 3)), truth, np.zeros((60, 3)), answers=CODES, x=X, valid_x=NEW
    )  # fmt: skip
    assert made.simple.constant == pytest.approx(2 / 3)
    assert made.simple.best >= 1 / 3


# How it went --------------------------------------------------------------------------------------


def scored(
    valid_error: float, best: float, answers: Answers = NUMBERS, **known: Any
) -> Performance:
    y = np.arange(20) % 2
    simple = SimpleScores(1, best, 1)
    return performance(
        y, None, y, answers=answers, judged_error=valid_error, simple=simple, **known
    )


@pytest.mark.parametrize(
    ("made", "shortfall"),
    [
        (scored(0.55, 0.5), 1.0),  # a twentieth of the variance
        (scored(0.56, 0.5), 0.56 / 0.55),
        (scored(0.1, 0.5), 1.0),
        (scored(math.nan, 0.5), math.nan),
        (scored(math.inf, 0.5), math.inf),
        (scored(0.5, -0.05), 0.5 / 1e-3),
        # Two standard errors of 20 rows, and one in a hundred.
        (scored(0.9, 0.5, YES), 0.9 / (0.51 + 2 * math.sqrt(0.25 / 20))),
        (scored(0.7, 0.5, YES), 1.0),
        (scored(0.9, 0.5, CODES), 0.9 / (0.51 + 2 * math.sqrt(0.25 / 20))),
    ],
)
def test_the_shortfall(made: Performance, shortfall: float) -> None:
    assert made.shortfall == pytest.approx(shortfall, nan_ok=True)


def test_where_the_simple_models_are_not_known_the_shortfall_is_not() -> None:
    y = np.ones(20)  # which do not vary
    assert math.isnan(performance(y).shortfall)


@pytest.mark.parametrize(
    ("error", "best", "is_poor"),
    [
        (0.60, 0.5, False),  # 1.1 · 0.55 = 0.605
        (0.61, 0.5, True),
        (0.185, 0.1, False),  # 1.2 times the error, but nine tenths of the gain
        (0.195, 0.1, True),
        (1.15, 1.0, False),  # 1.1 · 1.05 = 1.155
        (1.16, 1.0, True),  # with nothing to gain
        (math.inf, 0.5, True),
        (math.nan, 0.5, False),
    ],
)
def test_a_simple_model_does_clearly_better_by_its_error_and_its_gain(
    error: float, best: float, is_poor: bool
) -> None:
    assert scored(error, best).is_poor == is_poor


@pytest.mark.parametrize(
    ("error", "beats"), [(0.979, True), (0.981, False), (math.nan, False), (math.inf, False)]
)
def test_what_beats_the_most_frequent_answer(error: float, beats: bool) -> None:
    assert scored(error, 0.5).beats_constant == beats


@pytest.mark.parametrize(
    ("error", "constant", "ranks", "has_learned"),
    [(0.19, 0.2, True, True), (0.19, 0.2, False, False), (0.39, 0.41, True, False)],
)
def test_what_answers_as_most_rows_do_has_learned_if_it_ranks_them(
    error: float, constant: float, ranks: bool, has_learned: bool
) -> None:
    simple = SimpleScores(constant, constant, constant)
    y = np.arange(200) % 2
    made = performance(y, answers=YES, judged_error=error, simple=simple, ranks_better=ranks)
    assert not made.beats_constant
    assert made.learned == has_learned


def test_a_classifier_beats_the_most_frequent_answer_by_two_standard_errors() -> None:
    y = np.arange(20) % 2
    margin = 2 * math.sqrt(0.25 / 20)
    for error, beats in ((0.49 - margin, True), (0.51 - margin, False)):
        made = performance(y, answers=YES, judged_error=error, simple=SimpleScores(0.5, 0.1, 0.1))
        assert made.beats_constant == beats


def test_what_copies_its_inputs_is_not_held_against_a_linear_model() -> None:
    x = np.random.default_rng(0).normal(size=(80, 5))
    copying = performance(x, np.zeros((80, 5)), x=x)
    assert copying.simple == SimpleScores(pytest.approx(1.0), math.inf, math.inf)
    assert performance(x[:, :4], np.zeros((80, 4)), x=x).simple.linear < 0.1
