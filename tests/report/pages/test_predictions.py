"""The rows predicted worst can be found again, and their texts are colored by what words add."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from support.small_tables import prepared

from retrograd.kinds.base.importance import RunningText
from retrograd.report.pages.page import environment
from retrograd.report.pages.predictions import Effort, Judged, WorstRow
from retrograd.store.names import TEST
from retrograd.training.scores import score_classes

WORDS = RunningText(
    [("A ", 0.001), ("truly ", 0.2), ("lovely ", 0.3), ("film, ", -0.002), ("dull ", -0.25),
     ("at ", -0.05), ("<b>", 0.0)]
)  # fmt: skip


class Reader:
    """A model of texts that has read one row."""

    classes = ("bad", "good")
    task = "classification"
    target_name = "verdict"

    def shown(self, data: Any, rows: Any) -> dict[str, list[str]]:
        return {"row": ["1,207"], "file": ["pos/7.txt"], "review": ["long " * 50]}

    def reasons(self, data: Any, rows: Any) -> list[RunningText]:
        return [WORDS]


def judged(model: Any, effort: Effort = Effort.BRIEF) -> Judged:
    truth, answers = np.array([1]), np.array([[0.75, 0.25]])
    scores = score_classes(answers, truth, np.array([0.5, 0.5]))
    return Judged(model, None, TEST, effort, scores, truth, answers, None)


@pytest.fixture
def row() -> WorstRow:
    names, (found,) = judged(Reader()).worst()
    assert names == ["row", "file", "review"]
    return found


def test_neighboring_words_of_one_sign_are_one_piece_with_their_sum(row: WorstRow) -> None:
    assert row.is_passage
    assert [(each.text, each.adds, each.sign) for each in row.reasons] == [
        ("A ", "+0.001", ""),
        ("truly lovely ", "+0.5", "adds"),
        ("film, ", "−0.002", ""),
        ("dull at ", "−0.3", "takes"),
        ("<b>", "+0", ""),
    ]
    assert [each.strength for each in row.reasons if each.sign] == ["1.00", "0.60"]


def test_the_text_runs_on_with_its_numbers_on_hover(row: WorstRow) -> None:
    page = _worst(row)
    assert (
        'A <mark class="adds" style="--strength:1.00" title="+0.5">truly lovely </mark>film, '
        '<mark class="takes" style="--strength:0.60" title="−0.3">dull at </mark>&lt;b&gt;' in page
    )
    assert "row 1,207: bad" in page
    assert "pos/7.txt" in page
    assert ("long " * 47).strip() in page  # not cut where there is room for it


def _worst(row: WorstRow) -> str:
    parts: Any = environment().get_template("run_parts.html.jinja").module
    return str(parts.worst(["row", "file", "review"], [row], False, "never seen in training"))


def test_without_effort_nothing_is_explained() -> None:
    _, (row,) = judged(Reader(), Effort.NONE).worst()
    assert row.reasons == []
    assert row.marked is None


def test_rows_are_named_by_their_number_in_the_file_and_by_what_names_them() -> None:
    rng = np.random.default_rng(0)
    rows = 60
    table = pa.table(
        {
            "ticket": [f"T-{place:05}x" for place in range(rows)],
            "size": rng.normal(size=rows),
            "price": pa.array([None, *rng.normal(size=rows - 1)]),  # so that row 1 is left out
        }
    )
    run = prepared(table, "price")
    found = Judged.of(run.model, run.split.validation, "validation", Effort.NONE)
    names, worst = found.worst()
    assert names == ["row", "ticket", "size"]
    assert len(worst) > 5
    for each in worst:
        number, ticket, size = (cell.text for cell in each.cells)
        assert ticket == f"T-{int(number) - 1:05}x"
        assert float(size) == table["size"][int(number) - 1].as_py()
