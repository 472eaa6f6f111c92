"""The learning curve: losses that do not fall, begin late, stop, or were still falling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import BAD, GOOD, epoch_losses, losses, only, record, told

from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.checks.progress import not_falling, plateau, slow_start, stopped_early


def run(loss: Any, *epochs: float) -> Case:
    return Case(record=record({"loss": loss}, epochs=epoch_losses(epochs)))


@pytest.mark.parametrize(
    ("loss", "is_found"),
    [
        (losses(40, 0.975), True),
        (losses(40, 0.965), False),
        (losses(40, 1.5), True),
        (losses(20, 0.975), True),
        (losses(19, 0.975), False),
        (np.where(np.arange(40) == 39, np.nan, 1.0), False),
    ],
)
def test_a_loss_that_loses_less_than_3_percent(loss: Any, is_found: bool) -> None:
    assert told(not_falling, run(loss)) == ([("RG206", "error")] if is_found else [])


@pytest.mark.parametrize(
    ("middle", "is_found"), [(1.0, True), (1.02, True), (1.04, False), (0.96, False)]
)
def test_a_loss_without_right_answers_stands_still(middle: float, is_found: bool) -> None:
    """That of a generator ends where it began, and moves in between."""
    loss = np.ones(60)
    loss[20:40] = middle
    case = run(loss)
    case.__dict__["lacks_answers"] = True
    assert bool(told(not_falling, case)) == is_found


def test_the_first_and_the_last_loss_are_told() -> None:
    loss = losses(40, 0.99)
    loss[-2:] = 0.98, 1.0  # a twentieth
    loss[:2] = 1.02, 1.0
    found = only(not_falling, run(loss)).evidence
    assert found.text == "The loss is 1.02 in the first step and 0.99 in the last."
    assert found.numbers == pytest.approx({"first": 1.02, "last": 0.99})
    assert found.steps == (1, 40)


def test_the_last_loss_is_the_mean_of_a_twentieth_of_the_steps() -> None:
    for steps, last in ((38, 1.0), (40, 0.99)):
        loss = np.full(steps, 0.98)
        loss[-1] = 1.0
        found = only(not_falling, run(loss)).evidence
        assert found.numbers == pytest.approx({"first": 0.98, "last": last})


def late(begins: int, steps: int = 100, end: float = 0.5) -> np.ndarray[Any, Any]:
    """A loss of 1 until step `begins`, then a straight fall to `end`."""
    loss = np.ones(steps)
    loss[begins:] = np.linspace(1.0, end, steps - begins)
    return loss


@pytest.mark.parametrize(
    ("loss", "is_found"),
    [
        (late(40), True),
        (late(0), False),
        (late(40, steps=100, end=0.91), False),  # a fall of 9 % is none
        (late(40, steps=100, end=0.89), True),
        (late(25, steps=50), True),
        (late(25, steps=49), False),
    ],
)
def test_a_loss_that_begins_to_fall_late(loss: Any, is_found: bool) -> None:
    assert told(slow_start, run(loss)) == ([("RG207", "note")] if is_found else [])


@pytest.mark.parametrize(("fallen", "is_found"), [(0.024, True), (0.026, False)])
def test_a_twentieth_of_the_fall_within_the_first_fifth(fallen: float, is_found: bool) -> None:
    loss = np.full(100, 1.0 - fallen)  # the whole fall is 0.5
    loss[:10] = 1.0
    loss[50:] = 0.5
    assert bool(slow_start(run(loss))) == is_found


def test_the_fifth_ends_with_the_step_after_it() -> None:
    """The curve is a mean over five steps, so that one of five is a fifth of the fall."""
    for begins, is_found in ((20, False), (21, True)):
        loss = np.ones(100)
        loss[begins:] = 0.5
        assert bool(slow_start(run(loss))) == is_found


@pytest.mark.parametrize(("first", "is_found"), [(0.0251, True), (0.0257, False), (0.05, False)])
def test_the_fall_is_measured_from_the_first_step(first: float, is_found: bool) -> None:
    """A twentieth of the whole fall, which is 0.483 + `first`."""
    loss = late(40)
    loss[0] += first
    found = slow_start(run(loss))
    assert bool(found) == is_found
    for each in found:
        assert each.evidence.text == "The loss stayed at 1.025 until about step 42."
        assert each.evidence.numbers == pytest.approx({"loss": 1.0251})


def test_the_fall_begins_where_a_twentieth_of_it_is_made() -> None:
    """The mean of five steps lags two behind: 3 / 59 of the fall in the sixth step of it."""
    assert only(slow_start, run(late(40))).evidence.steps == (1, 46)


def test_where_the_fall_begins_is_told() -> None:
    loss = np.full(100, 2.0)
    loss[60:] = 1.0
    found = only(slow_start, run(loss)).evidence
    assert found.text == "The loss stayed at 2 until about step 61."
    assert found.steps == (1, 61)
    assert found.numbers == {"loss": 2.0}


def flat(middle: float, end: float, steps: int = 100) -> np.ndarray[Any, Any]:
    loss = np.ones(steps)
    loss[steps // 4 :] = middle
    loss[3 * steps // 4 :] = end
    return loss


def ended(loss: np.ndarray[Any, Any], last: float) -> np.ndarray[Any, Any]:
    """With another loss in the last step: a fifth of what the curve's last value is."""
    return np.append(loss[:-1], last)


