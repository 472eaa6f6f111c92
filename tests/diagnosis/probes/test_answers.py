"""How outputs answer targets is one decision, whoever asks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.probes.answers import Answers, Domain, domain_of, how_answered
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.training.predictor import Predictor

RNG = np.random.default_rng(0)
PIXELS, PIXELS_OF_NUMBERS = (Answers(kind, by_row=False) for kind in ("yes or no", "numbers"))
ROWS = 60
CODES = RNG.integers(0, 3, ROWS)
BITS = RNG.integers(0, 2, ROWS)
LABELS = RNG.integers(0, 2, (ROWS, 4))
ONE_HOT = np.eye(3)[CODES]
Loss = Callable[[Any, Any], Any]


def drawn(*shape: int) -> np.ndarray:
    return RNG.normal(size=(ROWS, *shape))


def share(*shape: int) -> np.ndarray:
    return RNG.uniform(0.05, 0.95, (ROWS, *shape))


def logistic(output: Any, target: Any) -> Any:
    t = target.astype("float32").reshape(*output.shape)
    return nn.binary_cross_entropy_with_logits(output, t)


def of_probability(output: Any, target: Any) -> Any:
    return nn.binary_cross_entropy(output, target.astype("float32").reshape(*output.shape))


def soft_margin(output: Any, target: Any) -> Any:
    return rg.log1p(rg.exp(-target.astype("float32").reshape(*output.shape) * output)).mean()


def hinge(output: Any, target: Any) -> Any:
    return rg.relu(1 - target.astype("float32").reshape(*output.shape) * output).mean()


def hinge_of_a_column(output: Any, target: Any) -> Any:
    return rg.relu(1 - target.astype("float32") * output[:, 0]).mean()


def squared(output: Any, target: Any) -> Any:
    return nn.mse_loss(output, target.astype("float32").reshape(*output.shape))


def squared_column(output: Any, target: Any) -> Any:
    return nn.mse_loss(output[:, 0], target.astype("float32"))


def of_shares(output: Any, target: Any) -> Any:
    return -(target.astype("float32") * nn.log_softmax(output, 1)).sum(1).mean()


def last_axis(output: Any, target: Any) -> Any:
    return nn.cross_entropy(output.reshape(-1, output.shape[-1]), target.reshape(-1))


def poisson(output: Any, target: Any) -> Any:
    return nn.poisson_nll_loss(output, target.astype("float32").reshape(*output.shape))


# What it is ---------------------------------------------------------------------------------------

COUNTS = RNG.poisson(3, ROWS)
IMAGE = RNG.integers(0, 3, (ROWS, 5, 5))
WORDS = RNG.integers(0, 7, (ROWS, 5))
SHARES = share()


@pytest.mark.parametrize(
    ("outputs", "target", "loss", "expected"),
    [
        # Codes
        (drawn(3), CODES, nn.cross_entropy, Answers("classes")),
        (drawn(3), CODES[:, None], None, Answers("classes")),
        (drawn(3), CODES.astype("float32"), None, Answers("classes")),
        (drawn(2), BITS.astype(bool), None, Answers("classes")),
        (drawn(2), CODES, None, Answers("classes")),  # too few outputs, as RG404 tells
        (drawn(3), np.where(CODES, CODES, -100), nn.cross_entropy, Answers("classes")),
        # One-hot
        (drawn(3), ONE_HOT, of_shares, Answers("classes", is_one_hot=True)),
        (drawn(3), ONE_HOT.astype(int), None, Answers("classes", is_one_hot=True)),
        (
            drawn(3, 5, 5),
            np.moveaxis(np.eye(3)[IMAGE], -1, 1),
            of_shares,
            Answers("classes", axis=1, is_one_hot=True),
        ),
        (drawn(5, 7), np.eye(7)[WORDS], None, Answers("classes", axis=2, is_one_hot=True)),
        # Each pixel, each word
        (drawn(3, 5, 5), IMAGE, nn.cross_entropy, Answers("classes", axis=1)),
        (drawn(5, 5, 3), IMAGE, last_axis, Answers("classes", axis=3)),
        (drawn(5, 7), WORDS, last_axis, Answers("classes", axis=2)),
        (drawn(7, 5), WORDS, nn.cross_entropy, Answers("classes", axis=1)),
        (drawn(7, 7), RNG.integers(0, 7, (ROWS, 7)), last_axis, Answers("classes", axis=2)),
        (drawn(7, 7), RNG.integers(0, 7, (ROWS, 7)), nn.cross_entropy, Answers("classes", axis=1)),
        # Yes or no
        (drawn(1), BITS, logistic, Answers("yes or no")),
        (drawn(), BITS, logistic, Answers("yes or no")),
        (drawn(1), BITS, None, Answers("yes or no")),
        (drawn(1), BITS.astype(bool), logistic, Answers("yes or no")),
        (drawn(1), BITS.astype("float32"), logistic, Answers("yes or no")),
        (drawn(1), BITS.astype("float32")[:, None], logistic, Answers("yes or no")),
        (drawn(1), 2 * BITS - 1, soft_margin, Answers("yes or no")),
        (drawn(1), 2.0 * BITS - 1, soft_margin, Answers("yes or no")),
        (drawn(1), 2.0 * BITS - 1, hinge, Answers("yes or no")),
        (drawn(1), 2.0 * BITS - 1, hinge_of_a_column, Answers("yes or no")),
        (drawn(1, 5, 5), IMAGE[:, None] > 1, logistic, PIXELS),
        (drawn(1, 5, 5), (IMAGE > 1).astype("float32"), logistic, PIXELS),
        # Several labels
        (drawn(4), LABELS, logistic, Answers("yes or no")),
        (drawn(4), LABELS.astype("float32"), logistic, Answers("yes or no")),
        (drawn(4), 2 * LABELS - 1, soft_margin, Answers("yes or no")),
        # Numbers
        (drawn(1), drawn(), squared, Answers("numbers")),
        (drawn(1), drawn(), squared_column, Answers("numbers")),
        (drawn(1), drawn(1), None, Answers("numbers")),
        (drawn(3), drawn(3), squared, Answers("numbers")),
        (drawn(2, 5, 5), drawn(2, 5, 5), squared, PIXELS_OF_NUMBERS),
        (drawn(1), drawn(), lambda o, t: -squared(o, t), Answers("numbers")),  # RG407 tells
        (drawn(1), COUNTS, squared, Answers("numbers")),
        (drawn(1), COUNTS, squared_column, Answers("numbers")),
        (drawn(1), BITS, squared, Answers("numbers")),
        (drawn(1), BITS, squared_column, Answers("numbers")),
        (drawn(1), BITS.astype("float32"), squared_column, Answers("numbers")),
        (drawn(1), BITS.astype("float32"), None, Answers("numbers")),
        (drawn(1), COUNTS.astype("float32"), poisson, Answers("numbers", link="exp")),
        (drawn(1), COUNTS, poisson, Answers("numbers", link="exp")),
        (drawn(1), SHARES, poisson, Answers("numbers", link="exp")),
        (drawn(1), SHARES, logistic, Answers("numbers", link="logistic")),
        (drawn(1), SHARES, squared, Answers("numbers")),
        (drawn(1), share(), None, Answers("numbers")),
        (drawn(1), np.where(BITS, SHARES, np.nan), squared, Answers("numbers")),
    ],
)  # fmt: skip
def test_how_outputs_answer(
    outputs: np.ndarray, target: np.ndarray, loss: Loss | None, expected: Answers
) -> None:
    assert how_answered(outputs, target, loss=loss) == expected


@pytest.mark.parametrize(
    ("outputs", "target", "last", "loss", "expected"),
    [
        (share(1), BITS, "sigmoid", of_probability, Answers("yes or no")),
        (share(1), BITS.astype("float32"), "sigmoid", of_probability, Answers("yes or no")),
        (share(1), BITS.astype("float32"), "sigmoid", squared, Answers("yes or no")),
        (share(4), LABELS.astype("float32"), "sigmoid", of_probability, Answers("yes or no")),
        (share(1), SHARES, "sigmoid", squared, Answers("numbers")),
        (share(1), SHARES, "sigmoid", of_probability, Answers("numbers")),
        (share(4), share(4), "sigmoid", of_probability, Answers("numbers")),
        (RNG.dirichlet([1, 1, 1], ROWS), CODES, "softmax", None, Answers("classes")),
    ],
)
def test_probabilities_answer_yes_or_no_or_a_share(
    outputs: np.ndarray, target: np.ndarray, last: str, loss: Loss | None, expected: Answers
) -> None:
    assert how_answered(outputs, target, last_operation=last, loss=loss) == expected


@pytest.mark.parametrize(
    ("outputs", "target", "loss", "task", "expected"),
    [
        (drawn(1), BITS, squared, "classification", Answers("yes or no")),
        (drawn(1), BITS, logistic, "regression", Answers("numbers", link="logistic")),
        (drawn(1), BITS, squared, "regression", Answers("numbers")),
        (drawn(3), CODES, None, "classification", Answers("classes")),
        (drawn(3), CODES, None, "regression", None),
        (drawn(1), drawn(), squared, "regression", Answers("numbers")),
        (drawn(1), drawn(), squared, "classification", None),
        (drawn(3), ONE_HOT, squared, "regression", Answers("numbers")),
        (drawn(3), ONE_HOT, squared, "classification", Answers("classes", is_one_hot=True)),
        (drawn(1), COUNTS, poisson, "regression", Answers("numbers", link="exp")),
        # A loss that is least elsewhere is no less a regression's, as RG401 tells.
        (drawn(1), drawn(), lambda o, t: squared(o, t + 1), "regression", Answers("numbers")),
        (drawn(1), drawn(), lambda o, t: squared(o, t + 1), None, None),
        (drawn(1), BITS.astype("float32"), None, "classification", Answers("yes or no")),
    ],
)
def test_a_task_that_is_given_is_kept_to(
    outputs: np.ndarray,
    target: np.ndarray,
    loss: Loss | None,
    task: str | None,
    expected: Answers | None,
) -> None:
    assert how_answered(outputs, target, loss=loss, task=task) == expected


# Where nothing is answered ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outputs", "target"),
    [
        (drawn(2), drawn(3)),
        (drawn(2), drawn()),
        (drawn(1), drawn()[:-1]),
        (drawn(3, 5, 5), IMAGE[:, :4]),
        (drawn(1)[:0], CODES[:0]),
        (drawn(0), CODES),
        (np.float64(1), CODES),
    ],
)
def test_shapes_that_do_not_meet_answer_nothing(outputs: Any, target: np.ndarray) -> None:
    assert how_answered(np.asarray(outputs), target) is None


def pulled_together(output: Any, target: Any) -> Any:
    """The loss of an embedding: equal labels are near, others are far."""
    same = (target[:, None] == target).astype("float32")
    near = ((output[:, None] - output) ** 2).sum(-1)
    return (same * near + (1 - same) * rg.relu(1 - near)).mean()


def contrastive(output: Any, target: Any) -> Any:
    """Hadsell et al. 2006: 1 for a pair that belongs together, whose distance is the output."""
    t = target.astype("float32").reshape(*output.shape)
    return (t * output**2 + (1 - t) * rg.relu(2 - output) ** 2).mean()


@pytest.mark.parametrize("task", [None, "classification"])
def test_an_embedding_answers_nothing(task: str | None) -> None:
    even = np.arange(ROWS) % 3
    assert how_answered(drawn(3), even, loss=pulled_together, task=task) is None
    assert how_answered(drawn(8), even, loss=pulled_together, task=task) is None


@pytest.mark.parametrize("task", [None, "classification"])
def test_a_distance_answers_nothing(task: str | None) -> None:
    apart = abs(drawn(1))
    for target in (BITS, BITS.astype("float32")):
        assert how_answered(apart, target, loss=contrastive, task=task) is None
        # A score that may be negative is turned around, as RG407 tells.
        turned = how_answered(drawn(1), target, loss=lambda o, t: logistic(-o, t), task=task)
        assert turned == Answers("yes or no")


def test_a_critic_answers_nothing() -> None:
    """Arjovsky et al. 2017: the mean output of real rows less that of made ones."""
    sign = np.where(BITS == 1, 1.0, -1.0).astype(np.float32)
    assert how_answered(drawn(1), sign, loss=lambda o, t: -(o[:, 0] * t).mean()) is None


def test_the_place_of_the_right_one_among_others_is_no_class() -> None:
    """Mikolov et al. 2013: the word that is there comes first, and drawn ones after it."""
    first = np.eye(3, dtype=np.float32)[np.zeros(ROWS, int)]
    assert how_answered(drawn(3), first, loss=nn.cross_entropy, task="classification") is None


def test_actions_and_their_returns_are_no_numbers_to_be_met() -> None:
    returns = np.stack([BITS, drawn(1)[:, 0]], 1)

    def policy(output: Any, target: Any) -> Any:
        chosen = rg.where(target[:, 0] > 0, output[:, 1], output[:, 0])
        return -(rg.log(chosen) * target[:, 1]).sum()

    shares = np.exp(drawn(2))
    shares /= shares.sum(1, keepdims=True)
    assert how_answered(shares, returns, loss=policy, last_operation="softmax") is None


def test_a_loss_that_does_not_look_at_the_target_answers_nothing() -> None:
    def adversary(output: Any, target: Any) -> Any:
        return nn.functional.softplus(-output).mean()

    for target in (BITS, drawn(), np.ones(ROWS, np.float32), np.ones(ROWS, int)):
        assert how_answered(drawn(1), target, loss=adversary) is None
    assert how_answered(drawn(3), CODES, loss=lambda o, t: (o**2).mean()) is None


def test_outputs_that_hold_more_than_scores_answer_nothing() -> None:
    """Of five columns three are scores, and two a code that is held near 0."""

    def both(output: Any, target: Any) -> Any:
        return nn.functional.cross_entropy(output[:, :3], target) + (output[:, 3:] ** 2).mean()

    assert how_answered(drawn(5), np.arange(ROWS) % 3, loss=both, task="classification") is None
    # Scores of classes that no row has are scores.
    spare = how_answered(drawn(5), np.arange(ROWS) % 3, loss=nn.functional.cross_entropy)
    assert spare == Answers("classes")


@pytest.mark.parametrize("task", [None, "classification"])
def test_a_mean_and_a_spread_are_no_scores(task: str | None) -> None:
    """Grades from 3 to 8, and the logarithm of their normal density."""
    grades = np.arange(ROWS) % 6 + 3

    def density(output: Any, target: Any) -> Any:
        spread = nn.functional.softplus(output[:, 1]) + 0.01
        away = (target.astype("float32") - output[:, 0]) / spread
        return (0.5 * away**2 + rg.log(spread)).mean()

    assert how_answered(drawn(2), grades, loss=density, task=task) is None
    few = how_answered(drawn(2), grades, loss=nn.functional.cross_entropy, task=task)
    assert few == Answers("classes")  # for too many classes


def test_the_source_of_an_equation_is_not_its_answer() -> None:
    """y - 3 y' is to be the source; the outputs hold a solution, (y, y')."""
    source = drawn(2)

    def loss(output: Any, target: Any) -> Any:
        return ((output[:, 0] - 3 * output[:, 1] - target[:, 0]) ** 2).mean()

    solved = np.stack([2 * source[:, 0], source[:, 0] / 3], 1)
    assert how_answered(solved, source, loss=loss, task="regression") is None
    # Of a loss with the wrong sign nothing is solved.
    turned = how_answered(9 * source, source, loss=lambda o, t: -nn.mse_loss(o, t))
    assert turned == Answers("numbers")


def test_shares_are_answered_through_the_softmax_that_the_loss_takes() -> None:
    shares = np.exp(drawn(4))
    shares /= shares.sum(1, keepdims=True)

    def divergence(output: Any, target: Any) -> Any:
        return nn.kl_div(rg.log_softmax(output, dim=1), target, reduction="batchmean")

    found = how_answered(drawn(4) + 2, shares, loss=divergence)
    assert found == Answers("numbers", link="softmax")
    assert found.scores(np.log(shares) + 5) == pytest.approx(shares)
    # A squared error compares the outputs themselves.
    assert how_answered(drawn(4), shares, loss=nn.mse_loss) == Answers("numbers")


@pytest.mark.parametrize(("share", "is_seen"), [(0.9e-3, False), (1.1e-3, True)])
def test_a_thousandth_of_the_loss_is_no_difference(share: float, is_seen: bool) -> None:
    """Of the wrong answers the loss is 1, of the right ones `share` less."""

    def loss(output: Any, target: Any) -> Any:
        right = (np.argmax(output.numpy(), 1) == target.numpy()).mean()
        return 1 - share * float(right) + 0 * output.sum()

    found = how_answered(drawn(3), CODES, loss=loss, task="classification")
    assert found == (Answers("classes") if is_seen else None)


def test_a_loss_that_cannot_be_tried_says_nothing() -> None:
    def refuses(output: Any, target: Any) -> Any:
        raise ValueError("no")

    assert how_answered(drawn(3), CODES, loss=refuses) == Answers("classes")
    assert how_answered(drawn(1), drawn(), loss=refuses) == Answers("numbers")


# Reading them -------------------------------------------------------------------------------------


def test_the_truth_of_classes_are_codes_of_items() -> None:
    codes = Answers("classes")
    assert codes.truth(np.array([[2.0], [0.0]])).tolist() == [2, 0]
    assert codes.truth(np.array([2.0, np.nan])).tolist() == [2, 0]
    assert codes.truth(np.array([[2, -100], [1, 0]])).tolist() == [2, -100, 1, 0]
    assert codes.truth(codes.truth(CODES)).dtype == np.int64
    rows = Answers("classes", is_one_hot=True)
    assert rows.truth(ONE_HOT).tolist() == CODES.tolist()
    pixels = np.moveaxis(np.eye(3)[IMAGE], -1, 1)
    assert rows.truth(pixels).tolist() == IMAGE.reshape(-1).tolist()
    words = Answers("classes", axis=2, is_one_hot=True)
    assert words.truth(np.eye(7)[WORDS]).tolist() == WORDS.reshape(-1).tolist()


def test_the_truth_of_yes_and_no_is_1_and_0() -> None:
    yes = Answers("yes or no")
    assert yes.truth(np.array([-1, 1])).tolist() == [[0], [1]]
    assert yes.truth(np.array([False, True])).tolist() == [[0], [1]]
    assert yes.truth(LABELS).tolist() == LABELS.tolist()
    assert PIXELS.truth(IMAGE > 1).shape == (ROWS * 25, 1)


def test_numbers_of_rows_have_columns_and_those_of_larger_targets_have_none() -> None:
    numbers = Answers("numbers")
    assert numbers.truth(np.array([1, 2])).tolist() == [[1.0], [2.0]]
    assert numbers.truth(drawn(4)).shape == (ROWS, 4)
    assert PIXELS_OF_NUMBERS.truth(drawn(2, 5, 5)).shape == (ROWS * 50, 1)
    # Outputs of another form have the same items.
    assert PIXELS_OF_NUMBERS.scores(drawn(50)).shape == (ROWS * 50, 1)


@pytest.mark.parametrize(
    ("answers", "shape", "items"),
    [
        (Answers("classes"), (4, 3), (4, 3)),
        (Answers("classes"), (4, 3, 5, 6), (120, 3)),
        (Answers("classes", axis=2), (4, 5, 3), (20, 3)),
        (Answers("classes", axis=3), (4, 5, 6, 3), (120, 3)),
        (Answers("yes or no"), (4, 1), (4, 1)),
        (Answers("yes or no"), (4,), (4, 1)),
        (Answers("yes or no"), (4, 7), (4, 7)),
        (Answers("yes or no", by_row=False), (4, 1, 5, 5), (100, 1)),
        (Answers("numbers"), (4, 2), (4, 2)),
    ],
)
def test_scores_have_a_row_for_each_item_and_are_put_back(
    answers: Answers, shape: tuple[int, ...], items: tuple[int, int]
) -> None:
    outputs = RNG.normal(size=shape)
    scores = answers.scores(outputs)
    assert scores.shape == items
    assert np.array_equal(answers.outputs(scores, shape), outputs)


def test_items_of_outputs_stand_beside_those_of_targets() -> None:
    """Each score of the target's class is 1."""
    for answers, axis in ((Answers("classes"), 1), (Answers("classes", axis=3), 3)):
        outputs = np.moveaxis(np.eye(3)[IMAGE], -1, axis)
        truth = answers.truth(IMAGE)
        assert (answers.scores(outputs)[np.arange(len(truth)), truth] == 1).all()


