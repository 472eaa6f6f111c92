"""The page and the text of a walk say what it found, and nothing in the data can harm them."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from support.small_tables import HOSTILE, flowers, houses, prepared

from retrograd.errors import UsageError
from retrograd.kinds.table.walk_record import Walkthrough
from retrograd.kinds.table.walkthrough import walk_through
from retrograd.report import walkthrough_text, write_walkthrough
from retrograd.report.pages.walkthrough import largest_changes
from retrograd.report.words import walk as walk_words
from retrograd.report.words.figures import figure


@pytest.fixture(scope="module")
def walks() -> dict[str, Walkthrough]:
    return {
        "regression": walk_through(prepared(houses(), "price").model, houses(), 3),
        "classification": walk_through(prepared(flowers(), "kind").model, flowers(), 3),
        "interrupted": walk_through(
            prepared(houses(), "price").model, houses(), 3, learning_rate=1e4
        ),
    }


@pytest.fixture(params=["regression", "classification", "interrupted"])
def walk(request: pytest.FixtureRequest, walks: dict[str, Walkthrough]) -> Walkthrough:
    return walks[request.param]


def test_the_page_is_safe_offline_accessible_and_small(
    walk: Walkthrough, tmp_path: Path, read_page: Any
) -> None:
    path = tmp_path / "walk.html"
    write_walkthrough(path, walk, source=f"{HOSTILE}.csv")
    page = read_page(path)
    page.check_is_safe_and_offline()
    page.check_is_accessible()
    assert page.tags["h2"] == 5
    assert f"{HOSTILE}.csv" in page.text
    assert path.stat().st_size < 300_000
    assert list(tmp_path.iterdir()) == [path]


def test_the_page_has_the_walks_numbers(walk: Walkthrough, tmp_path: Path, read_page: Any) -> None:
    path = tmp_path / "walk.html"
    write_walkthrough(path, walk, source="houses.csv")
    text = read_page(path).text
    for layer in walk.layers:
        assert layer.name in text
        assert figure(layer.output.norm) in text
        assert layer.cotangent is None or figure(layer.cotangent.norm) in text
    for weight in walk.weights:
        assert figure(weight.gradient_norm) in text
        assert weight.largest[0].name in text
    for _, change in largest_changes(walk):
        assert (
            f"{figure(change.before, 6)} {figure(change.gradient)} {figure(change.after, 6)}"
            in text
        )
    assert walk_words.verdict(walk) in text
    assert all(cell in text for cell in walk.cells.values())


def test_the_text_has_the_walks_numbers(walk: Walkthrough) -> None:
    console = Console(width=140, file=io.StringIO())
    with console.capture() as capture:
        console.print(walkthrough_text(walk, source="[red]houses.csv"))
    text = capture.get()
    assert "Row 3 of [red]houses.csv" in text
    for layer in walk.layers:
        assert layer.cotangent is None or figure(layer.cotangent.norm) in text
    for weight in walk.weights:
        assert figure(weight.gradient_norm) in text
    assert figure(walk.guesses[-1].loss) in text
    for heading in ("1. Forward", "2. Error", "3. Backward", "4. Update", "5. Repeat"):
        assert heading in text


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_formula_gives_the_loss(walks: dict[str, Walkthrough], task: str) -> None:
    formula = walk_words.error_formula(walks[task]).removeprefix("loss = ")
    left, _, right = formula.translate(str.maketrans("−[]", "-()")).rpartition(" = ")
    python = re.sub(r"log ([\d.]+)", r"log(\1)", left.replace(")²", ")**2"))
    assert eval(python, {"log": math.log}) == pytest.approx(float(right), rel=2e-2)
    assert float(right) == pytest.approx(walks[task].loss, rel=1e-3)


def test_an_odd_end_is_told_in_words(walks: dict[str, Walkthrough]) -> None:
    walk = walks["interrupted"]
    assert "the loss ran away" in walk_words.verdict(walk)
    assert "learning rate is too high" in walk_words.outcome_sentence(walk)


def test_nothing_is_left_where_it_cannot_be_written(
    walks: dict[str, Walkthrough], tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="the folder does not exist"):
        write_walkthrough(tmp_path / "none" / "walk.html", walks["regression"], source="x")
    assert not list(tmp_path.iterdir())
