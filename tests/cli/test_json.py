"""`--json`: every command has it, and prints the keys that docs/command.md lists."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.command import QUICK, Command, write_houses
from support.documented import COMMAND_PAGE, documented

from retrograd.cli.app import app
from retrograd.cli.speech import print_json
from retrograd.kinds.registry import KINDS


def keys_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from keys_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from keys_of(each)


def test_every_command_speaks_json() -> None:
    for each in app.registered_commands:
        assert each.callback is not None
        assert "as_json" in inspect.signature(each.callback).parameters, each.callback.__name__
        assert f"`{each.callback.__name__}`" in COMMAND_PAGE


def test_training_prints_a_line_for_each_event(retrograd: Command, tmp_path: Path) -> None:
    write_houses(tmp_path / "houses.csv")
    told = retrograd("train", "houses.csv", "--target", "price", "--json", *QUICK)
    assert (told.code, told.err) == (0, "")
    start, *epochs, end = map(json.loads, told.out.splitlines())
    assert [*start] == documented("train", "key of `start`")
    assert start["rows"] == {"train": 68, "validation": 12}
    for epoch in epochs:
        assert [*epoch] == documented("train", "key of `epoch`")
    assert [*end] == documented("train", "key of `end`")
    assert [*end["scores"]["validation"]] == documented("evaluate")[:-1]
    assert end["scores"]["validation"]["stopped_by"] == 12


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("evaluate", ("run", "houses.csv")),
        ("predict", ("run", "houses.csv")),
        ("explain", ("run", "houses.csv")),
        ("report", ("run",)),
        ("diagnose", ("run",)),
        ("models", ()),
    ],
)
def test_each_command_prints_one_object_with_plain_keys(
    command: str, arguments: tuple[str, ...], retrograd: Command, trained: Path
) -> None:
    told = retrograd(command, *arguments, "--json")
    assert told.err == ""
    found = json.loads(told.out)
    assert [*found] == documented(command)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", key) for key in keys_of(found))


def test_predictions_are_written_or_printed(retrograd: Command, trained: Path) -> None:
    printed = json.loads(retrograd("predict", "run", "houses.csv", "--json").out)
    assert len(printed["predictions"]) == printed["rows"] == 80
    written = json.loads(retrograd("predict", "run", "houses.csv", "--out", "p.csv", "--json").out)
    assert written == {"rows": 80, "out": "p.csv", "notes": []}


def test_a_number_that_is_not_finite_is_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"loss": float("nan"), "all": [1.5, float("-inf")], "of": ("é", None)})
    assert capsys.readouterr().out == '{"loss": null, "all": [1.5, null], "of": ["é", null]}\n'


def test_every_option_of_a_table_is_documented() -> None:
    options = COMMAND_PAGE[COMMAND_PAGE.index("`--set KEY=VALUE`") : COMMAND_PAGE.index("## JSON")]
    for kind in ("table", "text"):
        for each in dataclasses.fields(KINDS[kind].options):
            assert f"`{each.name}`" in options, each.name
