"""Rows are called by the lines of their file, wherever a message names one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrograd.data.tables.places import Places, RowError
from retrograd.data.tables.read import read_rows
from retrograd.errors import DataError, about
from retrograd.kinds.base.kind import DataSpec
from retrograd.kinds.registry import prepare
from retrograd.kinds.table.data import TableData, read_tables
from retrograd.kinds.table.options import TableOptions

CSV = """
size,"no
te",price
1.5,"a
b",10

,c,
2.5,"d

e",20
x,f,30
3.5,g,cheap
"""
LINES = [4, 7, 8, 11, 12]


def test_lines_are_counted_with_the_header_empty_lines_and_line_ends_in_cells(
    tmp_path: Path,
) -> None:
    for name, contents in {
        "plain.csv": CSV,
        "windows.csv": CSV.replace("\n", "\r\n"),
        "pipes.csv": CSV.replace(",", "|"),
    }.items():
        path = tmp_path / name
        path.write_text(contents, newline="")
        places = read_rows(path).places
        assert places.numbers.tolist() == LINES
        assert places[[3, 0]].listed() == "line 11, 4"
        assert places.listed(most=2) == "line 4, 7 and 3 more"


def test_rows_of_other_tables_are_counted_from_one(tmp_path: Path) -> None:
    table = pa.table({"a": [1.5, 2.5], "b": ["x", "y"]})
    pq.write_table(table, tmp_path / "t.parquet")
    for data in (table, tmp_path / "t.parquet"):
        places = read_rows(data).places
        assert [places.of(0), places[np.array([1])].of(0)] == ["row 1", "row 2"]


def test_a_cell_that_cannot_be_used_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "houses.csv"
    path.write_text(CSV)
    for target, message in {
        "price": r"houses.csv: Column 'price', line 12: found 'cheap', expected a number",
        "size": r"houses.csv: Column 'size', line 11: found 'x', expected a number",
    }.items():
        options = TableOptions(target=target, task="regression")
        with pytest.raises(DataError, match=message):
            read_tables(DataSpec(path), options)


def test_rows_left_out_before_do_not_shift_the_line(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("x,y\n" + "".join(f"{n}.5,{n}.25\n" for n in range(30)))
    (tmp_path / "valid.csv").write_text("x,y\n1.5,2\n2.5,\n,NA\nsoon,3\n")
    spec = DataSpec(tmp_path / "train.csv", validation=tmp_path / "valid.csv")
    with pytest.raises(DataError, match=r"valid.csv: Column 'x', line 5: found 'soon'") as caught:
        prepare("table", spec, TableOptions(target="y", width=4, members=1))
    assert "train.csv" not in str(caught.value)


def test_rows_without_a_target_are_counted_in_every_part(tmp_path: Path) -> None:
    rows = "".join(f"{n}.5,{n}.25\n" for n in range(30))
    for name in ("train", "valid", "test"):
        (tmp_path / f"{name}.csv").write_text(f"x,y\n{rows}1.5,\n2.5,NA\n")
    spec = DataSpec(*(tmp_path / f"{name}.csv" for name in ("train", "valid", "test")))
    notes = read_tables(spec, TableOptions(target="y")).notes
    assert any("2 of 32 rows have no value in the target 'y'" in note for note in notes)
    for name in ("valid", "test"):
        assert any(
            note.endswith(f"{name}.csv: 2 rows without a target value: left out.") for note in notes
        )


def test_places_go_with_the_rows_that_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "houses.csv"
    path.write_text("x,y\n1.5,2\n2.5,\n3.5,7\n4.5,8\n")
    data = read_tables(DataSpec(path), TableOptions(target="y")).train
    assert isinstance(data, TableData)
    taken = data.take(np.array([2, 1]))
    assert [taken.places.of(row) for row in range(2)] == ["line 5", "line 4"]


def test_the_innermost_file_is_named_alone() -> None:
    places = Places.from_one(3, "inner.csv")
    with pytest.raises(DataError) as caught, about("outer.csv"), places.named():
        raise RowError("Column 'a', ", 2, ": found nothing.")
    assert str(caught.value) == "inner.csv: Column 'a', row 3: found nothing."
    assert str(RowError("Column 'a', ", 2, ": found {}.")) == "Column 'a', row 3: found {}."
