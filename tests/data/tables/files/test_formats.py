"""Every format that holds a table gives the same rows, as pandas and others write it."""

from __future__ import annotations

import bz2
import datetime
import gzip
import io
import json
import lzma
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from retrograd.data import infer_schema, read_table
from retrograd.data.tables.files.contents import bare_name, standard_input
from retrograd.data.tables.preprocess import Preprocessor
from retrograd.data.tables.read import read_rows
from retrograd.errors import DataError, UsageError

HOUSES = pd.DataFrame(
    {
        "size": [70.5, None, 91, 120, 64.25],
        "beds": [2, 3, 3, 5, 1],
        "zip": ["00501", "10001", "02134", "10001", "00501"],
        "sold": pd.to_datetime(["2020-02-29", "2020-03-01", "2021-01-02", "2019-12-31", None]),
        "pool": [True, False, True, True, False],
        "price": [300.5, 420, 250.25, 900, 100],
    }
)


def with_arrow(name: str) -> Callable[[bytes], bytes]:
    def compressed(contents: bytes) -> bytes:
        out = pa.BufferOutputStream()
        with pa.CompressedOutputStream(out, name) as stream:
            stream.write(contents)
        return out.getvalue().to_pybytes()

    return compressed


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": with_arrow("zstd"),
    ".lz4": with_arrow("lz4"),
}

WRITE: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    ".parquet": lambda frame, path: frame.to_parquet(path),
    ".feather": lambda frame, path: frame.to_feather(path),
    ".arrow": lambda frame, path: frame.to_feather(path, compression="zstd"),
    ".jsonl": lambda frame, path: frame.to_json(
        path, orient="records", lines=True, date_format="iso"
    ),
    ".json": lambda frame, path: frame.to_json(path, orient="records", date_format="iso"),
    ".xlsx": lambda frame, path: frame.to_excel(path, index=False),
    ".ods": lambda frame, path: frame.to_excel(path, index=False, engine="odf"),
}


@pytest.mark.parametrize("suffix", WRITE)
def test_a_table_is_the_same_to_a_network_in_every_format(tmp_path: Path, suffix: str) -> None:
    HOUSES.to_csv(tmp_path / "houses.csv", index=False)
    learned = read_table(tmp_path / "houses.csv")
    kinds = {"zip": "category", "beds": "number", "size": "number"}
    schema = infer_schema(learned, "price", kinds)
    fitted = Preprocessor.fit(learned, schema, seed=0)
    path = tmp_path / f"again{suffix}"
    WRITE[suffix](HOUSES, path)
    frame, expected = read_table(path), fitted.transform(learned)
    assert frame.columns == list(HOUSES)
    found = fitted.transform(frame)
    assert found.numbers.tolist() == expected.numbers.tolist()
    assert found.categories.tolist() == expected.categories.tolist()
    assert fitted.target(frame).tolist() == fitted.target(learned).tolist()
    kinds_there = {column.name: column.kind for column in infer_schema(frame, "price").columns}
    assert (kinds_there["sold"], kinds_there["pool"]) == ("date", "flag")


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".xlsx"])
def test_any_of_them_may_be_compressed(tmp_path: Path, suffix: str, compression: str) -> None:
    plain = tmp_path / f"houses{suffix}"
    WRITE[suffix](HOUSES, plain)
    path = tmp_path / f"packed{suffix}{compression}"
    path.write_bytes(COMPRESS[compression](plain.read_bytes()))
    assert read_table(path).to_native().equals(read_table(plain).to_native())
    assert bare_name(path) == "packed"