def test_links_are_those_of_logistic_and_poisson_regression() -> None:
    z = np.array([[-800.0], [-2.0], [0.5], [800.0]])
    shares = Answers("numbers", link="logistic").scores(z)
    assert shares[1:3, 0] == pytest.approx([1 / (1 + math.exp(2)), 1 / (1 + math.exp(-0.5))])
    assert shares[[0, 3], 0] == pytest.approx([0, 1])
    counts = Answers("numbers", link="exp").scores(z)
    assert counts[1:3, 0] == pytest.approx([math.exp(-2), math.exp(0.5)])
    assert np.isfinite(counts).all()


def test_of_several_outputs_the_largest_is_said() -> None:
    outputs = np.array([[0.1, 0.9, 0.3], [2.0, -1.0, 0.0]])
    codes = Answers("classes")
    assert codes.predicted(outputs, "softmax").tolist() == [1, 0]
    assert codes.predicted(outputs[:, :, None], "").tolist() == [1, 0]
    words = Answers("classes", axis=2)
    assert words.predicted(outputs[None], "").tolist() == [1, 0]


@pytest.mark.parametrize("last", ["sigmoid", "softmax"])
def test_a_probability_says_yes_above_a_half(last: str) -> None:
    said = Answers("yes or no").predicted(np.array([[0.5, 0.51], [0.49, 1.0]]), last)
    assert said.tolist() == [[0, 1], [0, 1]]


