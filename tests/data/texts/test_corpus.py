"""A text is read as it stands, or refused with the place of what is wrong; characters are codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrograd.data.texts.corpus import Vocabulary, read_text
from retrograd.errors import DataError


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_read_in_its_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("Grüße, 世界 🙂\r\nEnde\rX".encode(encoding))
    notes: list[str] = []
    assert read_text(path, notes) == "Grüße, 世界 🙂\nEnde\nX"
    assert notes == []


def test_a_text_in_an_old_encoding_is_read_and_said(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("“très réussi” für 5 €".encode("cp1252"))
    notes: list[str] = []
    assert read_text(path, notes) == "“très réussi” für 5 €"
    assert notes == [f"{path} is not UTF-8; it was read as cp1252."]


def test_a_bad_byte_in_unicode_is_replaced_and_named(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("Zürich, Genève, ".encode() + b"Caf\xe9")
    notes: list[str] = []
    assert read_text(path, notes) == "Zürich, Genève, Caf\ufffd"
    assert "text.txt has bytes that are not UTF-8, the first at byte 21; " in notes[0]


@pytest.mark.parametrize("content", [b"", b" \n\t"])
def test_an_empty_text_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"text\.txt holds no text"):
        read_text(path)


def test_a_binary_file_is_refused_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes(b"ab\0cd")
    with pytest.raises(DataError, match="null character at position 2"):
        read_text(path)


def test_a_missing_file_is_refused_with_near_names(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("x")
    with pytest.raises(DataError, match=r"Did you mean corpus\.txt"):
        read_text(tmp_path / "corpsu.txt")


@given(st.text(min_size=1))
def test_codes_are_the_text(text: str) -> None:
    vocabulary = Vocabulary.of(text)
    codes = vocabulary.encode(text)
    assert vocabulary.characters == tuple(sorted(set(text)))
    assert [vocabulary.characters[code] for code in codes] == list(text)
    assert vocabulary.decode(codes) == text


@given(st.text(min_size=1), st.text())
def test_unknown_characters_are_left_out_and_said(known: str, text: str) -> None:
    notes: list[str] = []
    vocabulary = Vocabulary.of(known)
    kept = "".join(each for each in text if each in known)
    assert vocabulary.decode(vocabulary.encode(text, notes, "the prompt")) == kept
    lost = len(text) - len(kept)
    assert bool(notes) == bool(lost)
    if lost:
        assert notes[0].startswith(f"{lost:,} character")
        assert "of the prompt" in notes[0]


def test_codes_are_int32() -> None:
    assert Vocabulary.of("ab").encode("ba").dtype == np.int32
