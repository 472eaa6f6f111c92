"""Labels: rare classes that a loss ignores, and labels that the inputs contradict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.cases import CODES, GOOD, NUMBERS, losses, only, performance, record, told

from retrograd import nn
from retrograd.diagnosis.catalogue import catalogue
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.checks.labels import (
    classes_disagree,
    constant_target,
    dominance,
    imbalance,
    numbers_disagree,
)
from retrograd.diagnosis.outcome.baselines import SimpleScores
from retrograd.diagnosis.probes.answers import Answers
from retrograd.tensor import Tensor

RNG = np.random.default_rng(0)


def same_target(y: Any, **known: Any) -> Case:
    y = np.asarray(y)
    case = Case(train=Data((np.zeros((len(y), 1)),), y))
    case.__dict__.update(known)
    return case


@pytest.mark.parametrize(
    ("y", "is_found"),
    [
        (np.zeros(50), True),
        (np.ones(50, int), True),
        (np.full((50, 3), -2.5), True),
        (np.ones(50, bool), True),
        (np.zeros((2, 1)), True),
        (np.zeros(1), False),
        (np.zeros((50, 0)), False),
        (np.append(np.zeros(49), 1e-9), False),
        (np.tile([0.0, 1.0], (50, 1)), False),  # equal rows, whose columns differ
        (np.full(50, np.nan), False),
    ],
)
def test_a_target_that_never_changes(y: Any, is_found: bool) -> None:
    found = told(constant_target, same_target(y))
    assert found == ([("RG308", "error")] if is_found else [])


def test_the_constant_target_is_told() -> None:
    found = only(constant_target, same_target(np.full((1200, 2), 0.25)))
    assert found.evidence.text == "All 1,200 rows have the target 0.25."
    assert found.evidence.numbers == {"value": 0.25}
    assert catalogue()["RG308"].certain


@pytest.mark.parametrize(
    ("known", "is_found"),
    [
        ({"outputs": np.zeros((50, 1)), "answers": NUMBERS}, True),
        ({"outputs": np.zeros((50, 1)), "answers": None}, False),  # a generator needs no target
        ({"outputs": None, "answers": None}, True),
    ],
)
def test_a_target_that_nothing_answers_may_be_constant(
    known: dict[str, Any], is_found: bool
) -> None:
    assert bool(constant_target(same_target(np.zeros(50), **known))) == is_found


def counted(rare: int, frequent: int, **more: Any) -> Case:
    y = np.repeat([0, 1], [frequent, rare])
    return Case(train=Data((np.zeros((len(y), 1)),), y), task="classification", **more)


@pytest.mark.parametrize(
    ("rare", "frequent", "is_found"),
    [(3, 30, True), (3, 29, False), (2, 200, False), (30, 3, True), (0, 30, False)],
)
def test_a_class_ten_times_as_frequent(rare: int, frequent: int, is_found: bool) -> None:
    found = told(imbalance, counted(rare, frequent))
    assert found == ([("RG306", "warning")] if is_found else [])


def test_the_rare_class_is_told() -> None:
    found = only(imbalance, counted(4, 50)).evidence
    assert found.text == "Class 0 is 12 times as frequent as class 1."
    assert found.numbers == {"ratio": 12.5, "rows": 4}


def weighed(weight: float) -> Any:
    """A cross-entropy in which class 1 has this weight."""

    def loss(output: Any, target: Any) -> Any:
        return nn.cross_entropy(output, target, weight=Tensor(np.float32([1.0, weight])))

    return loss


def logistic(weight: float) -> Any:
    """A logistic loss in which class 1 has this weight."""

    def loss(output: Any, target: Any) -> Any:
        t, o = target.astype("float64"), output[:, 0]
        return ((1 + (weight - 1) * t) * ((1 + o.exp()).log() - t * o)).mean()

    return loss


def of_shares(weight: float) -> Any:
    """The same of probabilities."""

    def loss(output: Any, target: Any) -> Any:
        t, p = target.astype("float64"), output[:, 0]
        return -(weight * t * p.log() + (1 - t) * (1 - p).log()).mean()

    return loss


def losing(loss: Any, last: str = "", outputs: Any = None) -> Case:
    case = counted(5, 50, loss=loss)
    case.__dict__["outputs"] = np.zeros((55, 2)) if outputs is None else outputs
    case.__dict__["last_operation"] = last
    return case


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (losing(nn.cross_entropy), True),
        (losing(weighed(1.9)), True),
        (losing(weighed(2.0)), True),
        (losing(weighed(2.1)), False),
        (losing(logistic(1.9), outputs=np.zeros((55, 1))), True),
        (losing(logistic(2.1), outputs=np.zeros((55, 1))), False),
        (losing(of_shares(1.9), "sigmoid", np.zeros((55, 1))), True),
        (losing(of_shares(2.1), "sigmoid", np.zeros((55, 1))), False),
        (counted(5, 50, loss=weighed(2.1)), True),  # the model's outputs are not known
        (losing(lambda o, t: (o * 0).sum() * float("nan")), True),
        (losing(lambda o, t: o.no_such_method()), True),
        (losing(lambda o, t: weighed(2.1)(o.log(), t), "softmax"), False),
        (losing(lambda o, t: weighed(1.9)(o.log(), t), "softmax"), True),
    ],
)
def test_a_loss_may_weigh_the_rare_class_twice(case: Case, is_found: bool) -> None:
    assert bool(imbalance(case)) == is_found


def after(found_rare: float, found_frequent: float, run: bool = True) -> Case:
    """The network finds these shares of either class; 20 and 200 rows."""
    case = counted(20, 200, record=record({"loss": losses(40, GOOD)}) if run else None)
    says = np.zeros(220)
    says[200 : 200 + round(20 * found_rare)] = 1
    says[: round(200 * (1 - found_frequent))] = 1
    case.__dict__["outputs"] = np.eye(2)[says.astype(int)]
    case.__dict__["last_operation"] = ""
    return case


@pytest.mark.parametrize(
    ("case", "severity"),
    [
        (after(0.45, 1.0), "warning"),
        (after(0.5, 1.0), "note"),
        (after(0.45, 0.9), "note"),
        (after(0.45, 0.92), "warning"),
        (after(0.5, 1.0, run=False), "warning"),
    ],
)
def test_a_rare_class_that_is_found_is_a_note(case: Case, severity: str) -> None:
    assert told(imbalance, case) == [("RG306", severity)]


def test_a_class_of_which_no_row_was_drawn_counts_as_found() -> None:
    case = counted(20, 200, record=record({"loss": losses(40, GOOD)}), loss=nn.cross_entropy)
    case.__dict__["outputs"] = np.eye(2)[np.arange(220) % 2]
    case.__dict__["last_operation"] = ""
    case.__dict__["labels"] = np.zeros(220, int)
    found = only(imbalance, case)
    assert found.severity == "note"
    assert found.evidence.numbers == {"ratio": 10, "rows": 20, "found": 1, "found_of_frequent": 0.5}


def test_how_often_either_class_is_found_is_told() -> None:
    found = only(imbalance, after(0.25, 0.9)).evidence
    assert found.text == (
        "Class 0 is 10 times as frequent as class 1; the model recognizes 25% of its rows, "
        "against 90%."
    )
    assert found.numbers == {"ratio": 10, "rows": 20, "found": 0.25, "found_of_frequent": 0.9}


@pytest.mark.parametrize(("classes", "severity"), [(20, "warning"), (21, "note")])
def test_of_many_classes_some_are_always_rare(classes: int, severity: str) -> None:
    y = np.repeat(np.arange(classes), [100, *[5] * (classes - 1)])
    case = Case(
        record=record({"loss": [1.0, 0.5]}),
        train=Data((np.zeros((len(y), 1)),), y),
        task="classification",
    )
    case.__dict__.update(labels=y, train_labels=y, predicted=np.zeros_like(y))
    assert told(imbalance, case) == [("RG306", severity)]


def clusters(rows: int = 300, wrong: int = 0, seed: int = 0) -> tuple[Any, Any]:
    """Two far clusters, a class each; the first `wrong` rows have the other's label."""
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 2
    x = rng.normal(size=(rows, 2)) + 8 * y[:, None]
    y = y.copy()
    y[:wrong] = 1 - y[:wrong]
    return x.astype(np.float32), y


