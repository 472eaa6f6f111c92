"""Checks of the inputs name a column as its table does, where they know that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

import retrograd as rg
from retrograd.diagnosis.checks.case import Case, Data
from retrograd.diagnosis.examine import examined

SMALL: dict[str, Any] = {"width": 8, "depth": 1, "members": 2, "bins": 4, "epochs": 2}


def _told(case: Case) -> dict[str, str]:
    return {each.code: each.evidence.text for each in examined(case)}


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    """The second column is large, the third gives the target away."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4)).astype(np.float32)
    x[:, 1] *= 1000
    x[:, 3] = 1
    return x


def test_a_column_is_named_where_its_name_is_known_and_numbered_elsewhere(
    inputs: np.ndarray,
) -> None:
    case = Case(train=Data((inputs,), inputs[:, 2]), task="regression")
    named = Case(train=case.train, task="regression", names=("age", "fare", "alive", "port"))
    for told, names in ((_told(case), "123"), (_told(named), ("'fare'", "'alive'", "'port'"))):
        assert told["RG301"].startswith(f"Column {names[0]} of the inputs has mean")
        assert told["RG305"].startswith(f"Column {names[1]} of the inputs alone predicts")
        assert told["RG303"].endswith(f"the first is column {names[2]}.")


def test_names_of_the_first_input_are_not_lent_to_another(inputs: np.ndarray) -> None:
    codes = np.zeros((300, 3), np.int32)
    case = Case(
        train=Data((codes, inputs), inputs[:, 2]), task="regression", names=("a", "b", "c", "d")
    )
    assert _told(case)["RG305"].startswith("Column 2 of")


def test_a_run_of_a_table_names_its_columns(tmp_path: Path) -> None:
    """A category and the target stand before `alive`, so that its place is another in the table."""
    rng = np.random.default_rng(0)
    age, survived = rng.normal(size=200), rng.integers(0, 2, 200)
    columns = {
        "survived": survived,
        "port": rng.choice(["Cherbourg", "Queenstown", "Southampton"], 200),
        "age": age,
        "alive": np.where(survived == 1, "yes", "no"),
    }
    pa.csv.write_csv(pa.table(columns), tmp_path / "ship.csv")
    run = rg.train(tmp_path / "ship.csv", "survived", out=tmp_path / "run", **SMALL)
    (found,) = (each for each in run.diagnose() if each.code == "RG305")
    assert found.evidence.text.startswith("Column 'alive' of the inputs alone")


def test_a_category_that_gives_the_target_away_is_named(inputs: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    says, other = rng.integers(0, 3, 300), rng.integers(0, 4, 300)
    codes = np.stack([other, says + 1], 1).astype(np.int32)
    names = ("age", "fare", "alive", "port", "deck", "boat")
    for numbers in (inputs, inputs[:, :0]):
        known = (*names[: numbers.shape[1]], *names[4:])
        case = Case(train=Data((numbers, codes), says), task="classification", names=known)
        assert _told(case)["RG305"].startswith("Column 'boat' of the inputs alone predicts")
        priced = np.array([3.5, -1, 40])[says] + 0.01 * rng.normal(size=300)
        case = Case(train=Data((numbers, codes), priced), task="regression", names=known)
        assert _told(case)["RG305"].startswith("Column 'boat' of the inputs alone predicts")
        (found,) = (each for each in examined(case) if each.code == "RG305")
        assert "column" not in found.evidence.numbers  # which would be one of the numbers
        blurred = np.where(rng.random(300) < 0.05, rng.integers(0, 3, 300), says)
        case = Case(train=Data((numbers, codes), blurred), task="classification", names=known)
        assert "RG305" not in _told(case)


def test_a_category_of_a_row_each_tells_nothing(inputs: np.ndarray) -> None:
    codes = np.stack([np.arange(300), np.arange(300) % 4], 1).astype(np.int32)
    labels = np.random.default_rng(2).integers(0, 3, 300)
    case = Case(train=Data((inputs[:, :2], codes), labels), task="classification")
    assert "RG305" not in _told(case)


def test_a_row_number_that_is_sorted_by_class_gives_it_away(inputs: np.ndarray) -> None:
    """Its classes end within intervals of equally many rows."""
    number = np.arange(1000, dtype=np.float32)[:, None]
    x = np.concatenate([np.random.default_rng(3).normal(size=(1000, 2)), number], 1)
    classes = np.searchsorted([130, 330, 590, 770], number[:, 0])
    case = Case(train=Data((x.astype(np.float32),), classes), task="classification")
    assert _told(case)["RG305"].startswith("Column 2 of the inputs alone predicts")


def test_inputs_without_a_column_of_numbers_are_no_error() -> None:
    """As of a table that has categories only."""
    codes = np.random.default_rng(0).integers(0, 3, (200, 2)).astype(np.int32)
    case = Case(
        train=Data((np.zeros((200, 0), np.float32), codes), codes[:, 0]), task="classification"
    )
    assert "RG301" not in _told(case)
