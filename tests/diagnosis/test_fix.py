"""A fix keeps what is shown to help, and nothing else; it says what was tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from retrograd import nn, optim
from retrograd.diagnosis.catalogue import finding
from retrograd.diagnosis.finding import Finding, Remedy
from retrograd.diagnosis.fix import fix
from retrograd.diagnosis.remedies.program import Program, Samples
from retrograd.diagnosis.remedies.trials import (
    FixInterrupted,
    FixProgress,
    Scored,
    Trial,
    bounded,
    try_remedies,
)

SEEDS = (0, 1, 2)


def _found(code: str = "RG201") -> Finding:
    return finding(code, "as it was seen")


def _tried(scores: dict[str, float], noise: float = 0.0, **options: Any) -> Any:
    """Subjects are names; each scores its number, and by seed a little more or less."""
    calls: list[tuple[str, int]] = []

    def ways(found: Finding, remedy: Remedy) -> list[tuple[str, str]]:
        return [(name, name) for name in scores if name.startswith(remedy.change)]

    def train(subject: str, seed: int) -> Scored:
        calls.append((subject, seed))
        wobble = noise * (seed - 1) * (1 if subject == "untouched" else -1)
        return Scored(scores[subject] + wobble, scores[subject] + wobble)

    options = {"random": None, "seeds": SEEDS, "tries": 3, **options}
    found = try_remedies("untouched", options.pop("findings", [_found()]), ways, train, **options)
    return found, calls


def test_what_helps_is_kept_and_the_rest_not_tried() -> None:
    scores = {"untouched": 0.1, "lower_learning_rate": 0.9, "clip_gradients": 0.95}
    found, calls = _tried(scores)
    assert found.subject == "lower_learning_rate"
    assert found.kept is found.trials[0]
    assert found.kept.gain == pytest.approx(0.8)
    assert {subject for subject, _ in calls} == {"untouched", "lower_learning_rate"}
    assert [seed for subject, seed in calls if subject == "untouched"] == [0, 1, 2]


def test_a_gain_within_the_spread_between_seeds_does_not_count() -> None:
    """The gain is 0.1; by seed it is 0.1 more, as much, and 0.1 less."""
    scores = {"untouched": 0.5, "lower_learning_rate": 0.59}
    noisy, _ = _tried(scores, noise=0.05)
    assert noisy.kept is None
    assert noisy.subject == "untouched"
    assert noisy.trials[0].spread == pytest.approx(0.1)
    assert "no remedy beat the spread" in str(noisy)
    assert _tried(scores, noise=0.03)[0].subject == "lower_learning_rate"


def test_the_next_remedy_is_tried_where_the_first_does_not_help() -> None:
    scores = {"untouched": 0.5, "lower_learning_rate": 0.4, "clip_gradients": 0.5, "warmup": 0.8}
    found, _ = _tried(scores)
    assert [trial.change for trial in found.trials] == list(scores)[1:]
    assert found.subject == "warmup"
    assert _tried(scores, tries=2)[0].subject == "untouched"


def test_of_several_ways_the_best_on_the_validation_examples_goes_on() -> None:
    scores = {"untouched": 0.1, "lower_learning_rate a": 0.3, "lower_learning_rate b": 0.7}
    found, calls = _tried(scores)
    assert found.subject == "lower_learning_rate b"
    assert calls.count(("lower_learning_rate a", 0)) == 1
    assert ("lower_learning_rate a", 1) not in calls


def test_a_random_change_has_the_same_budget_and_is_never_kept() -> None:
    def other(besides: str) -> list[tuple[str, str]]:
        assert besides == "lower_learning_rate"
        return [("other", "other")]

    scores = {"untouched": 0.1, "lower_learning_rate": 0.5, "other": 0.9}
    found, calls = _tried(scores, random=other)
    assert found.subject == "lower_learning_rate"
    assert found.random.after == (0.9, 0.9, 0.9)
    assert [seed for subject, seed in calls if subject == "other"] == [0, 1, 2]
    assert "For comparison, a random change: other helps" in str(found)


def test_notes_are_not_mended_and_what_a_person_must_do_is_told() -> None:
    found, calls = _tried({"untouched": 0.1}, findings=[_found("RG208"), _found("RG405")])
    assert calls == []
    assert [f.code for f, _ in found.by_hand] == ["RG405"]
    assert "by hand: Give outputs and targets the same shape" in str(found)
    nothing, _ = _tried({"untouched": 0.1}, findings=[])
    assert str(nothing) == "Found nothing to fix."


def test_progress_counts_to_its_end() -> None:
    seen: list[FixProgress] = []
    scores = {"untouched": 0.5, "lower_learning_rate": 0.4, "clip_gradients": 0.9}
    _tried(scores, progress=seen.append)
    assert [each.done for each in seen[:-1]] == list(range(9))
    assert seen[-1].done == seen[-1].most == 9
    assert seen[0].seconds_left is None
    assert all(each.seconds_left is not None for each in seen[1:])


def test_a_score_that_is_none_is_as_bad_as_can_be() -> None:
    assert bounded(float("nan"), -1) == bounded(-1e9, -1) == -1
    assert bounded(0.3, -1) == 0.3
    trial = Trial("x", (-1.0, -1.0), (0.8, 0.7))
    assert trial.helped


# Real programs ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def healthy() -> Program:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6)).astype(np.float32)
    y = (x[:, 0] - 0.5 * x[:, 1] * x[:, 2]).astype(np.float32)
    parts = [Samples(x[a:b], y[a:b]) for a, b in ((0, 240), (240, 320), (320, 400))]
    return Program(
        model=lambda: nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 1)),
        loss=lambda output, target: nn.mse_loss(output[:, 0], target),
        train=parts[0],
        valid=parts[1],
        test=parts[2],
        task="regression",
        options={"lr": 1e-2},
        epochs=12,
        batch_size=16,
    )


def test_a_learning_rate_that_is_too_high_is_found_and_mended(healthy: Program) -> None:
    faulty = replace(healthy, optimizer=optim.SGD, options={"lr": 3.0})
    found = fix(faulty, seeds=(0, 1), beside_random=False)
    assert found.kept is not None
    assert found.kept.finding is not None
    assert found.subject.options["lr"] < 0.5
    assert np.mean(found.scores) > 0.9 * healthy.run(0).score
    assert faulty.options == {"lr": 3.0}
    assert "helps" in str(found)


def test_a_healthy_program_is_left_alone(healthy: Program) -> None:
    found = fix(healthy, seeds=(0, 1), beside_random=False)
    assert found.subject is healthy or found.kept is not None
    errors = [
        trial for trial in found.trials if trial.finding and trial.finding.severity == "error"
    ]
    assert errors == []


def test_what_a_graver_finding_wants_lowered_is_not_raised() -> None:
    """A loss that diverges does not fall either; to raise the learning rate would be absurd."""
    scores = {"untouched": 0.5, "lower_learning_rate": 0.4, "raise_learning_rate": 0.9}
    found, calls = _tried(scores, findings=[_found("RG201"), _found("RG206")])
    assert [trial.change for trial in found.trials] == ["lower_learning_rate"]
    assert found.by_hand == []
    assert "raise_learning_rate" not in {subject for subject, _ in calls}
    mild = replace(_found("RG202"), severity="warning")
    found, _ = _tried(scores, findings=[mild, _found("RG206")])
    assert [trial.change for trial in found.trials] == list(scores)[1:]


# Ctrl-C -------------------------------------------------------------------------------------------


def _stopped_in(subject: str, seed: int, scores: dict[str, float], **options: Any) -> Any:
    """What is known when Ctrl-C comes while `subject` trains with `seed`."""

    def ways(found: Finding, remedy: Remedy) -> list[tuple[str, str]]:
        return [(remedy.change, remedy.change)] if remedy.change in scores else []

    def train(changed: str, with_seed: int) -> Scored:
        if (changed, with_seed) == (subject, seed):
            raise KeyboardInterrupt
        return Scored(scores[changed], scores[changed])

    options = {"random": None, "seeds": SEEDS, "tries": 3, **options}
    with pytest.raises(FixInterrupted) as stop:
        try_remedies("untouched", [_found()], ways, train, **options)
    return stop.value.so_far


def test_ctrl_c_keeps_whole_trials_and_no_part_of_another() -> None:
    scores = {"untouched": 0.5, "lower_learning_rate": 0.4, "clip_gradients": 0.9}
    assert issubclass(FixInterrupted, KeyboardInterrupt)
    at_once = _stopped_in("untouched", 1, scores)
    assert (at_once.trials, at_once.scores, at_once.kept) == ([], (), None)
    second = _stopped_in("clip_gradients", 2, scores)
    assert [trial.change for trial in second.trials] == ["lower_learning_rate"]
    assert second.subject == "untouched"
    for found in (at_once, second):
        assert found.interrupted
        assert "Interrupted before all remedies were tried" in str(found)
        assert "no remedy beat" not in str(found)


def test_what_had_helped_before_ctrl_c_stays() -> None:
    scores = {"untouched": 0.1, "lower_learning_rate": 0.9, "other": 0.2}
    found = _stopped_in("other", 0, scores, random=lambda besides: [("other", "other")])
    assert found.kept is found.trials[0]
    assert found.subject == "lower_learning_rate"
    assert found.random is None
    assert "Kept: lower_learning_rate." in str(found)
