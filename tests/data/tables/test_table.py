"""Tables are read as they stand, written so that they read back, and refused in one clear line."""

from __future__ import annotations

import codecs
import csv
import gzip
import os
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrograd.data import read_table, take_rows, write_table
from retrograd.errors import DataError, UsageError


def cells(frame: nw.DataFrame[Any]) -> dict[str, list[Any]]:
    return frame.to_dict(as_series=False)


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    return tmp_path / "houses.csv"


HOUSES = {"city": ["Rio Linda", "Galt"], "zip": ["00501", "95632"], "price": ["1,200", "$95"]}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".CSV"])
def test_any_of_the_usual_separators_is_found(tmp_path: Path, separator: str, suffix: str) -> None:
    path = tmp_path / f"houses{suffix}"
    pd.DataFrame(HOUSES).to_csv(path, sep=separator, index=False)
    assert cells(read_table(path)) == HOUSES


def test_a_comma_in_numbers_does_not_hide_the_semicolon(csv_file: Path) -> None:
    csv_file.write_text("a;b\n1,5;2,5\n3,5;4,5\n")
    assert cells(read_table(csv_file)) == {"a": ["1,5", "3,5"], "b": ["2,5", "4,5"]}


def test_the_suffix_decides_between_separators_that_fit_alike(tmp_path: Path) -> None:
    for suffix, names in {".csv": ["a", "b\tc"], ".tsv": ["a,b", "c"]}.items():
        path = tmp_path / f"table{suffix}"
        path.write_text("a,b\tc\n1,2\t3\n")
        assert read_table(path).columns == names


def test_a_field_that_runs_on_past_the_sample_does_not_mislead(csv_file: Path) -> None:
    rows = "1,x\n" * 99 + '"one\ntwo",x\n'
    csv_file.write_text("a;b;c,note\n" + rows)
    assert read_table(csv_file).columns == ["a;b;c", "note"]


def test_line_ends_in_fields_do_not_break_a_large_file(csv_file: Path) -> None:
    note = "line\n" * 40
    csv_file.write_text("note,n\n" + f'"{note}",1\n' * 90_000)
    frame = read_table(csv_file)
    assert frame.shape == (90_000, 2)
    assert frame["note"].unique().to_list() == [note]


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "utf-16"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
    ],
)
def test_an_encoding_is_recognised_and_said(csv_file: Path, encoding: str, note: str) -> None:
    csv_file.write_text("köln,preis\nDüren,1\nZürich,2\n", encoding=encoding)
    notes: list[str] = []
    assert cells(read_table(csv_file, notes)) == {"köln": ["Düren", "Zürich"], "preis": ["1", "2"]}
    assert [note in text for text in notes] == ([True] if note else [])


def test_bytes_without_a_windows_character_are_latin_1(csv_file: Path) -> None:
    csv_file.write_bytes(b"a,b\n\x81,1\n")
    notes: list[str] = []
    assert cells(read_table(csv_file, notes))["a"] == ["\x81"]
    assert "latin-1" in notes[0]


def test_big_endian_utf_16_is_read(csv_file: Path) -> None:
    csv_file.write_bytes(codecs.BOM_UTF16_BE + "a,b\né,1\n".encode("utf-16-be"))
    assert cells(read_table(csv_file)) == {"a": ["é"], "b": ["1"]}


def test_quoted_separators_quotes_and_line_ends_are_cells(csv_file: Path) -> None:
    rows = [["a,1", 'say "hi"'], ["two\nlines", ""], [" spaces ", "é"]]
    with csv_file.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["first, name", "b"], *rows])
    expected = {"first, name": [row[0] for row in rows], "b": [row[1] for row in rows]}
    assert cells(read_table(csv_file)) == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(csv_file: Path, end: str) -> None:
    csv_file.write_text(f"a,b{end}1,2{end}3,4{end}", newline="")
    assert cells(read_table(csv_file)) == {"a": ["1", "3"], "b": ["2", "4"]}


def test_spaces_around_names_and_empty_lines_are_dropped(csv_file: Path) -> None:
    csv_file.write_text("\n a , b\n1,2\n\n3,4\n\n")
    assert cells(read_table(csv_file)) == {"a": ["1", "3"], "b": ["2", "4"]}


