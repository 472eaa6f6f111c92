"""What every kind of run promises, for each kind; see `support.check_kind`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from support.check_kind import Case, Trained
from support.small_tables import houses

from retrograd.data import write_table
from retrograd.kinds.base.bridge import Bridged
from retrograd.kinds.base.kind import DataSpec
from retrograd.kinds.registry import KINDS
from retrograd.kinds.table.data import TableData

SMALL = {"width": 8, "depth": 1, "members": 2, "bins": 4, "batch_size": 16}


def without_some_targets(table: pa.Table, target: str) -> pa.Table:
    """The table with three rows whose target is missing."""
    is_there = pa.array(np.arange(table.num_rows) >= 3)
    place = table.column_names.index(target)
    missing = pa.nulls(table.num_rows, table[target].type)
    return table.set_column(place, target, pc.if_else(is_there, table[target], missing))


def with_other_cells(data: TableData) -> TableData:
    """Numbers a thousandfold; of other columns, and of classes, the first cell throughout."""
    columns = {}
    table, target = data.frame.to_native(), data.schema.target
    for name, column in zip(table.column_names, table.itercolumns(), strict=True):
        cells = column.to_pylist()
        try:
            columns[name] = [str(1000 * float(cell)) for cell in cells]
        except ValueError:
            columns[name] = [cells[0]] * len(cells)
    if target.classes:
        columns[target.name] = [table[target.name][0].as_py()] * len(table)
    return TableData(nw.from_native(pa.table(columns), eager_only=True), data.schema)


def reviews() -> pa.Table:
    """Texts of one of two verdicts, eight words each."""
    rng = np.random.default_rng(1)
    code = rng.integers(0, 2, 140)
    texts = [
        f"a {['dull', 'lovely'][c]} film about the sea number {n}"
        for c, n in zip(code, rng.integers(0, 999, 140), strict=True)
    ]
    return pa.table({"review": texts, "verdict": np.array(["bad", "good"])[code].tolist()})


def in_a_file(table: pa.Table, **spec: Any) -> Any:
    def write(folder: Path) -> DataSpec:
        write_table(table, folder / "data.csv")
        return DataSpec(folder / "data.csv", **spec)

    return write


def numbers() -> tuple[np.ndarray, np.ndarray]:
    """The sign of a sum of three columns; the fourth is always the same."""
    x = np.random.default_rng(2).normal(size=(90, 4))
    x[:, 3] = 7
    return x, (x[:, :3] @ [1.0, -2.0, 0.5] > 0).astype(np.int64)


def numbers_in_columns() -> pa.Table:
    x, y = numbers()
    return pa.table({**{f"x{place}": x[:, place] for place in range(4)}, "y": y})


HOUSES = without_some_targets(houses(), "price")
CASES = {
    "a regression on a table": Case(
        "table",
        in_a_file(HOUSES, validation=0.2, test=0.25),
        lambda: DataSpec(HOUSES, validation=0.2, test=0.25),
        {"target": "price", **SMALL},
        with_other_cells,
        says="have no value of the target 'price'",
    ),
    "a table of a pair of arrays": Case(
        "table",
        in_a_file(numbers_in_columns()),
        lambda: DataSpec(numbers()),
        {"target": "y", **SMALL},
        with_other_cells,
        says="Left out as constant (they never change): x3",
    ),
    "a table with free text": Case(
        "text",
        in_a_file(reviews(), test=0.2),
        lambda: DataSpec(reviews(), test=0.2),
        {"target": "verdict", "max_tokens": 6, **SMALL},
        with_other_cells,
        says="of more than 6 tokens, cut there",
    ),
}


@pytest.fixture(scope="module", params=CASES)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(CASES[request.param], tmp_path_factory.mktemp("data"))


def test_a_seed_makes_one_run(trained: Trained) -> None:
    trained.check_same_seed_same_run()


def test_a_run_resumes_as_if_it_had_never_stopped(trained: Trained) -> None:
    trained.check_resumes_as_if_never_stopped()


def test_a_saved_model_predicts_the_same(trained: Trained) -> None:
    trained.check_saved_and_loaded_predicts_the_same()


def test_only_training_rows_are_measured(trained: Trained) -> None:
    trained.check_statistics_are_of_training_rows()


def test_predictions_stand_in_the_order_of_the_rows(trained: Trained) -> None:
    trained.check_rows_keep_their_order()


def test_what_a_person_should_know_is_said(trained: Trained) -> None:
    trained.check_notes_are_said()


def test_data_in_memory_is_as_good_as_a_file(trained: Trained) -> None:
    trained.check_memory_equals_file()


def test_every_kind_is_checked() -> None:
    ported = {name for name, kind in KINDS.items() if not isinstance(kind, Bridged)}
    assert {case.kind for case in CASES.values()} == ported
