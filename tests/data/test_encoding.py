"""The encoding of a text is told from its bytes; Python's codecs say what the text is."""

from __future__ import annotations

import pytest

from retrograd.data.encoding import decoded


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", "plain"),
        ("utf-8", "Zürich 世界"),
        ("utf-8-sig", "Zürich"),
        ("utf-16", "Zürich"),
        ("utf-32", "Zürich"),
        ("cp1252", "café"),
        ("cp1252", "un film très réussi… voilà\xa0! À 5 €"),
        ("latin-1", "é\x81"),  # a byte that Windows-1252 leaves undefined
    ],
)
def test_a_text_comes_back_in_the_encoding_it_was_written_in(encoding: str, text: str) -> None:
    found = decoded(text.encode(encoding))
    assert (found.text, found.encoding, found.bad_byte) == (text, encoding, None)
    assert found.is_unicode == encoding.startswith("utf")


@pytest.mark.parametrize(
    ("raw", "text", "bad_byte"),
    [
        ("ü".encode() + b"\xe9", "ü\ufffd", 2),
        (b"\xef\xbb\xbfab\xe9", "ab\ufffd", 5),
        (b"\xff\xfea\x00\xfa", "a\ufffd", 4),
    ],
    ids=["utf-8", "with a byte-order mark", "utf-16 that is cut off"],
)
def test_a_bad_byte_in_unicode_has_its_place(raw: bytes, text: str, bad_byte: int) -> None:
    found = decoded(raw)
    assert (found.text, found.bad_byte) == (text, bad_byte)


def test_more_bad_bytes_than_good_characters_are_another_encoding() -> None:
    assert decoded("ü".encode() + b"\xe9 \xe9").text == "Ã¼é é"