@pytest.mark.parametrize(
    ("loss", "is_found"),
    [
        (np.where(np.arange(100) < 40, 1.0, 0.6), True),
        (ended(flat(0.6, 0.6), 0.56), False),  # 1.33 %
        (ended(flat(0.335, 0.335), 0.3235), False),  # 0.3327 of 1
        (flat(0.0, 0.9), False),
        (flat(0.6, 0.5945), True),  # 0.92 %
        (flat(0.6, 0.5935), False),  # 1.08 %
        (flat(0.6, 0.6055), True),
        (flat(0.6, 0.6065), False),
        (flat(0.34, 0.34), True),
        (flat(0.33, 0.33), False),  # less than a third is left
        (flat(0.975, 0.975), False),  # a fall of 2.5 % is RG206
        (flat(0.965, 0.965), True),
        (flat(0.6, 0.6, steps=50), True),
        (flat(0.6, 0.6, steps=49), False),
        (flat(-0.6, -0.6), False),
        (np.where(np.arange(100) == 99, np.nan, flat(0.6, 0.6)), False),
    ],
)
def test_a_second_half_that_brings_nothing(loss: Any, is_found: bool) -> None:
    assert told(plateau, run(loss)) == ([("RG208", "note")] if is_found else [])


def test_a_third_of_the_first_loss() -> None:
    for first, is_found in ((1.01, True), (1.03, False)):
        loss = flat(0.34, 0.34)
        loss[0] = first
        assert bool(plateau(run(loss))) == is_found


def test_the_middle_and_the_end_are_told() -> None:
    found = only(plateau, run(ended(flat(0.6, 0.599), 0.594))).evidence
    assert found.text == "The loss is 0.6 in the middle of the run and 0.598 at its end."
    assert found.steps == (51, 100)
    assert found.numbers == pytest.approx({"middle": 0.6, "last": 0.598})


def test_the_curve_is_a_mean_over_a_twentieth_of_the_steps() -> None:
    for steps, width in ((50, 2), (59, 2), (60, 3), (62, 3)):
        loss = flat(0.6, 0.6, steps)
        loss[-3:] = 0.603, 0.602, 0.6
        found = only(plateau, run(loss)).evidence
        assert found.numbers["last"] == pytest.approx(np.mean(loss[-width:]))


