"""The bytes of a text file as text, whatever encoding they are in."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

__all__ = ["Decoded", "decoded"]

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    # Before UTF-16, whose little-endian mark is the first half of this one.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Latin-1 maps every byte to a character; Windows-1252 leaves five undefined.
_ONE_BYTE = ("cp1252", "latin-1")
_REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Decoded:
    """A text, the encoding it was read in, and the place of the first byte that does not fit it.

    Such bytes are read as U+FFFD.
    """

    text: str
    encoding: str
    bad_byte: int | None = None

    @property
    def is_unicode(self) -> bool:
        return self.encoding not in _ONE_BYTE


def decoded(raw: bytes) -> Decoded:
    """The text in `raw`, in the encoding of its byte-order mark, UTF-8, or else Windows-1252 or
    Latin-1. UTF-8 may have bad bytes, as long as it has as many good characters beyond ASCII."""
    encoding = next((e for mark, e in _BYTE_ORDER_MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        return Decoded(raw.decode(encoding), encoding)
    except UnicodeDecodeError as error:
        # UTF-8's decoder counts from after the byte-order mark.
        bad_byte = error.start + (len(codecs.BOM_UTF8) if encoding == "utf-8-sig" else 0)
    text = raw.decode(encoding, "replace")
    beyond_ascii = sum(not each.isascii() for each in text)
    if encoding != "utf-8" or 2 * text.count(_REPLACEMENT) <= beyond_ascii:
        return Decoded(text, encoding, bad_byte)
    try:
        return Decoded(raw.decode(_ONE_BYTE[0]), _ONE_BYTE[0])
    except UnicodeDecodeError:
        return Decoded(raw.decode(_ONE_BYTE[1]), _ONE_BYTE[1])
