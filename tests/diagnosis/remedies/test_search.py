"""What is shown to help is kept and the next remedy tried on top of it, within the budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.remedies.search import try_remedies
from retrograd.diagnosis.remedies.trials import (
    Fix,
    FixInterrupted,
    FixProgress,
    Scored,
    Trial,
    bounded,
)

SEEDS = (0, 1, 2)

Made = tuple[str, ...]  # a subject: the changes made to it, in their order


def _found(*codes: str) -> list[Finding]:
    return [finding(code, "as it was seen") for code in codes]


def _tried(
    gains: Mapping[str, float],
    findings: Sequence[Finding] | None = None,
    *,
    left: Callable[[Made], Sequence[Finding]] | None = None,
    noise: float = 0.0,
    stop: tuple[str, int] | None = None,
    **options: Any,
) -> tuple[Fix[Made], list[tuple[Made, int]]]:
    """A subject's score is the sum of the gains of its changes, by seed a little more or less.

    `gains` holds the changes that can be made, by remedy and variant. After a training `left` is
    found; by default what was found at first, without those that a change was made for.
    """
    calls: list[tuple[Made, int]] = []
    first = _found("RG201") if findings is None else list(findings)

    def apply(subject: Made, found: Finding, remedy: Remedy) -> list[tuple[str, Made]]:
        names = [name for name in gains if name.split()[0] == remedy.change]
        return [(name, (*subject, name)) for name in names]

    def remaining(subject: Made) -> Sequence[Finding]:
        done = {name.split()[0] for name in subject}
        return [each for each in first if not done & {remedy.change for remedy in each.remedies}]

    def train(subject: Made, seed: int) -> Scored:
        if stop == ("; ".join(subject), seed):
            raise KeyboardInterrupt
        calls.append((subject, seed))
        wobble = noise * (seed - 1) * (-1 if subject else 1)
        score = sum(gains[name] for name in subject) + wobble
        return Scored(score, score, lambda: (left or remaining)(subject))

    options = {"random": None, "seeds": SEEDS, "budget": 60, **options}
    return try_remedies((), first, apply, train, **options), calls


def test_what_helps_is_kept_and_the_rest_not_tried_if_nothing_is_wrong_then() -> None:
    found, calls = _tried({"lower_learning_rate": 0.8, "clip_gradients": 0.9})
    assert found.subject == ("lower_learning_rate",)
    assert [trial.gain for trial in found.kept] == [pytest.approx(0.8)]
    assert {subject for subject, _ in calls} == {(), ("lower_learning_rate",)}
    assert [seed for subject, seed in calls if subject == ()] == [0, 1, 2]


def test_remedies_add_up_where_several_faults_stand_together() -> None:
    gains = {"lower_learning_rate": 0.3, "scale_inputs": 0.2, "add_activation": -0.1}
    found, _ = _tried(gains, _found("RG201", "RG301", "RG109"))
    assert found.subject == ("lower_learning_rate", "scale_inputs")
    assert [trial.change for trial in found.trials] == list(gains)
    last = found.trials[-1]
    assert last.before == (pytest.approx(0.5),)  # what had been kept, not the original
    assert "Kept: lower_learning_rate; scale_inputs." in str(found)


def test_a_gain_within_the_spread_between_seeds_does_not_count() -> None:
    """The gain is 0.09; by seed it is 0.1 more, as much, and 0.1 less."""
    noisy, _ = _tried({"lower_learning_rate": 0.09}, noise=0.05)
    assert noisy.kept == []
    assert noisy.subject == ()
    assert noisy.trials[0].spread == pytest.approx(0.1)
    assert "no remedy beat the spread" in str(noisy)
    assert _tried({"lower_learning_rate": 0.09}, noise=0.03)[0].kept


def test_what_gains_nothing_with_the_first_seed_is_not_trained_with_the_others() -> None:
    gains = {"lower_learning_rate": -0.1, "clip_gradients": 0.0, "warmup": 0.3}
    found, calls = _tried(gains)
    assert [trial.change for trial in found.trials] == list(gains)
    assert found.subject == ("warmup",)
    assert [seed for subject, seed in calls if subject == ("clip_gradients",)] == [0]
    assert "with one seed" in str(found.trials[0])


def test_the_budget_counts_trainings() -> None:
    gains = {"lower_learning_rate": 0.0, "clip_gradients": 0.0, "warmup": 0.3}
    assert _tried(gains, budget=8)[0].subject == ("warmup",)
    short, calls = _tried(gains, budget=7)
    assert short.subject == ()
    assert len(calls) == 5
    none, calls = _tried(gains, budget=5)
    assert none.trials == []


def test_a_certain_fault_is_mended_without_a_gain() -> None:
    gains = {"remove_output_activation": 0.0, "raise_learning_rate": 0.4}
    found, _ = _tried(gains, _found("RG403", "RG203"))
    assert found.subject == tuple(gains)
    assert [trial.mends for trial in found.trials] == [True, False]
    assert "mends the fault" in str(found.trials[0])


def test_a_certain_fault_that_is_not_mended_or_costs_score_is_left() -> None:
    stays, _ = _tried({"remove_output_activation": 0.0}, left=lambda _: _found("RG403"),
                      findings=_found("RG403"))  # fmt: skip
    assert stays.kept == []
    costs, _ = _tried({"remove_output_activation": -0.2}, _found("RG403"))
    assert costs.kept == []
    # A leak made the score look better than it is.
    leaks, _ = _tried({"drop_column": -0.2}, _found("RG305"))
    assert leaks.subject == ("drop_column",)


def test_what_mends_a_certain_fault_is_tried_again_once_another_is_mended() -> None:
    """Without the activation the loss diverges until the rate is lowered."""
    kinds = ("remove_output_activation", "lower_learning_rate", "larger_model")
    found_first = _found("RG403", "RG201", "RG503")

    def apply(subject: Made, found: Finding, remedy: Remedy) -> list[tuple[str, Made]]:
        return [(remedy.change, (*subject, remedy.change))] if remedy.change in kinds else []

    def train(subject: Made, seed: int) -> Scored:
        scores = {(): 0.0, kinds[:1]: -1.0, kinds[1:2]: 0.4, (kinds[1], kinds[0]): 0.9}
        score = scores.get(subject, -0.5)
        left = [each for each in found_first if not {r.change for r in each.remedies} & {*subject}]
        return Scored(score, score, lambda: left)

    found = try_remedies((), found_first, apply, train, random=None, seeds=SEEDS, budget=30)
    assert found.subject == (kinds[1], kinds[0])
    assert [trial.change for trial in found.trials][:3] == [kinds[0], kinds[1], kinds[0]]


def test_certain_faults_come_first_and_then_what_was_starved() -> None:
    gains = {"larger_model": -1.0, "more_epochs": -1.0, "match_shapes": -1.0, "adam": -1.0}
    found, _ = _tried(gains, _found("RG503", "RG216", "RG405"))
    changes = [trial.change for trial in found.trials]
    assert changes[:3] == ["match_shapes", "more_epochs", "larger_model"]
    slow, *_ = _found("RG216")
    follows = [*_found("RG503"), replace(slow, follows_from=("RG503",))]
    assert _tried(gains, follows)[0].trials[0].change == "larger_model"


def test_first_remedies_are_tried_together_where_none_gains_alone() -> None:
    found_first = _found("RG301", "RG302")
    gains = {"scale_inputs": 0.0, "scale_target": 0.0, "add_normalization": 0.0}

    def apply(subject: Made, found: Finding, remedy: Remedy) -> list[tuple[str, Made]]:
        return [(remedy.change, (*subject, remedy.change))] if remedy.change in gains else []

    def train(subject: Made, seed: int) -> Scored:
        return Scored(float(len(subject) == 2), float(len(subject) == 2), lambda: [])

    found = try_remedies((), found_first, apply, train, random=None, seeds=SEEDS, budget=20)
    assert [trial.change for trial in found.trials] == [
        "scale_inputs", "scale_target", "scale_inputs; scale_target",
    ]  # fmt: skip
    assert found.subject == ("scale_inputs", "scale_target")


def test_of_several_ways_the_best_on_the_validation_examples_goes_on() -> None:
    found, calls = _tried({"lower_learning_rate a": 0.3, "lower_learning_rate b": 0.7})
    assert found.subject == ("lower_learning_rate b",)
    assert calls.count((("lower_learning_rate a",), 0)) == 1
    assert (("lower_learning_rate a",), 1) not in calls


def test_a_random_change_has_the_same_seeds_and_is_never_kept() -> None:
    def other(besides: str) -> list[tuple[str, Made]]:
        assert besides == "lower_learning_rate"
        return [("other", ("other",))]

    found, calls = _tried({"lower_learning_rate": 0.5, "other": 0.9}, random=other)
    assert found.subject == ("lower_learning_rate",)
    assert found.random is not None
    assert found.random.before == (0.0, 0.0, 0.0)
    assert found.random.after == (0.9, 0.9, 0.9)
    assert [seed for subject, seed in calls if subject == ("other",)] == [0, 1, 2]
    assert "For comparison, a random change: other helps" in str(found)


def test_notes_are_not_mended_and_what_a_person_must_do_is_told() -> None:
    found, calls = _tried({}, _found("RG208", "RG308"))
    assert calls == []
    assert [f.code for f, _ in found.by_hand] == ["RG308"]
    assert "by hand: Check how the target is read" in str(found)
    assert str(_tried({}, [])[0]) == "Found nothing to fix."


def test_what_its_user_cannot_do_is_not_offered() -> None:
    found, _ = _tried({}, _found("RG308", "RG409"), can_do=lambda f, remedy: f.code == "RG308")
    assert [f.code for f, _ in found.by_hand] == ["RG308"]


def test_what_a_graver_finding_wants_lowered_is_not_raised() -> None:
    """A loss that diverges does not fall either; to raise the learning rate would be absurd."""
    gains = {"lower_learning_rate": -0.1, "raise_learning_rate": 0.4}
    found, calls = _tried(gains, _found("RG201", "RG206"))
    assert [trial.change for trial in found.trials] == ["lower_learning_rate"]
    assert found.by_hand == []
    assert not any("raise_learning_rate" in subject for subject, _ in calls)
    mild = replace(_found("RG202")[0], severity="warning")
    found, _ = _tried(gains, [mild, *_found("RG206")])
    assert [trial.change for trial in found.trials][:2] == list(gains)


def test_a_remedy_that_makes_the_training_fail_is_no_remedy() -> None:
    gains = {"lower_learning_rate": 0.5, "clip_gradients": 0.3}

    def apply(subject: Made, found: Finding, remedy: Remedy) -> list[tuple[str, Made]]:
        if remedy.change == "warmup":
            raise ValueError("there is no such layer")
        return [(remedy.change, (*subject, remedy.change))] if remedy.change in gains else []

    def train(subject: Made, seed: int) -> Scored:
        if "lower_learning_rate" in subject:
            raise ValueError("shapes do not meet")
        score = sum(gains[name] for name in subject)
        return Scored(score, score, list)

    found = try_remedies((), _found("RG201"), apply, train, random=None, seeds=SEEDS, budget=20)
    assert [trial.change for trial in found.trials] == list(gains)
    assert found.subject == ("clip_gradients",)


def test_progress_counts_to_its_end() -> None:
    seen: list[FixProgress] = []
    _tried({"lower_learning_rate": -0.1, "clip_gradients": 0.9}, progress=seen.append)
    assert [each.done for each in seen[:-1]] == list(range(7))
    assert seen[-1].done == seen[-1].most == 7
    assert seen[0].seconds_left is None
    assert all(each.seconds_left is not None for each in seen[1:])


def test_a_score_that_is_none_is_as_bad_as_can_be() -> None:
    assert bounded(float("nan"), -1) == bounded(-1e9, -1) == -1
    assert bounded(0.3, -1) == 0.3
    assert Trial("x", (-1.0, -1.0), (0.8, 0.7)).helped


def _stopped(stop: tuple[str, int], gains: Mapping[str, float], **options: Any) -> Fix[Made]:
    with pytest.raises(FixInterrupted) as stopped:
        _tried(gains, stop=stop, **options)
    return stopped.value.so_far


def test_ctrl_c_keeps_whole_trials_and_no_part_of_another() -> None:
    gains = {"lower_learning_rate": -0.1, "clip_gradients": 0.9}
    assert issubclass(FixInterrupted, KeyboardInterrupt)
    at_once = _stopped(("", 1), gains)
    assert (at_once.trials, at_once.scores, at_once.kept) == ([], (), [])
    second = _stopped(("clip_gradients", 2), gains)
    assert [trial.change for trial in second.trials] == ["lower_learning_rate"]
    assert second.subject == ()
    for found in (at_once, second):
        assert found.interrupted
        assert "Interrupted before all remedies were tried" in str(found)
        assert "no remedy beat" not in str(found)


def test_what_had_helped_before_ctrl_c_stays() -> None:
    gains = {"lower_learning_rate": 0.9, "other": 0.2}
    found = _stopped(("other", 0), gains, random=lambda besides: [("other", ("other",))])
    assert found.kept == found.trials
    assert found.subject == ("lower_learning_rate",)
    assert found.random is None
    assert "Kept: lower_learning_rate." in str(found)
