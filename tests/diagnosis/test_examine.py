"""Checks are declared once, get what they read, and fail without taking others with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.cases import record

import retrograd as rg
from retrograd import nn
from retrograd.diagnosis import examine
from retrograd.diagnosis.catalogue import catalogue, finding
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.examine import CheckWarning, all_checks, examined
from retrograd.diagnosis.finding import Finding
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


def test_labels_for_each_pixel_do_not_end_a_diagnosis() -> None:
    """What a check cannot take is told, and the others look on."""
    x = np.random.default_rng(0).normal(size=(100, 1, 6, 6)).astype(np.float32)
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1))

    def loss(output: Any, target: Any) -> Any:
        return nn.binary_cross_entropy_with_logits(output, target.astype("float32"))

    case = Case(
        model=model, train=Data((100 * x,), (x > 0).astype(int)), task="classification", loss=loss
    )
    with pytest.warns(CheckWarning, match="loss_of_classes"):
        found = examined(case)
    assert "RG301" in [each.code for each in found]


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