def labelled(train: Any, valid: Any = None, **known: Any) -> Case:
    case = Case(
        train=Data((train[0],), train[1]),
        valid=None if valid is None else Data((valid[0],), valid[1]),
        task="classification",
    )
    case.__dict__.update(known)
    return case


@pytest.mark.parametrize(
    ("wrong", "is_found"),
    [(0, False), (12, False), (40, True)],  # of 300; a tenth of the rows deep inside
)
def test_other_labels_deep_inside_a_class(wrong: int, is_found: bool) -> None:
    found = classes_disagree(labelled(clusters(wrong=wrong)))
    assert [each.code for each in found] == (["RG307"] if is_found else [])
    for each in found:
        share = each.evidence.numbers["share"]
        assert share == pytest.approx(wrong / 300, abs=0.05)
        assert each.evidence.text == (
            f"Deep inside the region of one class, {share:.0%} of the rows have another label."
        )


def votes(rows: Any, y: Any, queries: Any = None) -> Any:
    """The vote of the ten nearest rows, by hand; of the rows themselves no row is its own."""
    mean, std = rows.mean(0), rows.std(0)
    rows = (rows - mean) / std
    at = rows if queries is None else (queries - mean) / std
    far = ((at[:, None] - rows) ** 2).sum(2)
    if queries is None:
        np.fill_diagonal(far, np.inf)
    return np.array([np.bincount(y[near]).argmax() for near in np.argsort(far, 1)[:, :10]])


