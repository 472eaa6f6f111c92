"""The page on tables has every option, with its default."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from retrograd.kinds.table.options import TableOptions

PAGE = (Path(__file__).parents[3] / "docs/tables.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| .* \| (.*?) ?\|$", PAGE, re.MULTILINE))
LISTED = {name: said for names, said in ROWS.items() for name in re.findall(r"`(\w+)`", names)}


def test_the_page_lists_the_options_and_no_others() -> None:
    assert {field.name for field in dataclasses.fields(TableOptions)} == LISTED.keys()


@pytest.mark.parametrize(
    "name",
    [f.name for f in dataclasses.fields(TableOptions) if isinstance(f.default, int | float)],
)
def test_the_page_says_the_defaults(name: str) -> None:
    numbers = [float(number) for number in re.findall(r"[\d.]+", LISTED[name])]
    assert getattr(TableOptions(target="y"), name) in numbers
