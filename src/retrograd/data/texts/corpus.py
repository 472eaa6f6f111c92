"""A text to learn from as one sequence of characters, and its vocabulary of characters."""

from __future__ import annotations

import codecs
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from retrograd.data.files import existing_file, plain_reason
from retrograd.errors import DataError
from retrograd.wording import count, listed

__all__ = ["Vocabulary", "checked_text", "read_text"]

Codes = np.ndarray[Any, np.dtype[np.int32]]

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte-order mark; line ends become `\\n`.

    Raises DataError for a missing or empty file, and for bytes that are not such text, naming the
    position of the first.
    """
    path = existing_file(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DataError(f"Cannot read {path}: {plain_reason(error)}.") from error
    encoding = "utf-16" if raw.startswith(_UTF16_MARKS) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        # The decoder counts from after the byte-order mark.
        mark = len(codecs.BOM_UTF8) if raw.startswith(codecs.BOM_UTF8) else 0
        place = error.start + mark
        line = raw.count(b"\n", 0, place) + 1
        raise DataError(
            f"{path}, byte {place} (line {line}): found 0x{raw[place]:02x}, which is not "
            f"{encoding.removesuffix('-sig').upper()}. Save the text in UTF-8."
        ) from error
    return checked_text(text, str(path))


def checked_text(text: str, source: str) -> str:
    """`text` with `\\n` for line ends; DataError, naming `source`, if it is empty or not text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise DataError(f"{source} holds no text.")
    if "\0" in text:
        raise DataError(
            f"{source} holds a null character at position {text.index(chr(0))}: it is not text, "
            "or is text in another encoding. Save it in UTF-8."
        )
    return text


class Vocabulary:
    """The distinct characters of a text, sorted; a character's index is its code."""

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = tuple(characters)
        self._points = np.array([ord(each) for each in self.characters], np.uint32)

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        """The characters that occur in `text`."""
        return cls([chr(point) for point in np.unique(_points(text))])

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str, notes: list[str] | None = None, source: str = "the text") -> Codes:
        """int32 codes (n,) of a text; characters outside the vocabulary are left out.

        `notes` reports them, calling the text `source`.
        """
        points = _points(text)
        places = np.minimum(np.searchsorted(self._points, points), len(self) - 1)
        known = self._points[places] == points
        if notes is not None and not known.all():
            unknown = points[~known]
            names = [repr(chr(point)) for point in np.unique(unknown)]
            notes.append(
                f"{count(len(unknown), 'character')} of {source} not in the training text "
                f"{'is' if len(unknown) == 1 else 'are'} left out: {listed(names)}."
            )
        return places[known].astype(np.int32)

    def decode(self, codes: Codes) -> str:
        """The text of codes (n,)."""
        return "".join(self.characters[code] for code in codes.tolist())


def _points(text: str) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """The code points of a text, (n,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