@pytest.mark.parametrize("last", ["affine", "tanh", ""])
def test_a_score_says_yes_above_zero(last: str) -> None:
    said = Answers("yes or no").predicted(np.array([0.0, 0.01, -0.01]), last)
    assert said.tolist() == [[0], [1], [0]]


@pytest.mark.parametrize(
    ("domain", "yes", "no"),
    [
        ("scores", 10.0, -10.0),
        ("probabilities", 0.9999, 0.0001),
        ("log-probabilities", math.log(0.9999), math.log(0.0001)),
    ],
)
def test_sure_answers_are_confident_and_right(domain: Domain, yes: float, no: float) -> None:
    codes = Answers("classes").sure(np.array([2, 0]), (2, 3), domain)
    assert codes == pytest.approx(np.array([[no, no, yes], [yes, no, no]]))
    labels = Answers("yes or no").sure(np.array([[1, 0], [0, 1]]), (2, 2), domain)
    assert labels == pytest.approx(np.array([[yes, no], [no, yes]]))
    single = Answers("yes or no").sure(np.array([[1], [0]]), (2,), domain)
    assert single == pytest.approx(np.array([yes, no]))
    image = Answers("classes").sure(IMAGE.reshape(-1), (ROWS, 3, 5, 5), domain)
    assert np.array_equal(image.argmax(1), IMAGE)
    words = Answers("classes", axis=2).sure(WORDS.reshape(-1), (ROWS, 5, 7), domain)
    assert np.array_equal(words.argmax(2), WORDS)


