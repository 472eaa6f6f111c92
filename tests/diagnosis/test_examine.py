"""Checks are declared once, get what they read, and fail without taking others with them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.cases import GOOD, losses, performance, record

import retrograd as rg
from retrograd import nn
from retrograd.diagnosis import examine
from retrograd.diagnosis.catalogue import catalogue, finding
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.examine import CheckWarning, all_checks, examined
from retrograd.diagnosis.finding import Finding
from retrograd.diagnosis.outcome.baselines import SimpleScores
from retrograd.diagnosis.register import Check, check
from retrograd.errors import UsageError

DATA = Data((np.zeros((4, 1)),), np.zeros(4))


def test_every_finding_of_the_catalogue_has_a_check_and_stands_in_its_order() -> None:
    declared = [code for each in all_checks() for code in each.codes]
    assert set(declared) == set(catalogue())
    stages = [min(catalogue()[c].stage for c in each.codes) for each in all_checks()]
    assert stages == sorted(stages)


def test_what_a_check_reads_is_an_attribute_of_a_case() -> None:
    case = Case()
    assert all(hasattr(case, name) for each in all_checks() for name in each.reads)


def test_a_code_without_an_entry_is_refused() -> None:
    with pytest.raises(KeyError):
        check("RG999")


def seen(case: Case, train: Data) -> Iterator[Finding]:
    yield finding("RG602", f"{len(train)} rows")


def test_a_check_gets_what_it_reads_and_finds_nothing_without_it() -> None:
    made = Check(("RG602",), ("task", "train"), seen)
    assert [each.evidence.text for each in made(Case(train=DATA, task="x"))] == ["4 rows"]
    assert made(Case(train=DATA)) == []
    assert made(Case(task="x")) == []
    assert made.name == f"{__name__.rpartition('.')[2]}.seen"


def only(monkeypatch: pytest.MonkeyPatch, *functions: Any) -> None:
    made = [Check(("RG602", "RG208"), (), each) for each in functions]
    monkeypatch.setattr(examine, "all_checks", lambda: made)


def fails(case: Case) -> Iterator[Finding]:
    yield finding("RG208", "before it fails")
    raise ValueError("no such row")


def finds(*severities: Any) -> Any:
    def function(case: Case) -> Iterator[Finding]:
        for each in severities:
            yield finding("RG602", str(each), severity=each)

    return function


def test_a_check_that_fails_is_named_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, fails, finds("error"))
    with pytest.warns(CheckWarning, match=r"fails failed, so RG602, RG208 .*ValueError: no such"):
        found = examined(Case())
    assert [each.code for each in found] == ["RG602"]


@pytest.mark.parametrize(
    ("severities", "first"),
    [
        (("note", "error", "warning"), "error"),
        (("note", "warning"), "warning"),
        (("warning", "note"), "warning"),
    ],
)
def test_of_a_code_the_gravest_finding_counts(
    monkeypatch: pytest.MonkeyPatch, severities: tuple[str, ...], first: str
) -> None:
    only(monkeypatch, finds(*severities))
    assert [each.evidence.text for each in examined(Case())] == [first]


def test_of_findings_as_grave_the_first_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(case: Case) -> Iterator[Finding]:
        yield finding("RG602", "first")
        yield finding("RG602", "second")

    only(monkeypatch, twice)
    assert [each.evidence.text for each in examined(Case())] == ["first"]


def test_codes_are_muted_and_unknown_ones_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, finds("error"))
    assert examined(Case(), ["RG602"]) == []
    with pytest.raises(UsageError, match="ignore: there is no finding 'RG6021'"):
        examined(Case(), ["RG6021"])


def test_overflow_in_a_check_is_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def overflows(case: Case) -> Iterator[Finding]:
        yield finding("RG602", str(np.float32(1e38) * np.float32(1e38)))

    only(monkeypatch, overflows)
    assert [each.evidence.text for each in examined(Case())] == ["inf"]


def test_diagnose_is_a_function() -> None:
    assert type(rg.diagnose) is type(test_diagnose_is_a_function)


def logistic(output: Any, target: Any) -> Any:
    return nn.binary_cross_entropy_with_logits(output, target.astype("float32"))


def test_labels_for_each_pixel_are_examined() -> None:
    x = np.random.default_rng(0).normal(size=(100, 1, 6, 6)).astype(np.float32)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1))
    pixels = Data((1e6 * x,), (x > 0).astype(int))
    found = examined(Case(model=model, train=pixels, task="classification", loss=logistic))
    assert "RG301" in [each.code for each in found]


# A finding that is no fault for certain, and one that is.
UNSURE, SURE = "RG301", "RG305"


def test_the_examples_are_what_they_are_taken_for() -> None:
    assert not catalogue()[UNSURE].certain
    assert catalogue()[SURE].certain


def graded(
    monkeypatch: pytest.MonkeyPatch, case: Case, *made: Finding, outcome: str | None = None
) -> list[tuple[str, str]]:
    """The codes and severities of findings after they are graded."""
    known = [Check((each.code,), (), lambda case, each=each: iter([each])) for each in made]
    monkeypatch.setattr(examine, "all_checks", lambda: known)
    if outcome is not None:
        case.__dict__["outcome"] = outcome
    return [(each.code, each.severity) for each in examined(case)]


@pytest.mark.parametrize("severity", ["error", "warning", "note"])
def test_what_does_no_harm_is_a_note_unless_it_is_certain(
    monkeypatch: pytest.MonkeyPatch, severity: Any
) -> None:
    unsure, sure = (replace(finding(code, ""), severity=severity) for code in (UNSURE, SURE))
    mild = severity if severity == "error" else "note"
    for outcome, expected in (("well", "note"), ("unclear", mild), ("badly", severity)):
        assert graded(monkeypatch, Case(), unsure, outcome=outcome) == [(UNSURE, expected)]
        assert graded(monkeypatch, Case(), sure, outcome=outcome) == [(SURE, severity)]


def test_notes_alone_need_no_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(self: Case) -> str:
        raise AssertionError("rehearsed")

    monkeypatch.setattr(Case, "outcome", property(asked))
    made = [finding(SURE, ""), replace(finding(UNSURE, ""), severity="note")]
    assert len(graded(monkeypatch, Case(), *made)) == 2


def test_how_a_finding_reads_is_not_changed_by_its_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    made = finding(UNSURE, "ten times as large", layers=("a",), numbers={"size": 10.0})
    known = [Check((UNSURE,), (), lambda case: iter([made]))]
    monkeypatch.setattr(examine, "all_checks", lambda: known)
    case = Case()
    case.__dict__["outcome"] = "well"
    (found,) = examined(case)
    assert replace(found, severity=made.severity) == made


def squared(output: Any, target: Any) -> Any:
    return nn.mse_loss(output[:, 0], target)


ROWS = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)


def shifted(by: float) -> dict[str, str]:
    """What `rg.diagnose` finds before a run in columns of this mean, by code."""
    rg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = rg.optim.Adam(model.parameters(), lr=0.01)
    noise = np.random.default_rng(1).normal(size=400).astype(np.float32)
    y = ROWS[:, 0] - ROWS[:, 1] + 0.3 * noise
    found = rg.diagnose(model, (ROWS + np.float32(by), y), loss=squared, optimizer=optimizer)
    return {each.code: each.severity for each in found}


def test_inputs_far_from_0_are_a_note_where_a_rehearsal_learns_and_a_warning_where_not() -> None:
    mild, grave = shifted(10.0), shifted(1e5)
    assert mild == {"RG301": "note", "RG406": "note"}
    assert grave["RG301"] == "warning"


@pytest.mark.parametrize(("reached", "severity"), [(0.1, "note"), (1.5, "error")])
def test_after_a_run_its_result_decides(
    monkeypatch: pytest.MonkeyPatch, reached: float, severity: str
) -> None:
    case = Case(record=record({"loss": losses(40, GOOD)}))
    case.__dict__["performance"] = performance(
        judged_error=reached, simple=SimpleScores(1.0, 0.5, 0.5)
    )
    unsure = replace(finding(UNSURE, ""), severity="error")
    assert graded(monkeypatch, case, unsure) == [(UNSURE, severity)]


class Uncopied(nn.Module):
    """Holds what cannot be copied."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.lock = nn.Linear(3, 1), threading.Lock()

    def forward(self, x: Any) -> Any:
        return self.linear(x)


def test_a_model_that_cannot_be_copied_is_not_rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(model=Uncopied(), train=Data((ROWS,), ROWS[:, 0]), loss=squared)
    made = finding(UNSURE, "")
    assert graded(monkeypatch, case, made) == [(UNSURE, made.severity)]


def test_a_live_record_is_diagnosed_with_its_model() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.9))
    optimizer = rg.optim.SGD(model.parameters(), lr=0.1)
    with rg.record(model, optimizer) as live:
        for epoch in (1, 2):
            model(np.ones((4, 2), np.float32)).sum().backward()
            optimizer.step()
            optimizer.zero_grad()
            live.add_epoch(epoch, 1.0, 2.0)
    assert [each["validation_loss"] for each in live.epochs] == [2.0, 2.0]
    assert "RG505" in [each.code for each in live.findings()]
    assert "RG505" not in [each.code for each in live.findings(ignore="RG505")]
    assert "RG505" not in [each.code for each in examined(Case(record=live))]
    assert record({"loss": [1.0]}).__class__ is not live.__class__
