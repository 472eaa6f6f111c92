"""Folders of texts and columns of text: what is read, what is left out, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from retrograd.data import infer_schema
from retrograd.data.tables.places import Places
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


@pytest.mark.parametrize("broken", [b"", b" \n", b"a\0b"])
def test_a_broken_text_is_left_out_and_named(tmp_path: Path, broken: bytes) -> None:
    many = {f"a/{place}.txt": "fine" for place in range(30)}
    write(tmp_path, {**many, "b/odd.txt": broken})
    notes: list[str] = []
    frame = read_text_folder(tmp_path, notes)
    assert len(frame) == 30
    assert len(notes) == 1
    assert notes[0].startswith("1 text of 31 left out: ")
    assert "odd.txt" in notes[0]


def test_too_many_broken_texts_are_refused(tmp_path: Path) -> None:
    many = {f"a/{place}.txt": "fine" for place in range(8)}
    write(tmp_path, {**many, "b/1.txt": "", "b/2.txt": b"\0"})
    with pytest.raises(DataError, match=r"2 of the 10 texts in .* at most 1: .*b/1.txt .*b/2.txt"):
        read_text_folder(tmp_path)


def test_texts_in_other_encodings_are_read_and_said(tmp_path: Path) -> None:
    old, odd = "très réussi".encode("cp1252"), "über".encode() + b" caf\xe9"
    write(tmp_path, {"a/1.txt": old, "a/2.TXT": "très raté".encode("utf-16"), "b/3.txt": odd})
    notes: list[str] = []
    texts = read_text_folder(tmp_path, notes)["text"].to_list()
    assert texts == ["très réussi", "très raté", "über caf\ufffd"]
    assert notes == [
        f"1 text is not UTF-8, and read in another encoding: {tmp_path}/a/1.txt as cp1252.",
        f"1 text has bytes that are no character, replaced by \ufffd: {tmp_path}/b/3.txt, byte 9.",
    ]


def test_hidden_copies_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.txt": "x", "b/2.txt": "y", "a/._1.txt": b"\0\5\x16\7"})
    write(tmp_path, {"a/.ipynb_checkpoints/1.txt": "x", "__MACOSX/a/1.txt": "x", "~$z/1.txt": "z"})
    notes: list[str] = []
    assert read_text_folder(tmp_path, notes)["path"].to_list() == ["a/1.txt", "b/2.txt"]
    assert notes == []


def test_what_is_not_read_is_counted(tmp_path: Path) -> None:
    write(tmp_path, {"a/1.txt": "x", "b/2.txt": "y", "b/n.md": "z", "c/d.docx": "z", "e.txt": "w"})
    notes: list[str] = []
    assert len(read_text_folder(tmp_path, notes)) == 2
    assert notes == [
        "Sub-folders without texts are ignored: c.",
        f"1 text beside the class folders of {tmp_path}: ignored.",
        "2 files passed over, since .txt files are read: .md (1), .docx (1).",
    ]


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
    places = Places(np.arange(10, 310))
    note = refuse_many_empty(is_empty(read), places, schema)
    assert note == "2 rows of 300 without a text in 'review' are left out (row 18, 111)."


def test_more_empty_texts_than_a_few_are_refused() -> None:
    texts: list[str | None] = [f"a long and winding review of film {n} of many" for n in range(58)]
    frame = reviews([*texts, *[""] * 5, None])
    schema = infer_schema(frame, "stars")
    empty, places = is_empty(read_texts(frame, schema)), Places.from_one(64)
    with pytest.raises(DataError, match=r"6 rows of 64 without .*row 59, 60, .* at most 5 rows"):
        refuse_many_empty(empty, places, schema)
    assert refuse_many_empty(empty[:63], places[:63], schema)
    assert not refuse_many_empty(empty[:58], places[:58], schema)
