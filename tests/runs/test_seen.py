"""A run knows the rows that it was trained on, in whatever file they come again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from support.small_tables import houses

import retrograd as rg
from retrograd.runs import Run

SMALL: dict[str, Any] = {"width": 8, "depth": 1, "members": 2, "bins": 4, "epochs": 1}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seen")


@pytest.fixture(scope="module")
def run(place: Path) -> Run:
    pyarrow.csv.write_csv(houses(), place / "houses.csv")
    made = rg.train(place / "houses.csv", "price", test=0.2, valid=0.25, out=place / "run", **SMALL)
    return rg.load(made.path)  # as another process has it


def test_rows_it_was_trained_on_and_stopped_by_are_counted_and_said(run: Run, place: Path) -> None:
    notes: list[str] = []
    scores = run.evaluate(place / "houses.csv", notes)
    assert (scores.rows, scores.trained_on, scores.stopped_by) == (120, 72, 24)
    (note,) = notes
    assert "it was trained on 72 of the 120 rows and stopped by 24" in note


def test_the_same_rows_in_another_file_and_order_are_the_same(run: Run, place: Path) -> None:
    order = np.random.default_rng(0).permutation(120)
    pyarrow.parquet.write_table(houses().take(pa.array(order)), place / "shuffled.parquet")
    scores = run.evaluate(place / "shuffled.parquet")
    assert (scores.trained_on, scores.stopped_by) == (72, 24)


def test_new_rows_are_new(run: Run) -> None:
    notes: list[str] = []
    price = houses()["price"].to_numpy() + 1.0
    table = houses().set_column(5, "price", pa.array(price))
    scores = run.evaluate(table, notes)
    assert (scores.trained_on, scores.stopped_by, notes) == (0, 0, [])


def test_the_scores_of_training_say_what_they_are_of(run: Run) -> None:
    assert run.scores["validation"].stopped_by == run.scores["validation"].rows == 24
    assert run.scores["test"].trained_on == run.scores["test"].stopped_by == 0


def test_a_run_without_fingerprints_is_measured_all_the_same(run: Run, place: Path) -> None:
    folder = run.path
    kept = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(kept.replace('"seen.safetensors"', '"gone.safetensors"'))
    scores = rg.load(folder).evaluate(place / "houses.csv")
    (folder / "manifest.json").write_text(kept)
    assert (scores.rows, scores.trained_on) == (120, 0)