def test_how_many_labels_deep_inside_a_class_are_others() -> None:
    """By hand: of the third of the rows that is farthest from the other region, in shares of the
    distance to the tenth row of its own."""
    rng = np.random.default_rng(1)
    y = np.arange(300) % 2
    x = (rng.normal(size=(300, 2)) + 5 * y[:, None]).astype(np.float64)
    y = np.where(rng.random(300) < 0.25, 1 - y, y)
    regions = votes(x, y)
    scaled = (x - x.mean(0)) / x.std(0)
    far = ((scaled[:, None] - scaled) ** 2).sum(2)
    np.fill_diagonal(far, np.inf)
    other = regions[:, None] != regions
    own = np.sort(np.where(other, np.inf, far), 1)[:, 9]
    depth = np.where(other, far, np.inf).min(1) / own
    deep = np.argsort(-depth)[:100]
    expected = np.mean(regions[deep] != y[deep])
    found = only(classes_disagree, labelled((x, y))).evidence
    assert found.numbers == pytest.approx({"share": expected})


def test_classes_that_overlap_are_natural() -> None:
    """Of neighbors' answers a third is wrong, and inside less than three quarters of that."""
    rng = np.random.default_rng(0)
    y = np.arange(1000) % 2
    x = rng.normal(size=(1000, 1)) + y[:, None]
    wrong = np.mean(votes(x, y) != y)
    assert wrong > 0.3
    assert told(classes_disagree, labelled((x, y))) == []


def test_fewer_than_60_rows_tell_nothing() -> None:
    x, _ = clusters(60)
    y = RNG.integers(0, 2, 60)
    assert told(classes_disagree, labelled((x, y))) == [("RG307", "warning")]
    assert told(classes_disagree, labelled((x[:59], y[:59]))) == []
    assert told(classes_disagree, Case(train=Data((x[:, :0],), y), task="classification")) == []


def same(conflicts: int, rows: int = 200, values: int | None = None) -> tuple[Any, Any]:
    """Pairs of rows with the same inputs, of which `conflicts` pairs have two labels."""
    x, y = clusters(rows)
    x[1 : 2 * conflicts : 2] = x[: 2 * conflicts : 2]
    if values is not None:
        x = np.stack([np.arange(rows) % values, np.zeros(rows)], 1).astype(np.float32)
    return x, y


@pytest.mark.parametrize(("conflicts", "is_found"), [(5, False), (6, True)])
def test_rows_with_the_same_inputs_and_another_label(conflicts: int, is_found: bool) -> None:
    """More than one in twenty."""
    found = classes_disagree(labelled(same(conflicts)))
    assert bool(found) == is_found
    for each in found:
        assert each.evidence.numbers == pytest.approx({"share": conflicts / 100})
        assert each.evidence.text == (
            "6% of the training rows have the same inputs as a row of another class."
        )


