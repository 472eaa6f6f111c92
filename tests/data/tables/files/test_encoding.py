"""A byte that does not belong to a file's encoding does not change how the rest is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrograd.data import read_table

CITIES = ["Zürich", "Genève"] * 20


def read(tmp_path: Path, contents: bytes) -> tuple[list[str], list[str]]:
    notes: list[str] = []
    (tmp_path / "cities.csv").write_bytes(contents)
    return read_table(tmp_path / "cities.csv", notes)["city"].to_list(), notes


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_one_stray_byte_is_replaced_and_named(tmp_path: Path, mark: bytes) -> None:
    text = "city,n\n" + "".join(f"{city},1\n" for city in CITIES)
    cities, notes = read(tmp_path, mark + text.encode() + b"Caf\xe9,1\n")
    assert cities == [*CITIES, "Caf\ufffd"]
    assert len(notes) == 1
    assert "line 42, byte 4: 0xe9 is not UTF-8; it is replaced" in notes[0]


def test_several_stray_bytes_are_counted(tmp_path: Path) -> None:
    text = "city,n\n" + "".join(f"{city},1\n" for city in CITIES)
    cities, notes = read(tmp_path, text.encode() + b"\xe9\xe8,1\nx\xff,1\n")
    assert cities[-2:] == ["\ufffd\ufffd", "x\ufffd"]
    assert "3 bytes that are not UTF-8, the first 0xe9 in line 42, byte 1" in notes[0]


def test_a_replacement_character_of_the_file_is_not_counted(tmp_path: Path) -> None:
    cities, notes = read(tmp_path, "city,n\n\ufffd,1\nZürich,1\nGenève,1\n".encode() + b"\xe9,2\n")
    assert cities == ["\ufffd", "Zürich", "Genève", "\ufffd"]
    assert "line 5, byte 1: 0xe9" in notes[0]


def test_a_byte_too_few_of_utf_16_is_replaced_too(tmp_path: Path) -> None:
    cities, notes = read(tmp_path, "city,n\nZürich,1\nGenève,2".encode("utf-16")[:-1])
    assert cities == ["Zürich", "Genève"]
    assert "not UTF-16" in notes[0]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_a_file_that_is_another_encoding_is_read_as_such(tmp_path: Path, encoding: str) -> None:
    text = "city,n\n" + "".join(f"{city},1\n" for city in CITIES)
    cities, notes = read(tmp_path, text.encode(encoding))
    assert cities == CITIES
    assert "is not UTF-8; it was read as cp1252" in notes[0]


def test_more_bytes_of_another_encoding_decide_for_it(tmp_path: Path) -> None:
    one, other = "city,n\nGenève,1\n".encode(), "Orléans,1\n".encode("cp1252")
    assert read(tmp_path, one + other)[0] == ["Genève", "Orl\ufffdans"]
    assert read(tmp_path, one + 2 * other)[0] == ["GenÃ¨ve", "Orléans", "Orléans"]