def test_a_line_longer_than_a_csv_field_may_be_is_read(csv_file: Path) -> None:
    columns = [f"column_{number:05}" for number in range(15_000)]
    csv_file.write_text(",".join(columns) + "\n" + ",".join("7" * 15_000) + "\n")
    frame = read_table(csv_file)
    assert frame.columns == columns
    assert {value for (value,) in cells(frame).values()} == {"7"}


@pytest.mark.parametrize("row", [0, 9, 240])
def test_a_long_cell_is_read_wherever_it_stands(csv_file: Path, row: int) -> None:
    limit = csv.field_size_limit()
    texts = [f"a text {number}" for number in range(250)]
    texts[row] = "word, " * 30_000
    lines = [f'"{text}",{number}' for number, text in enumerate(texts)]
    csv_file.write_text("\n".join(["text,y", *lines]))
    assert read_table(csv_file)["text"].to_list() == texts
    csv_file.write_text("\n".join(["text,y", *lines, "ragged"]))
    with pytest.raises(DataError, match="line 252: found 1 field, expected 2"):
        read_table(csv_file)
    assert csv.field_size_limit() == limit


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "houses.parquet"
    table = pa.table({"price": [1.5, None], "beds": [2, 3], "city": ["a", "b"]})
    pq.write_table(table, path)
    assert read_table(path).to_native().equals(table)


REFUSED = {
    "empty": ("", "is empty"),
    "blank": ("\n\n", "is empty"),
    "duplicate names": ("a,b,a\n1,2,3\n", "column name 'a' occurs more than once"),
    "unnamed column": (",a\n1,2\n", "column 1 of 2 has no name"),
    "no header": ("7.4,1\n0.5,2\n", "every column name is a number"),
    "short row": ("a,b\n1,2\n3\n", "line 3: found 1 field, expected 2"),
    "long row": ("a,b\n1,2\n3,4,5\n", "line 3: found 3 fields, expected 2"),
    "long row after a quoted line end": (
        'a,b\n"1\n1",2\n\n3,4,5\n',
        "line 5: found 3 fields, expected 2",
    ),
    "open quote": ('a,b\n1,"2\n3,4\n5,6\n', "quote before .* is never closed"),
    "endless field": ('a,b\n"' + "x" * 140_000 + ",1\n", "quote before .* is never closed"),
    "open quote in the header": ('a,"b\n' + "1,2\n" * 200, "a quote in the header is not closed"),
    "short row that ends in lines": ('a,b\n"1\n2"\n3,4\n', "line 2: found 1 field, expected 2"),
    "zero bytes": ("a,b\n".encode("utf-16-le"), "zero bytes"),
    "workbook": (b"PK\x03\x04rest", "workbook or zip"),
    "cut gzip": (gzip.compress(b"a,b\n1,2\n" * 99)[:-12], r"cannot be decompressed \(gzip\)"),
    "damaged zstd": (b"\x28\xb5\x2f\xfd" + b"x" * 20, r"cannot be decompressed \(zstd\)"),
    "damaged xz": (b"\xfd7zXZ\x00" + b"x" * 20, r"cannot be decompressed \(xz\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_no_table_is_refused_with_its_name(csv_file: Path, case: str) -> None:
    contents, message = REFUSED[case]
    csv_file.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    with pytest.raises(DataError, match=message) as caught:
        read_table(csv_file)
    assert str(csv_file) in str(caught.value)


def test_a_ragged_row_is_named_beyond_the_first_block(csv_file: Path) -> None:
    lines = ["a,b", *(f"{number},x" for number in range(300_000)), "oops", "1,2"]
    csv_file.write_text("\n".join(lines))
    with pytest.raises(DataError, match="line 300002: found 1 field, expected 2"):
        read_table(csv_file)


def test_a_missing_file_suggests_the_near_names(csv_file: Path) -> None:
    csv_file.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"No such file: .*house.csv. Did you mean houses.csv\?"):
        read_table(csv_file.with_name("house.csv"))


def test_a_missing_folder_and_a_folder_are_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the folder .*elsewhere does not exist"):
        read_table(tmp_path / "elsewhere" / "houses.csv")
    with pytest.raises(DataError, match="is a folder; expected a file"):
        read_table(tmp_path)


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "houses.doc"
    path.touch()
    with pytest.raises(DataError, match=r"cannot read a table from .doc; expected .csv"):
        read_table(path)


@pytest.mark.parametrize("contents", [b"", b"PAR1", b"not a table at all", b"PAR1" * 8])
def test_a_broken_parquet_file_is_refused(tmp_path: Path, contents: bytes) -> None:
    path = tmp_path / "houses.parquet"
    path.write_bytes(contents)
    with pytest.raises(DataError, match=r"houses.parquet cannot be read as Parquet"):
        read_table(path)


def test_a_file_of_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([], pa.int64())}), tmp_path / "houses.parquet")
    assert read_table(tmp_path / "houses.parquet").shape == (0, 1)
    for contents in ("a,b\n", "a,b", " a , b\n\n"):
        (tmp_path / "houses.csv").write_text(contents)
        assert cells(read_table(tmp_path / "houses.csv")) == {"a": [], "b": []}


