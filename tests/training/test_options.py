"""Options take values of their type and within their range, and refuse all else by name."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from retrograd.errors import UsageError
from retrograd.training.options import Options


@dataclass(frozen=True, kw_only=True)
class More(Options):
    flag: bool = False
    sizes: dict[str, Any] = field(default_factory=dict)


RANGES = {
    "seed": (0, 2**63 - 1),
    "valid": (0.01, 0.9),
    "epochs": (1, 1_000_000),
    "patience": (1, 1_000_000),
    "time_limit": (0, 1e9),
    "batch_size": (1, 1_000_000),
    "learning_rate": (1e-10, 100),
    "weight_decay": (0, 10),
    "dropout": (0, 0.99),
    "clip_norm": (1e-6, 1e12),
    "average": (0, 0.99999),
}


WHOLE = {"seed", "epochs", "patience", "batch_size"}


def test_every_number_has_a_range() -> None:
    assert set(Options.ranges) == set(RANGES)


@pytest.mark.parametrize("name", RANGES)
def test_the_ends_of_a_range_are_taken_and_what_is_beyond_is_refused(name: str) -> None:
    low, high = RANGES[name]
    for value in (low, high):
        assert getattr(Options(**{name: value}), name) == value
    whole = isinstance(low, int) and isinstance(high, int)
    kind = "whole number" if name in WHOLE else "number"
    for value in (
        (low - 1, high + 1)
        if whole
        else (
            math.nextafter(low, -math.inf),
            math.nextafter(high, math.inf),
        )
    ):
        with pytest.raises(UsageError, match=rf"^{name} is .*; expected a {kind} from {low:g} to "):
            Options(**{name: value})


def test_options_are_given_by_name() -> None:
    with pytest.raises(TypeError, match="positional"):
        Options("price")


def test_defaults() -> None:
    assert Options().to_json() == {
        "target": None,
        "task": None,
        "model": "auto",
        "seed": 0,
        "valid": None,
        "epochs": None,
        "patience": None,
        "time_limit": None,
        "batch_size": None,
        "learning_rate": 0.004,
        "weight_decay": 0.01,
        "dropout": 0.0,
        "clip_norm": 1.0,
        "average": 0.98,
        "ignore": "",
    }


def test_the_share_of_validation_rows_is_15_percent_unless_given() -> None:
    assert Options().validation_share() == 0.15
    assert Options(valid=0.3).validation_share() == 0.3


def test_ignored_codes_stand_between_commas() -> None:
    assert Options().ignored() == ()
    assert Options(ignore=" RG101, ,RG202,").ignored() == ("RG101", "RG202")


def test_options_with_some_replaced_and_the_way_through_json() -> None:
    options = Options(epochs=3).replaced(seed=7)
    assert (options.epochs, options.seed) == (3, 7)
    assert Options.from_json(options.to_json()) == options


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", "12", 12),
        ("epochs", 12.0, 12),
        ("epochs", "1e3", 1000),
        ("epochs", "auto", None),
        ("epochs", "none", None),
        ("epochs", None, None),
        ("learning_rate", "1e-3", 0.001),
        ("learning_rate", 1, 1.0),
        ("model", "auto", "auto"),
        ("target", "none", None),
        ("flag", "True", True),
        ("flag", False, False),
        ("sizes", {"a": 1}, {"a": 1}),
    ],
)
def test_values_are_read_as_their_type(name: str, text: Any, value: Any) -> None:
    found = getattr(More.from_json({name: text}), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("epochs", "many", "a whole number from 1 to 1,000,000"),
        ("epochs", 2.5, "a whole number from 1 to 1,000,000"),
        ("epochs", "inf", "a whole number from 1 to 1,000,000"),
        ("seed", None, "a whole number from 0 to 9.22337e+18"),
        ("seed", "auto", "a whole number from 0 to 9.22337e+18"),
        ("learning_rate", "fast", "a number from 1e-10 to 100"),
        ("model", 3, "text"),
        ("flag", "yes", "true or false"),
        ("model", {"a": 1}, "text"),
        ("sizes", 4, "names and values"),
        ("sizes", [("a", 1)], "names and values"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: Any, expected: str) -> None:
    with pytest.raises(UsageError) as error:
        More.from_json({name: value}, "--set")
    assert str(error.value) == f"--set: {name} is {value!r}; expected {expected}."


def test_an_unknown_option_is_refused_with_a_guess() -> None:
    with pytest.raises(UsageError, match=r"there is no option 'epoch'.*epochs.*The options are ta"):
        Options.from_json({"epoch": 3})
    with pytest.raises(UsageError, match=r"^the configuration: "):
        Options.from_json({"epoch": 3})
