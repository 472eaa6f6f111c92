"""What else a folder keeps: its kind, its figures, its epochs, and why it may lack weights."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from support.made_manifests import made_manifest

from retrograd.errors import DataError
from retrograd.store import (
    Given,
    RunFolder,
    kind_in,
    read_history,
    read_scores,
    why_not_kept,
    write_scores,
)
from retrograd.store.log import write_epochs
from retrograd.store.names import FAILURE, WEIGHTS
from retrograd.training.history import Epoch, Verdict
from retrograd.training.scores import Scores

EPOCHS = [Epoch(n, 10 * n, 0.5, 1 / n, 2 / n, 0.01, True) for n in (1, 2)]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path / "run", "unused")
    folder.write_manifest(made_manifest())
    return folder


def test_a_kind_that_this_version_does_not_know_is_refused(folder: RunFolder) -> None:
    assert kind_in(folder).name == "table"
    folder.write_manifest(made_manifest(kind="quantum"))
    with pytest.raises(DataError, match="of the kind 'quantum'; expected language-model"):
        kind_in(folder)


def test_scores_come_back_by_the_part_that_they_are_of(folder: RunFolder) -> None:
    assert read_scores(folder) == {}
    scores = {
        "validation": Scores(20, {"r2": 0.5}, {"r2": 0.0}, "always answering the mean"),
        "test": Scores(30, {"r2": 0.25}, {"r2": 0.0}, "repeating the last value"),
    }
    write_scores(folder, scores)
    assert read_scores(folder) == {}  # until the manifest commits it
    folder.write_manifest(made_manifest())
    assert read_scores(folder) == scores
    assert json.loads((folder.path / "scores.json").read_text()).keys() == scores.keys()


def test_damaged_scores_are_named(folder: RunFolder) -> None:
    folder.stage_json("scores.json", {"test": {"rows": "many", "metrics": {}, "baseline": {}}})
    folder.write_manifest(made_manifest())
    with pytest.raises(DataError, match="rows is 'many', expected a whole number"):
        read_scores(folder)


def test_the_history_is_the_log_and_the_verdict(folder: RunFolder) -> None:
    assert read_history(folder).epochs == []
    write_epochs(folder, EPOCHS)
    found = read_history(folder)
    assert found.epochs == EPOCHS
    assert found.verdict is None
    folder.write_manifest(made_manifest(verdict=Verdict.OUT_OF_TIME))
    assert read_history(folder).verdict is Verdict.OUT_OF_TIME


def test_a_run_without_weights_says_how_to_go_on(folder: RunFolder) -> None:
    folder.write_manifest(made_manifest(data=Given("my houses.csv", "0")))
    said = str(why_not_kept(folder, WEIGHTS))
    assert said.endswith(f"To go on: retrograd train --resume {shlex.quote(str(folder.path))}")
    folder.write_manifest(made_manifest(data=Given()))
    assert str(why_not_kept(folder, WEIGHTS)).endswith("rg.load(...).resume(data=...).")


def test_weights_that_are_there_or_were_lost_later_are_another_matter(folder: RunFolder) -> None:
    folder.stage_arrays(WEIGHTS, {"a": np.zeros(2)})
    folder.write_manifest(made_manifest())
    assert why_not_kept(folder, WEIGHTS) is None
    (folder.path / WEIGHTS).unlink()
    folder.write_manifest(made_manifest(verdict=Verdict.CONVERGED))
    assert why_not_kept(folder, WEIGHTS) is None


def test_a_run_that_failed_at_once_says_where_to_look(folder: RunFolder) -> None:
    (folder.path / FAILURE).mkdir()
    assert "retrograd diagnose" in str(why_not_kept(folder, WEIGHTS))
