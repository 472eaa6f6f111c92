"""Every operation that the table covers gives PyTorch's value and gradients on PyTorch's samples.

By default at most 40 samples of an entry run eagerly and 3 compiled, evenly spread; with
RETROGRAD_SAMPLES=all in the environment (`make test-all`) all of them do both.
"""

from __future__ import annotations

import os

import pytest

from opinfo.compare import run
from opinfo.database import OPERATIONS
from opinfo.report import PAGE, covered_names
from opinfo.table import TABLE
from retrograd.autodiff.primitive import REGISTRY

EVERYTHING = os.environ.get("RETROGRAD_SAMPLES") == "all"


@pytest.mark.parametrize("name", TABLE)
def test_value_and_gradients_are_those_of_pytorch(name: str) -> None:
    limits = (None, None) if EVERYTHING else (40, 3)
    outcome = run(OPERATIONS[name], TABLE[name], *limits)
    assert outcome.run
    assert not outcome.failures, "\n".join(outcome.failures)


def test_at_least_300_entries_are_covered() -> None:
    assert len(TABLE) >= 300
    assert TABLE.keys() <= OPERATIONS.keys()


def test_the_operations_stand_on_at_most_120_rules() -> None:
    ours = [p for p in REGISTRY.values() if p.__module__.startswith("retrograd.ops")]
    assert len(ours) <= 120


def test_docs_coverage_lists_the_entries_as_the_table_has_them() -> None:
    listed = covered_names(PAGE.read_text(encoding="utf-8"))
    assert listed == {name: name in TABLE for name in OPERATIONS}
