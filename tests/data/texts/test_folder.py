"""Folders of texts and columns of text: what is read, what is left out, what is refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from retrograd.data import infer_schema
from retrograd.data.texts.columns import is_empty, read_texts, refuse_many_empty
from retrograd.data.texts.folder import is_text_folder, parts_of, read_text_folder
from retrograd.errors import DataError


def write(folder: Path, texts: dict[str, str | bytes]) -> Path:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_sub_folders_are_the_labels(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "neg/b.txt": "bad",
            "neg/a.txt": "worse",
            "pos/deep/c.txt": "\ufeffgood\r\nfilm",
            "pos/notes.md": "no text",
            ".hidden/d.txt": "not this",
            "top.txt": "nor this",
        },
    )
    assert is_text_folder(tmp_path)
    assert read_text_folder(tmp_path).to_dict(as_series=False) == {
        "path": ["neg/a.txt", "neg/b.txt", "pos/deep/c.txt"],
        "text": ["worse", "bad", "good\nfilm"],
        "label": ["neg", "neg", "pos"],
    }


def test_without_sub_folders_there_is_no_label(tmp_path: Path) -> None:
    write(tmp_path, {"b.txt": "two", "a.txt": "one"})
    assert not is_text_folder(tmp_path)
    assert read_text_folder(tmp_path).to_dict(as_series=False) == {
        "path": ["a.txt", "b.txt"],
        "text": ["one", "two"],
    }


@pytest.mark.parametrize("name", ["valid", "val", "dev", "validation"])
def test_parts_are_found_by_their_usual_names(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"train/a/1.txt": "x", f"{name}/a/1.txt": "y", "test/a/1.txt": "z"})
    assert is_text_folder(tmp_path)
    assert parts_of(tmp_path) == {
        "train": tmp_path / "train",
        "valid": tmp_path / name,
        "test": tmp_path / "test",
    }


def test_a_class_called_test_is_a_class(tmp_path: Path) -> None:
    write(tmp_path, {"test/1.txt": "x", "other/1.txt": "y"})
    assert parts_of(tmp_path) == {"train": tmp_path}


@pytest.mark.parametrize("broken", [b"", b" \n", b"caf\xe9 and so on", b"a\0b"])
def test_a_broken_text_is_left_out_and_named(tmp_path: Path, broken: bytes) -> None:
    many = {f"a/{place}.txt": "fine" for place in range(120)}
    write(tmp_path, {**many, "b/odd.txt": broken})
    notes: list[str] = []
    frame = read_text_folder(tmp_path, notes)
    assert len(frame) == 120
    assert len(notes) == 1
    assert notes[0].startswith("1 text left out. The first: ")
    assert "odd.txt" in notes[0]


def test_too_many_broken_texts_are_refused(tmp_path: Path) -> None:
    many = {f"a/{place}.txt": "fine" for place in range(97)}
    write(tmp_path, {**many, "b/1.txt": "", "b/2.txt": b"\xff\xfe\xfa"})
    with pytest.raises(DataError, match=r"2 of the 99 texts in .* cannot be read; .*1%.*b/1.txt"):
        read_text_folder(tmp_path)


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.png": "x"})
    assert not is_text_folder(tmp_path)
    with pytest.raises(DataError, match=r"holds no .txt files"):
        read_text_folder(tmp_path)


def reviews(texts: list[str | None]) -> pa.Table:
    return pa.table({"review": texts, "stars": [place % 2 for place in range(len(texts))]})


def test_empty_texts_are_counted_and_named_by_row() -> None:
    texts: list[str | None] = [f"a long and winding review of film {n} of many" for n in range(300)]
    texts[7], texts[100] = None, "  "
    frame = reviews(texts)
    schema = infer_schema(frame, "stars")
    notes: list[str] = []
    read = read_texts(frame, schema, notes)
    assert read[0][6:9] == [texts[6], "", texts[8]]
    assert "'review': 2 rows without a text (row 8, 101)" in notes[0]
    note = refuse_many_empty(is_empty(read), schema)
    assert note == "2 rows of 300 without a text in 'review' are left out (row 8, 101)."


def test_more_than_one_empty_text_in_a_hundred_is_refused() -> None:
    texts: list[str | None] = [f"a long and winding review of film {n} of many" for n in range(99)]
    frame = reviews([*texts, "", None])
    schema = infer_schema(frame, "stars")
    empty = is_empty(read_texts(frame, schema))
    with pytest.raises(DataError, match=r"2 rows of 101 without .*row 100, 101.*at most 1%"):
        refuse_many_empty(empty, schema)
    assert not refuse_many_empty(empty[:99], schema)
