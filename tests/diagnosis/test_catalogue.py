"""The catalogue is sound, and its order is by cause, gravity and stage."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from retrograd.diagnosis.catalogue import catalogue, check_codes, finding, ranked
from retrograd.diagnosis.finding import SEVERITIES, Finding, Severity
from retrograd.diagnosis.remedies.table import OPTION_REMEDIES, PROGRAM_REMEDIES
from retrograd.errors import UsageError


def test_entries_are_whole() -> None:
    known = catalogue()
    assert list(known) == sorted(known)
    for code, entry in known.items():
        assert entry.code == code
        assert entry.severity in SEVERITIES
        assert entry.stage in range(7)
        assert entry.name
        assert entry.why.endswith(".")
        assert entry.remedies
        assert entry.explains <= known.keys() - {code}
        changes = {each.change for each in entry.remedies}
        assert changes <= PROGRAM_REMEDIES.by_change.keys() | {"by_hand"}
    assert OPTION_REMEDIES.by_change.keys() <= PROGRAM_REMEDIES.by_change.keys()


def test_severities_are_ordered() -> None:
    assert SEVERITIES == get_args(Severity) == ("error", "warning", "note")
    gravities = [finding("RG602", "x", severity=each).gravity for each in SEVERITIES]
    assert gravities == [0, 1, 2]


def test_a_finding_has_the_words_of_its_entry_and_numbers_by_name() -> None:
    made = finding("RG208", "text", layers=["a"], steps=(1, 2), numbers={"x": 1}, y=2)
    entry = catalogue()["RG208"]
    assert (made.name, made.why, made.remedies) == (entry.name, entry.why, entry.remedies)
    assert made.severity == "note"
    assert made.evidence.numbers == {"x": 1.0, "y": 2.0}
    assert (made.evidence.layers, made.evidence.steps) == (("a",), (1, 2))
    assert finding("RG208", "text", severity="error").severity == "error"
    assert str(made) == "RG208 note: Plateau. text"


def test_findings_come_back_from_json() -> None:
    for made in (
        finding("RG103", "x", layers=["a"], steps=(1, 2), share=0.5),
        finding("RG206", "x"),
    ):
        assert Finding.from_json(json.loads(json.dumps(made.to_json()))) == made


def order(*found: tuple[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    made = [finding(code, "x", severity=severity) for code, severity in found]
    return [(each.code, each.follows_from) for each in ranked(made)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        # Errors first, then by stage: 1 before 3.
        (["RG203", "RG109", "RG101"], ["RG101", "RG109", "RG203"]),
        # What is explained comes later, whatever its stage: RG411 (5) explains RG504 (6).
        (["RG504", "RG411"], ["RG411", "RG504"]),
        # RG307 (2) explains RG304 (2), though its code is higher.
        (["RG304", "RG307"], ["RG307", "RG304"]),
    ],
)
def test_causes_come_first(found: list[str], expected: list[str]) -> None:
    assert [code for code, _ in order(*((code, None) for code in found))] == expected


def test_what_follows_names_its_causes_unless_they_are_notes() -> None:
    assert order(("RG304", None), ("RG307", None)) == [("RG307", ()), ("RG304", ("RG307",))]
    assert order(("RG304", None), ("RG307", "note")) == [("RG304", ()), ("RG307", ())]


def test_of_two_that_explain_each_other_the_one_nearer_to_the_root_is_the_cause() -> None:
    known = catalogue()
    pairs = [
        (a, b)
        for a in known
        for b in known[a].explains
        if a in known[b].explains and known[a].stage < known[b].stage
    ]
    for a, b in pairs:
        assert order((b, "error"), (a, "error")) == [(a, ()), (b, (a,))]


def test_the_graver_comes_first_and_notes_last() -> None:
    assert [c for c, _ in order(("RG302", None), ("RG303", None))] == ["RG303", "RG302"]
    assert [c for c, _ in order(("RG109", None), ("RG101", None))] == ["RG101", "RG109"]
    assert [c for c, _ in order(("RG301", "note"), ("RG602", None))] == ["RG602", "RG301"]
    assert [c for c, _ in order(("RG108", None), ("RG107", None))] == ["RG107", "RG108"]


def test_codes_are_checked() -> None:
    assert check_codes("RG101", "here") == {"RG101"}
    assert check_codes(["RG101", "RG102"], "here") == {"RG101", "RG102"}
    with pytest.raises(UsageError) as told:
        check_codes(["RG1O1"], "config.json")
    assert str(told.value).startswith("config.json: there is no finding 'RG1O1'. Did you mean RG")
    assert str(told.value).endswith(" Codes run from RG101 to RG603; see docs/findings.")