EIGHT = [2.0, 1.8, 1.6, 1.4, 1.3, 1.2]


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (run(losses(40, BAD), *EIGHT, 1.1, 1.0), [("RG216", "warning")]),
        (run(losses(40, GOOD), *EIGHT, 1.1, 1.0), [("RG216", "note")]),
        (run(losses(40, BAD), *EIGHT, 1.15, 1.105), [("RG216", "warning")]),  # 0.095 of 0.895
        (run(losses(40, BAD), *EIGHT, 1.15, 1.115), []),  # 0.085 of 0.885
        (run(losses(40, BAD), *EIGHT, 1.0, 1.1), [("RG216", "warning")]),
        (run(losses(40, BAD), *EIGHT[:-1], 1.0, 1.1, 1.1), []),  # the least is behind
        (run(losses(40, BAD), 2.0, 1.8, 1.6, 1.4), [("RG216", "warning")]),
        (run(losses(40, GOOD), 2.0, 1.8, 1.6), []),
        (run(losses(40, BAD), 2.0, np.nan, 1.6, 1.4), []),
        (run(losses(40, BAD), 2.01, 2.0, 2.0, 2.0, 2.0, 2.0, 1.99, 1.95), []),  # 0.05 of 2
        (run(losses(40, BAD), 2.01, 2.0, 2.0, 2.0, 2.0, 2.0, 1.97, 1.93), [("RG216", "warning")]),
        # 3.4 % of the last loss, whatever the losses of other epochs are.
        (run(losses(40, BAD), *[1.25] * 2, *[1.04] * 3, 1.034, 1.2, 1.0), [("RG216", "warning")]),
        # The least is in the ninth of twelve epochs, or in the tenth, or in the eleventh.
        (run(losses(40, BAD), 2.0, *[1.5] * 8, 1.0, 1.2, 1.2), []),
        (run(losses(40, BAD), 2.0, *[1.5] * 9, 1.0, 1.2), [("RG216", "warning")]),
    ],
)
def test_a_validation_loss_that_was_still_falling(case: Case, expected: list[Any]) -> None:
    assert told(stopped_early, case) == expected


def test_of_few_epochs_the_steps_are_asked() -> None:
    falling = np.linspace(1.0, 0.75, 40)
    assert told(stopped_early, run(falling)) == [("RG216", "warning")]
    assert told(stopped_early, run(falling, 1.0, 1.0, 1.0)) == [("RG216", "warning")]
    assert told(stopped_early, run(np.linspace(1.0, 0.75, 20))) == [("RG216", "warning")]
    assert told(stopped_early, run(np.linspace(1.0, 0.75, 19))) == []
    assert told(stopped_early, run(np.linspace(1.0, 0.2, 40))) == []  # it came out well


def test_what_the_last_quarter_brought_is_told() -> None:
    found = only(stopped_early, run(losses(40, BAD), *EIGHT, 1.1, 1.0)).evidence
    assert found.text == (
        "In the last 2 of 8 epochs the loss fell from 1.2 to 1, 20% of its whole fall."
    )
    assert found.numbers == pytest.approx({"share": 0.2})
    doubled = run(losses(40, BAD), *np.multiply(2, [*EIGHT, 1.1, 1.0]))
    assert only(stopped_early, doubled).evidence.text.endswith(" to 2, 20% of its whole fall.")
    assert only(stopped_early, doubled).evidence.numbers == pytest.approx({"share": 0.2})
    assert (
        " of 40 steps the loss" in only(stopped_early, run(np.linspace(1, 0.75, 40))).evidence.text
    )


@pytest.mark.parametrize("epochs", [4, 7, 8, 11, 12])
def test_a_quarter_of_the_epochs_is_rounded_down(epochs: int) -> None:
    found = only(stopped_early, run(losses(40, BAD), *np.linspace(2, 1, epochs))).evidence
    assert found.text.startswith(f"In the last {epochs // 4} of {epochs} epochs")
    assert found.numbers["share"] == pytest.approx((epochs // 4) / (epochs - 1))


@pytest.mark.parametrize(("steps", "least"), [(38, 0.75), (39, 0.75), (40, 0.755), (41, 0.755)])
def test_the_least_loss_of_steps_is_a_mean_over_a_twentieth(steps: int, least: float) -> None:
    """Of 38 steps one, of 40 two."""
    loss = np.r_[np.linspace(1.0, 0.77, steps - 2), 0.76, 0.75]
    assert f" to {least:.4g}, " in only(stopped_early, run(loss)).evidence.text