def test_rows_of_few_values_coincide_by_nature() -> None:
    words = "same inputs"
    for values, is_found in ((41, True), (40, True), (39, False)):  # a fifth of 200 rows
        x = np.stack([np.arange(200) % values, np.zeros(200)], 1).astype(np.float32)
        y = RNG.integers(0, 2, 200)
        found = classes_disagree(labelled((x, y)))
        assert any(words in each.evidence.text for each in found) == is_found


@pytest.mark.parametrize(
    ("rows", "wrong", "is_found"),
    [(1000, 110, True), (1000, 80, False), (2000, 160, True), (2000, 110, False)],
)
def test_training_labels_that_are_worse_than_the_validation_labels(
    rows: int, wrong: int, is_found: bool
) -> None:
    """By more than six standard errors: 9.5 % of 1000 rows, 6.7 % of 2000."""
    train, valid = clusters(rows, wrong), clusters(200, seed=1)
    found = classes_disagree(labelled(train, valid))
    assert any("training" in each.evidence.numbers for each in found) == is_found


def test_worse_training_labels_are_told() -> None:
    train, valid = clusters(1000, 200), clusters(100, seed=1)
    found = only(classes_disagree, labelled(train, valid)).evidence
    assert found.numbers == pytest.approx({"training": 0.8, "validation": 0.97}, abs=0.02)
    assert found.text == (
        f"Nearest neighbors predict the class of {found.numbers['training']:.0%} of the training "
        f"rows and {found.numbers['validation']:.0%} of the validation rows: the training labels "
        "have more errors."
    )
    right = np.mean(votes(*train) == train[1]), np.mean(votes(*train, valid[0]) == valid[1])
    assert tuple(found.numbers.values()) == pytest.approx(right)
    few = labelled(train, clusters(59, seed=1))
    assert "training" not in only(classes_disagree, few).evidence.numbers
    enough = labelled(train, clusters(60, seed=1))
    assert "training" in only(classes_disagree, enough).evidence.numbers


def test_inputs_that_say_nothing_about_the_class() -> None:
    x, y = RNG.normal(size=(400, 3)).astype(np.float32), RNG.integers(0, 2, 400)
    seen = only(classes_disagree, labelled((x, y))).evidence
    share = max(y.mean(), 1 - y.mean())
    assert seen.numbers["by_chance"] == pytest.approx(share)
    assert seen.numbers["agreed"] == pytest.approx(np.mean(votes(x.astype(np.float64), y) == y))
    assert seen.text == (
        f"Nearest neighbors predict the class of {seen.numbers['agreed']:.0%} of the rows; always "
        f"answering the most frequent class is right for {share:.0%}. The inputs say nothing about "
        "the labels."
    )
    # Where one class is nearly all, chance agrees with it.
    rare = (np.arange(400) % 5 == 0).astype(int)
    found = classes_disagree(labelled((x, rare)))
    assert not any("agreed" in each.evidence.numbers for each in found)


NOTHING = RNG.normal(size=(500, 3)).astype(np.float32), RNG.integers(0, 2, 500)


def nothing(best: float, beats: bool = False, x: Any = NOTHING[0]) -> Case:
    """A model whose inputs say nothing, and how it and simple models do on 100 other rows."""
    y = NOTHING[1]
    made = performance(
        y[:400], np.zeros((400, 2)), y[400:], np.zeros((100, 2)), answers=CODES,
        simple=SimpleScores(0.5, best, 0.6), beats_constant=beats,
    )  # fmt: skip
    return labelled((x[:400], y[:400]), performance=made)


def ran(case: Case) -> Case:
    """The same after a run."""
    after = replace(case, record=record({"loss": losses(40, GOOD)}))
    after.__dict__["performance"] = case.performance
    return after


def says_nothing(case: Case) -> bool:
    return any("agreed" in each.evidence.numbers for each in classes_disagree(case))