def test_the_task_is_named() -> None:
    assert Answers("classes").task == Answers("yes or no").task == "classification"
    assert Answers("numbers").task == "regression"


P = RNG.dirichlet([1, 1, 1], ROWS)


@pytest.mark.parametrize(
    ("outputs", "last", "axis", "domain"),
    [
        (P, "", 1, "probabilities"),
        (np.log(P), "", 1, "log-probabilities"),
        (P * 1.01, "", 1, "scores"),
        (P * 1.0005, "", 1, "probabilities"),
        (P - 0.4, "", 1, "scores"),
        (-P, "", 1, "scores"),
        (P * [1, 1, np.nan], "", 1, "scores"),
        (np.repeat(P[:, :, None], 4, 2), "", 1, "probabilities"),
        (np.repeat(P[:, None], 4, 1), "", 2, "probabilities"),
        (np.repeat(P[:, None], 4, 1), "", 1, "scores"),
        (np.ones((ROWS, 1)), "", 1, "scores"),
        (np.ones(ROWS), "", 1, "scores"),
        (drawn(1), "sigmoid", 1, "probabilities"),
        (drawn(1), "softmax", 1, "probabilities"),
        (drawn(1), "tanh", 1, "scores"),
    ],
)
def test_what_outputs_look_like(outputs: np.ndarray, last: str, axis: int, domain: str) -> None:
    assert domain_of(outputs, last, axis) == domain


