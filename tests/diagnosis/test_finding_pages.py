"""Each finding has a page: its program raises it alone, and its mended program raises nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from retrograd.diagnosis.catalogue import catalogue
from retrograd.diagnosis.finding import Finding
from retrograd.random import manual_seed

PAGES = Path(__file__).parents[2] / "docs" / "findings"
CODES = sorted(catalogue())


def found_by(program: str, name: str) -> list[Finding]:
    manual_seed(0)
    names: dict[str, Any] = {"__name__": name}
    exec(compile(program, name, "exec"), names)
    return list(names["findings"])


@pytest.mark.parametrize("code", CODES)
def test_the_page_shows_the_finding_and_its_cure(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text("utf-8")
    faulty, mended = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    # What follows from the finding may be found as well, and notes of other things; no more.
    causes = [
        each.code
        for each in found_by(faulty, code)
        if not each.follows_from and (each.code == code or each.severity != "note")
    ]
    assert causes == [code]
    after = found_by(mended, code)
    assert [each.code for each in after if each.code == code or each.severity != "note"] == []


@pytest.mark.parametrize("code", CODES)
def test_the_page_says_what_the_catalogue_says(code: str) -> None:
    entry = catalogue()[code]
    words = " ".join((PAGES / f"{code}.md").read_text("utf-8").split())
    assert f"# {code}: {entry.name}" in words
    for sentence in (entry.why, *(remedy.text for remedy in entry.remedies)):
        assert " ".join(sentence.split()) in words
    assert f"[{code}]({code}.md) | {entry.name} | {entry.severity}" in (
        PAGES / "README.md"
    ).read_text("utf-8")