@pytest.mark.parametrize(
    ("best", "is_found"), [(0.5, True), (0.41, True), (0.39, False)]
)  # two standard errors of 100 rows are 0.1
def test_a_simple_model_may_know_better_than_neighbors(best: float, is_found: bool) -> None:
    assert says_nothing(nothing(best)) == is_found


def test_a_network_may_know_better_than_neighbors() -> None:
    assert not says_nothing(nothing(0.5, beats=True))


def test_of_pixels_it_takes_a_run_to_tell_that_they_say_nothing() -> None:
    wide = RNG.normal(size=(500, 51)).astype(np.float32)
    unknown = labelled((wide[:400], NOTHING[1][:400]))
    assert not says_nothing(unknown)
    assert says_nothing(labelled((wide[:400, :50], NOTHING[1][:400])))
    assert not says_nothing(nothing(0.5, x=wide))
    assert says_nothing(ran(nothing(0.5, x=wide)))
    assert not says_nothing(ran(nothing(0.39, x=wide)))
    assert not says_nothing(ran(nothing(0.5, beats=True, x=wide)))


def test_of_pixels_none_are_deep_inside_a_class() -> None:
    """The same rows, of 50 columns and 51."""
    x, y = clusters(wrong=40)
    for columns, is_found in ((50, True), (51, False)):
        wide = np.concatenate([x, np.zeros((300, columns - 2), np.float32)], 1)
        assert bool(classes_disagree(labelled((wide, y)))) == is_found


def valued(
    x: Any, y: Any, simple: SimpleScores | None = None, judged: bool = True, **more: Any
) -> Case:
    """`simple` is what simple models score on validation rows, or without them on the others."""
    case = Case(train=Data((x.astype(np.float32),), y), task="regression", **more)
    others = (np.arange(9.0), None) if judged else ()
    made = performance(y, None, *others, answers=NUMBERS, simple=simple)
    case.__dict__["performance"] = None if simple is None else made
    return case


X = RNG.normal(size=(400, 2))
NOISE = RNG.normal(size=400)
SMOOTH = np.sin(X[:, 0])


def test_inputs_that_say_nothing_about_a_number() -> None:
    found = only(numbers_disagree, valued(X, NOISE)).evidence
    assert found.numbers["unexplained"] == pytest.approx(1.1, abs=0.1)
    assert found.text == (
        f"Nearest neighbors leave {found.numbers['unexplained']:.0%} of the target's variance "
        "unexplained, and a linear model does no better: the inputs say nothing about the target."
    )
    assert told(numbers_disagree, valued(X, SMOOTH)) == []
    assert told(numbers_disagree, valued(X, NOISE * 0 + 3)) == []
    assert told(numbers_disagree, valued(X[:59], NOISE[:59])) == []
    assert told(numbers_disagree, valued(X[:60], NOISE[:60])) == [("RG307", "warning")]


def test_neighbors_may_explain_what_a_linear_model_does_not() -> None:
    assert told(numbers_disagree, valued(X, X[:, 0] ** 2)) == []


def test_a_linear_model_may_explain_what_neighbors_do_not() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 50))
    y = x[:, 0] + 0.5 * rng.normal(size=400)
    assert told(numbers_disagree, valued(x, y)) == []
    assert told(numbers_disagree, valued(x[:, 1:], y)) == [("RG307", "warning")]


def test_of_several_numbers_the_first_is_judged() -> None:
    assert told(numbers_disagree, valued(X, np.stack([SMOOTH, NOISE], 1))) == []
    assert told(numbers_disagree, valued(X, np.stack([NOISE, SMOOTH], 1))) == [("RG307", "warning")]


@pytest.mark.parametrize(("best", "is_found"), [(0.99, True), (0.97, False)])
def test_a_simple_model_may_explain_a_number(best: float, is_found: bool) -> None:
    simple = SimpleScores(1.0, best, 1.0)
    assert bool(numbers_disagree(valued(X, NOISE, simple))) == is_found


def test_a_linear_model_may_explain_a_number_in_many_columns() -> None:
    x = RNG.normal(size=(400, 50))
    y = x.sum(1) + 6 * RNG.normal(size=400)
    near_nothing = valued(x, y)
    assert told(numbers_disagree, near_nothing) == []