# Whoever asks -------------------------------------------------------------------------------------


class SigmoidAsOperation(nn.Module):
    """Ends with a sigmoid that is no module."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return rg.sigmoid(self.linear(x))


class SigmoidOutOfOrder(nn.Module):
    """Its last module is a sigmoid, its last operation is not."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 1)
        self.gate = nn.Sigmoid()

    def forward(self, x: rg.Tensor) -> rg.Tensor:
        return self.linear(x) * (self.gate(x[:, :1]) + 0.5)


@pytest.mark.parametrize("make", [SigmoidAsOperation, SigmoidOutOfOrder, lambda: nn.Linear(2, 1)])
def test_a_program_and_a_case_read_one_output_alike(make: type[nn.Module]) -> None:
    rg.manual_seed(0)
    model = make()
    x = np.random.default_rng(0).normal(size=(64, 2)).astype("float32")
    output = model(rg.Tensor(x)).numpy()
    ends_with_sigmoid = isinstance(model, SigmoidAsOperation)
    wanted = (output[:, 0] > (0.5 if ends_with_sigmoid else 0.0)).astype(int)
    assert 0 < wanted.mean() < 1
    case = Case(model=model, train=Data((x,), wanted), task="classification")
    np.testing.assert_array_equal(case.predicted, wanted)
    examples = Samples(x, wanted)
    program = Program(
        make, nn.binary_cross_entropy_with_logits, examples, examples, "classification"
    )
    assert program.score(Predictor(model), examples) == 1.0
