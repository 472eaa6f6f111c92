"""Gradients that vanish, explode or burst, units that are dead or saturated: at the thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.cases import BAD, GOOD, layer, losses, only, record, told

from retrograd.diagnosis.checks.case import Case
from retrograd.diagnosis.checks.gradients import bursts, dead_units, flow, saturated_units

LAYERS = [layer("0", "Linear", "0.weight"), layer("1", "ReLU"), layer("2", "Linear", "2.weight"),
          layer("3", "Linear", "3.weight")]  # fmt: skip


def flowing(ratio: Any, left: float = GOOD, layers: list[Any] = LAYERS, last: Any = 2.0) -> Case:
    named = [each.name for each in layers if each.parameters]
    series = {
        "loss": losses(40, left),
        ("cotangent_norm", named[0]): np.multiply(ratio, last),
        ("cotangent_norm", named[-1]): last,
    }
    return Case(record=record(series, layers=layers))


@pytest.mark.parametrize(
    ("ratio", "left", "expected"),
    [
        (0.99e-3, BAD, [("RG101", "error")]),
        (0.99e-3, GOOD, [("RG101", "warning")]),
        (1.01e-3, BAD, []),
        (0.99e-5, GOOD, [("RG101", "error")]),
        (1.01e-5, GOOD, [("RG101", "warning")]),
        (0.0, BAD, []),
        (0.9995e3, BAD, []),
        (1.01e3, GOOD, [("RG102", "error")]),
    ],
)
def test_the_first_layers_gradient_in_shares_of_the_lasts(
    ratio: float, left: float, expected: list[tuple[str, str]]
) -> None:
    assert told(flow, flowing(ratio, left)) == expected


def test_the_factor_a_layer_and_the_steps_are_told() -> None:
    found = only(flow, flowing(1e-4))
    assert found.evidence.numbers == pytest.approx({"ratio": 1e-4, "factor_per_layer": 1e-2})
    assert found.evidence.layers == ("0", "2", "3")
    assert found.evidence.steps == (1, 20)
    assert found.evidence.text == (
        "The gradient at the first layer, 0, is 1.0e-04 times that at the last, 3: a factor of "
        "0.01 per layer."
    )
    grown = only(flow, flowing(1e4)).evidence
    assert grown.text.endswith(
        "0, is 1e+04 times that at the last, 3: a factor of 1e+02 per layer."
    )
    assert grown.numbers == pytest.approx({"ratio": 1e4, "factor_per_layer": 1e2})
    assert (grown.layers, grown.steps) == (("0", "2", "3"), (1, 20))


def test_only_the_first_half_of_the_steps_counts() -> None:
    half = np.arange(40) < 20
    assert told(flow, flowing(np.where(half, 1.0, 1e-6))) == []
    assert told(flow, flowing(np.where(half, 1e-6, 1.0))) == [("RG101", "error")]


def test_of_few_steps_the_first_counts() -> None:
    for ratios, is_found in (([1e-6], True), ([1e-6, 1, 1], True), ([1, 1e-6, 1e-6], False)):
        series = {"loss": 1.0, ("cotangent_norm", "0"): ratios, ("cotangent_norm", "3"): 1.0}
        found = flow(Case(record=record(series, layers=LAYERS)))
        assert bool(found) == is_found


def test_a_small_last_gradient_counts_but_none_does_not() -> None:
    assert told(flow, flowing(1e-6, last=np.full(40, 1e-3))) == [("RG101", "error")]
    series = {"loss": losses(40, BAD), ("cotangent_norm", "0"): 1.0, ("cotangent_norm", "3"): 0.0}
    assert told(flow, Case(record=record(series, layers=LAYERS))) == []


def test_the_median_step_counts_of_those_measured() -> None:
    seen = np.where(np.arange(40) % 4 == 0, 1e-6, np.nan)
    assert told(flow, flowing(seen)) == [("RG101", "error")]
    assert told(flow, flowing(np.full(40, np.nan))) == []
    assert told(flow, flowing(1e-6, last=np.zeros(40))) == []
    mixed = np.where(np.arange(40) < 11, 1.0, 1e-6)  # 11 of the first 20
    assert told(flow, flowing(mixed)) == []


def test_two_layers_are_too_few_and_embeddings_do_not_count() -> None:
    assert told(flow, flowing(1e-6, layers=LAYERS[:3])) == []
    embedded = [layer("e", "Embedding", "e.weight"), *LAYERS[1:]]
    assert told(flow, flowing(1e-6, layers=embedded)) == []


def bursting(top: float, count: int, steps: int = 200, left: float = BAD) -> Case:
    norms = np.full(steps, 2.0)
    norms[10 : 10 + count] = 2 * top
    return Case(record=record({"loss": losses(steps, left), "gradient_norm": norms}))


@pytest.mark.parametrize(
    ("case", "is_found"),
    [
        (bursting(1001, 2), True),
        (bursting(999.5, 2), False),
        (bursting(1001, 1), False),  # one in 200 is chance
        (bursting(1001, 2, left=GOOD), False),
        (bursting(1001, 2, steps=20), True),
        (bursting(1001, 2, steps=19), False),
    ],
)
def test_bursts_are_a_thousand_times_the_median_and_more_than_one_step_in_200(
    case: Case, is_found: bool
) -> None:
    assert told(bursts, case) == ([("RG102", "warning")] if is_found else [])


def test_how_often_counts_what_is_above_a_hundred_times_the_median() -> None:
    for second, is_found in ((2 * 100.5, True), (2 * 99.5, False)):
        norms = np.full(200, 2.0)
        norms[[50, 60]] = 2 * 1500, second
        case = Case(record=record({"loss": losses(200, BAD), "gradient_norm": norms}))
        assert bool(bursts(case)) == is_found
        if is_found:
            found = only(bursts, case)
            assert found.evidence.steps == (51, 51)
            assert found.evidence.numbers == {"largest": 3000, "median": 2}
            assert found.evidence.text == (
                "The gradient's norm is 3e+03 in step 51, 1.5e+03 times its median of 2."
            )


def test_bursts_of_a_small_gradient_are_found_too() -> None:
    norms = np.where(np.arange(200) < 2, 1001.0, 1.0) * 0.5
    case = Case(record=record({"loss": losses(200, BAD), "gradient_norm": norms}))
    assert told(bursts, case) == [("RG102", "warning")]


def test_a_gradient_of_zero_has_no_bursts() -> None:
    norms = np.zeros(200)
    norms[:3] = 5
    case = Case(record=record({"loss": losses(200, BAD), "gradient_norm": norms}))
    assert told(bursts, case) == []


def units(
    *shares: Any, left: float = BAD, count: int = 16, steps: int = 40, kind: str = "ReLU"
) -> Case:
    named = [layer(str(i), kind, rectifies=kind == "ReLU", units=count) for i in range(len(shares))]
    series: dict[Any, Any] = {"loss": losses(steps, left)}
    series |= {("dead", str(i)): share for i, share in enumerate(shares)}
    return Case(record=record(series, layers=named))


@pytest.mark.parametrize(
    ("share", "left", "expected"),
    [
        (0.49, BAD, []),
        (0.51, BAD, [("RG103", "warning")]),
        (0.51, GOOD, [("RG103", "note")]),
        (0.89, BAD, [("RG103", "warning")]),
        (0.91, BAD, [("RG103", "error")]),
        (0.94, GOOD, [("RG103", "note")]),
        (0.96, GOOD, [("RG103", "error")]),
    ],
)
def test_dead_units_by_their_share(share: float, left: float, expected: list[Any]) -> None:
    assert told(dead_units, units(share, left=left)) == expected


def test_dead_units_want_a_layer_of_four_that_rectifies_and_eight_steps() -> None:
    assert told(dead_units, units(0.95, count=4)) == [("RG103", "error")]
    assert told(dead_units, units(0.95, count=3)) == []
    assert told(dead_units, units(0.95, kind="Tanh")) == []
    assert told(dead_units, units(0.95, steps=8)) == [("RG103", "error")]
    assert told(dead_units, units(0.95, steps=7)) == []


def test_dead_units_are_those_of_the_last_quarter() -> None:
    late = np.where(np.arange(40) < 30, 0.0, 0.95)
    assert told(dead_units, units(late)) == [("RG103", "error")]
    assert told(dead_units, units(0.95 - late)) == []
    for dead, is_found in ((6, True), (4, False)):  # of the last ten steps
        last = np.where(np.arange(40) < 40 - dead, 0.0, 1.0)
        assert bool(dead_units(units(last))) == is_found
    assert told(dead_units, units(np.full(40, np.nan))) == []


def test_the_worst_layer_is_named_first() -> None:
    found = only(dead_units, units(0.5, 0.25, 0.75, 0.6))
    assert found.evidence.layers == ("2", "3", "0")
    assert found.evidence.steps == (31, 40)
    assert found.evidence.numbers == {"share": 0.75}
    assert found.evidence.text == (
        "75% of the units of 2 are 0 on every row, and half or more in 2 other layers."
    )
    assert only(dead_units, units(0.5, 0.75)).evidence.text == (
        "75% of the units of 1 are 0 on every row, and half or more in 1 other layer."
    )
    assert only(dead_units, units(0.75)).evidence.text == (
        "75% of the units of 0 are 0 on every row."
    )


def bounded(*shares: Any, left: float = BAD, ends: str = "Linear") -> Case:
    named = [layer(str(i), "Tanh", bounds=(-1.0, 1.0)) for i in range(len(shares))]
    if ends:
        named.append(layer("end", ends))
    series: dict[Any, Any] = {"loss": losses(40, left)}
    series |= {("at_bounds", str(i)): share for i, share in enumerate(shares)}
    return Case(record=record(series, layers=named))


@pytest.mark.parametrize(
    ("share", "left", "expected"),
    [
        (0.49, BAD, []),
        (0.51, BAD, [("RG104", "warning")]),
        (0.51, GOOD, [("RG104", "note")]),
        (0.74, GOOD, [("RG104", "note")]),
        (0.75, GOOD, [("RG104", "warning")]),
        (0.76, GOOD, [("RG104", "warning")]),
    ],
)
def test_saturated_units_by_their_share(share: float, left: float, expected: list[Any]) -> None:
    assert told(saturated_units, bounded(share, left=left)) == expected


def test_the_output_layers_ends_are_answers() -> None:
    assert told(saturated_units, bounded(0.9, ends="")) == []
    assert only(saturated_units, bounded(0.8, 0.9, ends="")).evidence.layers == ("0",)


def test_saturation_counts_over_the_run_or_in_its_first_looks() -> None:
    first = np.where(np.arange(40) < 4, 0.6, 0.0)
    assert told(saturated_units, bounded(first)) == [("RG104", "warning")]
    assert told(saturated_units, bounded(np.where(np.arange(40) < 2, 0.6, 0.0))) == []
    assert told(saturated_units, bounded(np.where(np.arange(40) < 10, 0.0, 0.6))) == [
        ("RG104", "warning")
    ]
    assert told(saturated_units, bounded(np.full(40, np.nan))) == []


def test_the_most_saturated_layer_is_named_first() -> None:
    found = only(saturated_units, bounded(0.5, 0.25, 0.75))
    assert found.evidence.layers == ("2", "0")
    assert found.evidence.steps == (1, 40)
    assert found.evidence.numbers == {"share": 0.75}
    assert found.evidence.text == "75% of the outputs of 2 lie in the outermost 1 % of its range."


def test_the_first_looks_at_saturation_are_four() -> None:
    looks = np.arange(40)
    two_of_four = np.where(looks < 2, 0.8, np.where(looks < 5, 0.3, 0.0))
    found = only(saturated_units, bounded(two_of_four)).evidence
    assert found.numbers["share"] == pytest.approx(0.55)
