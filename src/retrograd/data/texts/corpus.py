"""A text to learn from as one sequence of characters, and its vocabulary of characters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.data.encoding import Decoded, decoded
from retrograd.data.files import existing_file, plain_reason
from retrograd.errors import DataError
from retrograd.wording import count, listed

__all__ = ["Vocabulary", "checked_text", "decoded_file", "read_text"]

Codes = np.ndarray[Any, np.dtype[np.int32]]


def read_text(path: str | os.PathLike[str], notes: list[str] | None = None) -> str:
    """The text of a file; line ends become `\\n`. See `decoded` for its encodings.

    `notes` reports an encoding other than Unicode, and bytes that had to be replaced. Raises
    DataError for a missing or empty file, and for one that is not text.
    """
    path = existing_file(path)
    found = decoded_file(path)
    if notes is not None and not found.is_unicode:
        notes.append(f"{path} is not UTF-8; it was read as {found.encoding}.")
    if notes is not None and found.bad_byte is not None:
        notes.append(
            f"{path} has bytes that are not {found.encoding.upper()}, the first at byte "
            f"{found.bad_byte:,}; they were replaced by \ufffd."
        )
    return checked_text(found.text, str(path))


def decoded_file(path: Path) -> Decoded:
    """A file's text as it stands; DataError if the system does not let it be read."""
    try:
        return decoded(path.read_bytes())
    except OSError as error:
        raise DataError(f"Cannot read {path}: {plain_reason(error)}.") from error


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