NAMES = st.text("abc ,;\"'é\n", min_size=1).map(lambda text: f"x{text}x")
TABLES = st.lists(NAMES, min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.fixed_dictionaries(
        {name: st.lists(st.text("ab \t,;\"'é\n\r"), min_size=3, max_size=3) for name in names}
    )
)


@given(table=TABLES, suffix=st.sampled_from([".csv", ".tsv"]))
def test_what_is_written_reads_back_here_and_in_the_csv_module(
    tmp_path_factory: pytest.TempPathFactory, table: dict[str, list[str]], suffix: str
) -> None:
    path = tmp_path_factory.mktemp("written") / f"table{suffix}"
    write_table(pa.table(table), path)
    with path.open(newline="", encoding="utf-8") as file:
        separator = "\t" if suffix == ".tsv" else ","
        header, *rows = csv.reader(file, delimiter=separator)
    assert header == list(table)
    assert [list(column) for column in zip(*rows, strict=True)] == list(table.values())
    assert cells(read_table(path)) == table


def test_numbers_flags_dates_and_gaps_are_written_plainly(csv_file: Path) -> None:
    frame = pd.DataFrame(
        {
            "x": [0.1, None, 1e300],
            "n": [1, 2, 3],
            "flag": [True, False, True],
            "day": pd.to_datetime(["2020-01-02", None, "2021-12-31"]).date,
            "kind": pd.Categorical(["a", "b", None]),
        }
    )
    write_table(frame, csv_file)
    assert csv_file.read_text() == (
        "x,n,flag,day,kind\n0.1,1,true,2020-01-02,a\n,2,false,,b\n1e+300,3,true,2021-12-31,\n"
    )


def test_a_table_read_and_written_is_the_same_file(csv_file: Path) -> None:
    csv_file.write_text('id,note\n007,"a, b"\n1.50,\n+3,"say ""hi"""\n')
    copy = csv_file.with_name("copy.csv")
    write_table(read_table(csv_file), copy)
    assert copy.read_bytes() == csv_file.read_bytes()


def test_writing_parquet_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    table = pa.table({"a": [1.5, None], "b": ["x", "y"]})
    write_table(nw.from_native(table), path)
    assert pq.read_table(path).equals(table)


def test_a_failed_write_leaves_the_old_file(csv_file: Path) -> None:
    csv_file.write_text("old")
    nested = pa.table({"a": [1, 2], "b": [[1], [2]]})
    with pytest.raises(DataError, match="Column 'b' holds values of type list"):
        write_table(nested, csv_file)
    assert csv_file.read_text() == "old"
    assert os.listdir(csv_file.parent) == [csv_file.name]


def test_writing_to_another_suffix_or_folder_is_refused(tmp_path: Path) -> None:
    table = pa.table({"a": [1]})
    with pytest.raises(UsageError, match=r"expected .csv, .tsv, .parquet"):
        write_table(table, tmp_path / "out.xlsx")
    with pytest.raises(UsageError, match="the folder does not exist"):
        write_table(table, tmp_path / "nowhere" / "out.csv")


def test_rows_are_taken_in_the_order_asked_for() -> None:
    frame = pd.DataFrame({"a": [10, 11, 12], "b": list("xyz")}, index=[5, 6, 7])
    taken = take_rows(nw.from_native(frame), np.array([2, 0, 2]))
    assert cells(taken) == {"a": [12, 10, 12], "b": ["z", "x", "z"]}