def test_compression_is_seen_in_the_bytes_not_in_the_name(tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    (tmp_path / "plain.csv.gz").write_bytes(b"a,b\n1,2\n")
    for name in ("houses.csv", "plain.csv.gz"):
        assert read_table(tmp_path / name).to_dict(as_series=False) == {"a": ["1"], "b": ["2"]}


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".feather", ".jsonl", ".xlsx"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_standard_input_may_hold_any_of_them(
    tmp_path: Path,
    suffix: str,
    compress: Callable[[bytes], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / f"houses{suffix}"
    WRITE[suffix](HOUSES, path)
    piped = io.TextIOWrapper(io.BytesIO(compress(path.read_bytes())))
    monkeypatch.setattr(sys, "stdin", piped)
    found = read_rows(standard_input())
    assert found.frame.to_native().equals(read_table(path).to_native())


@pytest.mark.parametrize(
    ("given", "sign"),
    [("^", "^"), ("~", "~"), (":", ":"), ("space", " "), ("tab", "\t"), ("\\t", "\t"), ("|", "|")],
)
def test_another_separator_is_read_when_it_is_named(tmp_path: Path, given: str, sign: str) -> None:
    path = tmp_path / "houses.csv"
    path.write_text("a,b;c\n1,2;3\n".replace(";", sign))
    expected = {"a,b": ["1,2"], "c": ["3"]}
    assert read_table(path, separator=given).to_dict(as_series=False) == expected


def test_a_separator_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "houses.csv").write_text("a,b\n1,2\n")
    for given in ("", "::", '"', "\n", "é"):
        with pytest.raises(UsageError, match="expected one character, or one of comma, semicolon"):
            read_table(tmp_path / "houses.csv", separator=given)


def test_a_table_of_one_column_asks_for_the_separator() -> None:
    with pytest.raises(DataError, match="separated otherwise, say so: --sep"):
        infer_schema(pa.table({"a^b": ["1^2", "3^4"]}), "b")


def sheet(path: Path, *sheets: list[list[Any]]) -> Path:
    """A workbook of sheets, each of them rows of cells."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for place, rows in enumerate(sheets, 1):
        page = book.create_sheet(f"page {place}")
        for row in rows:
            page.append(row)
    book.save(path)
    return path


def test_a_workbook_is_read_from_the_first_sheet_that_holds_anything(tmp_path: Path) -> None:
    notes: list[str] = []
    rows = [["size", 2019], [1.5, "x"], [None, None], [2, "y"]]
    path = sheet(tmp_path / "book.xlsx", [], rows, [["a"], [1]])
    found = read_rows(path, notes)
    assert found.frame.to_dict(as_series=False) == {"size": [1.5, 2.0], "2019": ["x", "y"]}
    assert [found.places.of(row) for row in range(2)] == ["row 2", "row 4"]
    assert "'page 2' is read, 1 other not" in notes[0]


def test_cells_of_several_types_are_texts_as_the_sheet_shows_them(tmp_path: Path) -> None:
    day = datetime.datetime(2020, 1, 2)
    cells = [3.0, "x", True, day, day.replace(hour=10), 0.5]
    path = sheet(tmp_path / "book.xlsx", [["a"], *([cell] for cell in cells)])
    found = read_table(path)["a"].to_list()
    assert found == ["3", "x", "True", "2020-01-02", "2020-01-02 10:00:00", "0.5"]


def test_columns_of_a_workbook_may_be_times_and_lengths_of_time(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    clock, took = datetime.time(8, 15, 30), datetime.timedelta(hours=2)
    sheet(path, [["at", "took", "y"], *([clock, took, n + 0.5] for n in range(3))])
    columns = infer_schema(read_table(path), "y", {"at": "number"}).columns
    assert columns[0].kind == "number"


BROKEN = {
    "a.xlsx": (b"PK\x03\x04rest", "cannot be read as a workbook"),
    "b.xlsx": (b"", "cannot be read as a workbook"),
    "a.feather": (b"ARROW1rest", "cannot be read as Arrow or Feather"),
    "b.feather": (b"", "cannot be read as Arrow or Feather"),
    "a.jsonl": (b'{"a": 1}\n\n{"a"', r"a.jsonl, line 3: this is no JSON of rows"),
    "b.jsonl": (b'{"a": 1}\n[3]\n', r"line 2: .*Found '\[3\]', expected an object"),
    "c.jsonl": (b"\n", "is empty"),
    "a.json": (b"[1, 2]", r"row 1: .*Found '1', expected an object"),
    "b.json": (b"[", "b.json: this is no JSON of rows"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_its_name(tmp_path: Path, name: str) -> None:
    contents, message = BROKEN[name]
    (tmp_path / name).write_bytes(contents)
    with pytest.raises(DataError, match=message) as caught:
        read_table(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize("name", ["t.jsonl", "t.json"])
def test_json_columns_of_several_types_are_texts(tmp_path: Path, name: str) -> None:
    rows = [{"a": 1, "b": True}, {"a": "unknown", "c": 2.5}, {"a": 3.0, "b": None}]
    lines = [json.dumps(row) for row in rows]
    text = "\n".join(lines) if name == "t.jsonl" else f"[{', '.join(lines)}]"
    (tmp_path / name).write_text(text)
    assert read_table(tmp_path / name).to_dict(as_series=False) == {
        "a": ["1", "unknown", "3"],
        "b": [True, None, None],
        "c": [None, 2.5, None],
    }


def test_rows_of_json_are_called_by_their_lines_where_they_have_one_each(tmp_path: Path) -> None:
    for text, places in {
        '{"a": 1}\n\n{"a": 2}\n': ["line 1", "line 3"],
        '{"a":\n 1}\n{"a":\n 2}\n': ["row 1", "row 2"],
        '[{"a": 1},\n{"a": 2}]': ["row 1", "row 2"],
    }.items():
        (tmp_path / "t.json").write_text(text)
        found = read_rows(tmp_path / "t.json").places
        assert [found.of(row) for row in range(2)] == places


def test_an_empty_workbook_and_one_without_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"book.xlsx is empty"):
        read_table(sheet(tmp_path / "book.xlsx", []))
    assert read_table(sheet(tmp_path / "book.xlsx", [["a", "b"]])).shape == (0, 2)
