"""Learning rates that are too high or too low, for the run and for single layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import BAD, GOOD, losses, only, record, told, weights

from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.checks.updates import per_layer, relative_updates, too_high, too_low

NAN = np.nan


def updating(loss: Any, ratio: Any = 1e-3, norm: float = 2.0, rate: float = 0.5) -> Case:
    """One matrix, of which each step changes the share `ratio`."""
    series = {
        "loss": loss,
        "learning_rate": rate,
        ("update_norm", "0.weight"): np.multiply(ratio, norm),
        ("weight_norm", "0.weight"): norm,
    }
    return Case(record=record(series, parameters=[weights("0.weight")]))


def test_updates_are_of_all_matrices_together_that_are_trained() -> None:
    parameters = [
        weights("a.weight"),
        weights("b.weight"),
        weights("c.weight", trained=False),
        weights("d.weight", optimized=False),
        weights("e.bias", (16,)),
    ]
    series: dict[Any, Any] = {"loss": [1.0, 1.0]}
    for place, each in enumerate(parameters):
        series["update_norm", each.name] = [[3.0, 4.0, 9.0, 9.0, 9.0][place], NAN]
        series["weight_norm", each.name] = [6.0 if place == 0 else 8.0, 1.0]
    ratios = relative_updates(Case(record=record(series, parameters=parameters)))
    assert ratios == pytest.approx([0.5, 0.0])


def diverged(early: float, top: float = 1.0, steps: int = 40) -> Case:
    loss = np.full(steps, 1.0)
    loss[20:23] = top
    loss[-1] = NAN
    return updating(loss, np.where(np.arange(steps) < 3, early, 1e-3))


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (diverged(0.029), []),
        (diverged(0.031), ["RG201"]),
        (diverged(0.001, top=2.9), []),
        (diverged(0.001, top=3.1), ["RG201"]),
        (diverged(0.5, steps=10), ["RG201"]),
        (updating([*[1.0] * 8, NAN], 0.5), []),  # of nine steps nothing is said
    ],
)
def test_a_loss_that_is_lost_is_due_to_large_steps_or_to_what_came_before(
    case: Case, expected: list[str]
) -> None:
    assert [each.code for each in too_high(case)] == expected


def ending(end: float, quarter: float, steps: int = 40) -> Case:
    """`quarter` in most of the last quarter, `end` in the last twentieth."""
    loss = np.full(steps, 1.0)
    loss[-steps // 4 :] = quarter
    loss[-steps // 20 :] = end
    return updating(loss)


@pytest.mark.parametrize(
    ("end", "quarter", "is_found"),
    [(1.51, 1.21, True), (1.49, 1.21, False), (1.51, 1.19, False)],
)
def test_a_loss_that_ends_above_its_start(end: float, quarter: float, is_found: bool) -> None:
    assert told(too_high, ending(end, quarter)) == ([("RG201", "error")] if is_found else [])


@pytest.mark.parametrize(
    ("steps", "last", "is_found"),
    [
        (19, [1.51], True),
        (39, [1.51], True),
        (40, [1.45, 1.53], False),
        (40, [1.47, 1.55], True),
        (40, [1.3] * 4 + [1.6] * 2, True),  # six of the last ten are above 1.2
        (40, [1.3] * 3 + [1.6] * 2, False),
    ],
)
@pytest.mark.parametrize("start", [1.0, 0.2, 5.0])
def test_a_loss_ends_with_a_twentieth_of_the_steps(
    steps: int, last: list[float], is_found: bool, start: float
) -> None:
    loss = np.ones(steps)
    if len(last) < 3:
        loss[-(steps // 4) :] = 1.21
    loss[-len(last) :] = last
    assert bool(too_high(updating(loss * start))) == is_found


def test_a_loss_starts_with_its_first_step() -> None:
    for first, is_found in ((1.1, False), (0.9, True)):
        loss = ending(1.5, 1.5)
        values = loss.losses.copy()
        values[0] = first
        assert bool(too_high(updating(values))) == is_found


def jumped(top: float, left: float, width: int = 3) -> Case:
    loss = losses(40, left) * 2
    loss[10 : 10 + width] = 2 * top
    return updating(loss)


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (jumped(3.05, BAD), True),
        (jumped(2.95, BAD), False),
        (jumped(3.05, GOOD), False),
        (jumped(9.0, BAD, width=1), False),  # a single batch may have rows that cost much
        (jumped(3.05, BAD, width=2), True),
    ],
)
def test_a_loss_of_three_times_its_start(case: Case, is_found: bool) -> None:
    assert told(too_high, case) == ([("RG201", "error")] if is_found else [])


def test_a_small_loss_and_one_of_0_may_rise_to_three_times_their_start() -> None:
    for top, is_found in ((3.05, True), (2.95, False)):
        small = updating(jumped(top, BAD).losses / 20)
        assert bool(too_high(small)) == is_found
    nothing = jumped(4.0, BAD).losses.copy()
    nothing[0] = 0.0
    assert told(too_high, updating(nothing)) == [("RG201", "error")]


def test_a_loss_that_was_lost_on_the_way_and_rose_is_told_of_a_good_run_too() -> None:
    for top, is_found in ((3.05, True), (2.95, False)):
        loss = jumped(top, GOOD).losses.copy()
        loss[20] = NAN
        assert bool(too_high(updating(loss))) == is_found


def test_what_the_loss_did_is_told() -> None:
    found = only(too_high, jumped(4.0, BAD)).evidence
    assert found.text == (
        "At a learning rate of 0.5 the loss rose from 2 to 8; the first steps moved the weights by "
        "0.1% each."
    )
    assert found.numbers == pytest.approx(
        {"learning_rate": 0.5, "update_ratio": 1e-3, "first_update_ratio": 1e-3, "largest": 8.0}
    )
    assert found.steps == (1, 40)
    lost = only(too_high, diverged(0.25)).evidence.text
    assert lost == (
        "At a learning rate of 0.5 the loss became infinite or NaN; the first steps moved the "
        "weights by 25.0% each."
    )
    unknown = updating([1.0] * 20 + [8.0] * 19 + [NAN], NAN, norm=0.0)
    assert only(too_high, unknown).evidence.text.endswith(
        "moved the weights beyond any finite value."
    )


def test_the_steps_of_the_second_half_and_the_first_three() -> None:
    half = np.arange(40) < 20
    late = updating(losses(40, BAD), np.where(half, 1e-3, 0.031))
    assert told(too_high, late) == [("RG202", "warning")]
    assert only(too_high, late).evidence.text == (
        "At a learning rate of 0.5 each step of the second half moved the weights by 3.1% of their "
        "size; a thousandth is usual."
    )
    assert told(too_high, updating(losses(40, BAD), np.where(half, 1e-3, 0.029))) == []
    assert told(too_high, updating(losses(40, GOOD), np.where(half, 1e-3, 0.031))) == []
    first = np.arange(40) < 3
    early = updating(losses(40, BAD), np.where(first, 0.21, 1e-3))
    assert told(too_high, early) == [("RG202", "warning")]
    assert only(too_high, early).evidence.text == (
        "At a learning rate of 0.5 the first steps moved the weights by 21% of their size; a "
        "thousandth is usual."
    )
    assert only(too_high, early).evidence.steps == (1, 40)
    assert told(too_high, updating(losses(40, BAD), np.where(first, 0.19, 1e-3))) == []
    assert told(too_high, updating(losses(40, GOOD), np.where(first, 0.21, 1e-3))) == []
    # The middle one of the first three.
    assert told(too_high, updating(losses(40, BAD), np.where(np.arange(40) < 1, 0.9, 1e-3))) == []


@pytest.mark.parametrize(
    ("ratios", "is_found"),
    [
        ([0.21, 0.21, 1e-3, 1e-3], True),
        ([NAN, NAN, 0.21, 1e-3], True),
        ([NAN, NAN, NAN, 0.21], False),
        ([0.21, 1e-3, 1e-3, 0.21], False),
    ],
)
def test_the_first_steps_are_three(ratios: list[float], is_found: bool) -> None:
    norm = np.where(np.isfinite(np.resize([*ratios, *[1.0] * 36], 40)), 2.0, 0.0)
    series = {
        "loss": losses(40, BAD),
        "learning_rate": 0.5,
        ("update_norm", "0.weight"): np.nan_to_num([*ratios, *[1e-3] * 36]) * norm,
        ("weight_norm", "0.weight"): norm,
    }
    case = Case(record=record(series, parameters=[weights("0.weight")]))
    assert told(too_high, case) == ([("RG202", "warning")] if is_found else [])


def test_most_steps_of_the_second_half_must_be_large() -> None:
    steps = np.arange(40)
    for end, is_found in ((29, False), (31, True)):  # 9 of 20, and 11
        large = np.where((steps >= 13) & (steps < end), 0.031, 1e-3)
        assert bool(too_high(updating(losses(40, BAD), large))) == is_found


def falling(steps: int = 40) -> np.ndarray[Any, Any]:
    """A loss that falls by less than 30 %, in the last quarter too."""
    return np.linspace(1.0, 0.8, steps)


@pytest.mark.parametrize(
    ("loss", "ratio", "expected"),
    [
        (losses(1000, BAD), 0.99e-4, [("RG203", "warning")]),  # a travel of 0.099
        (losses(1000, GOOD), 0.99e-4, [("RG203", "note")]),
        (losses(1000, BAD), 1.01e-4, []),
        (losses(300, BAD), 2.99e-4, [("RG203", "warning")]),
        (losses(300, BAD), 3.01e-4, []),
        (falling(1000), 1.01e-4, [("RG203", "warning")]),
        (falling(4000), 2.49e-4, [("RG203", "warning")]),  # a travel of 0.996
        (falling(4000), 2.51e-4, []),
        (falling(1000), 3.01e-4, []),
        (losses(10, BAD), 1e-4, [("RG203", "warning")]),
        (losses(9, BAD), 1e-4, []),
    ],
)
def test_steps_that_move_the_weights_by_little(
    loss: Any, ratio: float, expected: list[Any]
) -> None:
    assert told(too_low, updating(loss, ratio)) == expected


def test_little_steps_with_a_loss_that_falls_in_the_last_quarter_but_came_out_well() -> None:
    assert told(too_low, updating(np.linspace(1.0, 0.2, 1000), 1.01e-4)) == []
    risen = np.concatenate([np.linspace(1.0, 0.9, 750), np.full(250, 0.95)])
    assert told(too_low, updating(risen, 1.01e-4)) == []


def test_how_far_the_weights_went_is_told() -> None:
    found = only(too_low, updating(losses(1000, BAD), 5e-5)).evidence
    assert found.text == (
        "At a learning rate of 0.5 a step moves the weights by 5.0e-05 of their size, and all "
        "1,000 steps together move them by at most 5.0%."
    )
    assert found.steps == (1, 1000)
    assert found.numbers == pytest.approx(
        {"update_ratio": 5e-5, "travel": 0.05, "learning_rate": 0.5}, rel=1e-4
    )


def test_the_last_quarter_is_compared_with_the_one_before() -> None:
    """Of 403 steps the last hundred, 0.9 in the mean, with the hundred before."""
    for before, is_found in ((1.1, True), (1.04, False)):  # 0.92 in the mean, and 0.896
        loss = np.ones(403)
        loss[200:203] = 0
        loss[203:243], loss[243:303], loss[303:] = before, 0.8, 0.9
        assert bool(too_low(updating(loss, 2.9e-4))) == is_found


def two(one: Any, other: Any, left: float = BAD, steps: int = 40, **more: Any) -> Case:
    series: dict[Any, Any] = {"loss": losses(steps, left)}
    for name, ratio, norm in (("a.weight", one, 2.0), ("b.weight", other, 4.0)):
        series["update_norm", name] = np.multiply(ratio, norm)
        series["weight_norm", name] = norm
    return Case(
        record=record(series, parameters=[weights("a.weight", **more), weights("b.weight")])
    )


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (two(0.99e-5, 1e-2), [("RG204", "warning")]),
        (two(0.99e-5, 1e-2, GOOD), [("RG204", "note")]),
        (two(1.01e-5, 1e-2), []),
        (two(0.8e-5, 0.8e-3), []),  # more than a hundredth of all layers' 7.2e-4
        (two(0.7e-5, 0.8e-3), [("RG204", "warning")]),
        (two(0.796e-5, 0.89443e-3), [("RG204", "warning")]),  # a hundredth is 0.8e-5
        (two(0.804e-5, 0.89443e-3), []),
        (two(0.101, 1e-2), [("RG205", "warning")]),
        (two(0.101, 1e-2, GOOD), [("RG205", "note")]),
        (two(0.099, 1e-2), []),
        (two(0.99e-5, 0.2), [("RG204", "warning"), ("RG205", "warning")]),
        (two(0.99e-5, 1e-2, trained=False), []),
        (two(0.99e-5, 1e-2, optimized=False), []),
        (two(0.99e-5, 1e-2, steps=10), [("RG204", "warning")]),
        (two(0.99e-5, 1e-2, steps=9), []),
        (two(NAN, NAN), []),
    ],
)
def test_layers_that_stand_still_or_jump_about(case: Case, expected: list[Any]) -> None:
    assert told(per_layer, case) == expected


def test_layers_are_judged_by_the_second_half() -> None:
    half = np.arange(40) < 20
    assert told(per_layer, two(np.where(half, 0.5, 1e-3), 1e-3)) == []
    assert told(per_layer, two(np.where(half, 1e-3, 0.5), 1e-3)) == [("RG205", "warning")]


def test_the_worst_layer_and_all_together_are_told() -> None:
    still = only(per_layer, two(1e-6, 1e-2)).evidence
    assert still.layers == ("a.weight",)
    assert still.steps == (21, 40)
    overall = np.hypot(1e-6 * 2, 1e-2 * 4) / np.hypot(2, 4)
    assert still.numbers == pytest.approx({"update_ratio": 1e-6, "overall": overall}, rel=1e-5)
    assert still.text == (
        "A step moves a.weight by only 1.0e-06 of its size; the ratio for all layers "
        "together is 8.9e-03."
    )
    jumping = only(per_layer, two(0.2, 0.5)).evidence
    assert jumping.layers == ("b.weight", "a.weight")
    assert jumping.text.startswith("A step moves b.weight by 5.0e-01 of its size")
    assert jumping.numbers["update_ratio"] == pytest.approx(0.5)


def test_a_layer_that_is_not_trained_is_passed_over() -> None:
    found = only(per_layer, two(1e-2, 0.5, trained=False)).evidence
    assert found.layers == ("b.weight",)


@pytest.mark.parametrize(
    ("lacks", "ratio", "is_found"),
    [(True, 0.029, False), (True, 0.031, True), (False, 0.029, True)],
)
def test_a_generators_loss_may_rise_by_small_steps(
    lacks: bool, ratio: float, is_found: bool
) -> None:
    case = updating(ending(1.6, 1.6).losses, ratio)
    case.__dict__["lacks_answers"] = lacks
    assert bool(too_high(case)) == is_found


@pytest.mark.parametrize(("ratio", "is_found"), [(2.6e-4, True), (2.4e-4, False)])
def test_a_loss_does_not_rise_by_weights_that_stand_still(ratio: float, is_found: bool) -> None:
    """Forty steps move them by a hundredth of their size."""
    assert bool(too_high(updating(ending(1.6, 1.6).losses, ratio))) == is_found