def test_the_neighbors_of_pixels_say_nothing_about_a_number() -> None:
    for columns, is_found in ((50, True), (51, False)):
        wide = np.concatenate([X, np.zeros((400, columns - 2))], 1)
        assert bool(numbers_disagree(valued(wide, NOISE))) == is_found


@pytest.mark.parametrize(("neighbors", "is_found"), [(0.49, True), (0.51, False)])
def test_training_targets_that_are_worse(neighbors: float, is_found: bool) -> None:
    y = SMOOTH + 0.6 * NOISE
    near = np.argsort(((X[:, None] - X) ** 2 / X.std(0) ** 2).sum(2) + 1e9 * np.eye(400), 1)[:, :10]
    left = float(((y[near].mean(1) - y) ** 2).mean() / y.var())
    assert 0.3 < left < 1
    simple = SimpleScores(1.0, 0.9, neighbors * left)
    found = numbers_disagree(valued(X, y, simple))
    # Without validation rows their errors are not known.
    assert told(numbers_disagree, valued(X, y, simple, judged=False)) == []
    assert bool(found) == is_found
    for each in found:
        assert each.evidence.numbers == pytest.approx(
            {"unexplained": left, "validation": neighbors * left}, rel=1e-4
        )
        assert each.evidence.text == (
            f"Nearest neighbors leave {left:.0%} of the variance of the training targets "
            f"unexplained, but only {neighbors * left:.0%} of that of the validation targets: the "
            "training targets have more errors."
        )


@pytest.mark.parametrize(("noise", "is_found"), [(0.35, False), (0.6, True)])
def test_little_noise_is_no_disagreement(noise: float, is_found: bool) -> None:
    case = valued(X, SMOOTH + noise * NOISE, SimpleScores(1.0, 0.9, 0.0))
    assert bool(numbers_disagree(case)) == is_found


def test_a_single_class_has_no_other_labels_inside() -> None:
    x, y = clusters(100)
    assert told(classes_disagree, labelled((x, 0 * y))) == []


def padded(share: float, found: float, of_frequent: float = 1.0) -> Case:
    """1,000 tokens, of which this share is class 0, the padding, and the rest classes 1 and 2."""
    pad = round(1000 * share)
    truth = np.concatenate([np.zeros(pad, int), 1 + np.arange(1000 - pad) % 2])
    known = np.concatenate([np.arange(pad) < of_frequent * pad, np.zeros(1000 - pad, bool)])
    known[pad:] = np.arange(1000 - pad) < found * (1000 - pad)
    said = np.where(known, truth, (truth + 1) % 3)
    outputs = np.eye(3)[said].reshape(100, 10, 3).transpose(0, 2, 1)
    case = Case(record=record({"loss": [1.0, 0.1]}))
    made = performance(truth.reshape(100, 10), outputs, answers=Answers("classes"))
    case.__dict__.update(performance=made, labels=None)
    return case


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (padded(0.92, 0.4), True),
        (padded(0.90, 0.4), False),
        (padded(0.92, 0.6), False),
        (padded(0.92, 0.3, 0.5), False),
    ],
)
def test_a_class_that_most_tokens_have(case: Case, is_found: bool) -> None:
    assert told(dominance, case) == ([("RG306", "warning")] if is_found else [])


def test_how_much_of_all_others_is_recognized_is_told() -> None:
    found = only(dominance, padded(0.95, 0.2)).evidence
    assert found.text == (
        "95% of the answers are class 0; the model recognizes 20% of all others, against 100%."
    )


@pytest.mark.parametrize(("outcome", "severity"), [("badly", "warning"), ("well", "note")])
def test_what_neighbors_may_be_wrong_about_is_a_note_if_the_run_ended_well(
    outcome: str, severity: str
) -> None:
    said = valued(X[:60], NOISE[:60])
    said.__dict__["outcome"] = outcome
    assert told(numbers_disagree, said) == [("RG307", severity)]
    # That the labels of the training rows are worse than others is no opinion of theirs.
    swapped = labelled(clusters(1000, 200), clusters(100, seed=1))
    swapped.__dict__["outcome"] = outcome
    assert told(classes_disagree, swapped) == [("RG307", "warning")]
