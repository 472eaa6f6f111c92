"""The encoding of a text, and single bytes that do not belong to it."""

from __future__ import annotations

import codecs

from retrograd.data.tables.files.contents import Contents
from retrograd.errors import DataError
from retrograd.wording import count

__all__ = ["readable"]

_BLOCK = 1 << 20
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    # Before UTF-16, whose little-endian mark is the first half of this one.
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OTHER_FORMATS = {
    b"PK\x03\x04": "a workbook or zip archive (a workbook's name should end in .xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (its name should end in .xls)",
    b"PAR1": "a Parquet file (its name should end in .parquet)",
    b"ARROW1": "an Arrow file (its name should end in .arrow or .feather)",
    b"%PDF": "a PDF document",
}


def readable(source: Contents, notes: list[str]) -> tuple[Contents, str]:
    """The text in its encoding, and the encoding.

    In UTF-8, bytes that are none are replaced by U+FFFD. Only a text with more of these than of
    UTF-8's characters beyond ASCII is Windows-1252, or Latin-1 where that has no such character.
    `notes` says either. Raises DataError for contents that are not text.
    """
    with source.open() as file:
        start = file.read(_BLOCK)
    _refuse_other(source.name, start)
    marked = next((each for mark, each in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), "")
    if marked not in ("", "utf-8-sig"):
        notes.append(f"{source.name} is not UTF-8; it was read as {marked}.")
        return source, marked
    if not marked and b"\0" in start:
        raise DataError(
            f"{source.name} is not readable text: it has zero bytes and no byte-order mark. "
            "Save the table as CSV in UTF-8."
        )
    if _is_utf_8(source):
        return source, marked or "utf-8"
    contents = source.read()
    text = contents.decode("utf-8", "replace")
    stray = text.count("\ufffd") - contents.count("\ufffd".encode())
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore")) - text.count("\ufffd")
    if marked or beyond_ascii >= stray:
        notes.append(_stray_note(source.name, contents, stray))
        return Contents.of(source.name, source.suffix, text.encode()), marked or "utf-8"
    encoding = "cp1252" if _is_cp1252(contents) else "latin-1"
    notes.append(f"{source.name} is not UTF-8; it was read as {encoding}.")
    return source, encoding


def _refuse_other(name: str, start: bytes) -> None:
    for magic, what in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise DataError(f"{name} is {what}, not delimited text.")


def _is_utf_8(source: Contents) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with source.open() as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_cp1252(contents: bytes) -> bool:
    # Windows-1252 leaves five bytes undefined; Latin-1 maps every byte to a character.
    try:
        contents.decode("cp1252")
    except UnicodeDecodeError:
        return False
    return True


def _stray_note(name: str, contents: bytes, stray: int) -> str:
    try:
        contents.decode("utf-8")
    except UnicodeDecodeError as error:
        place = error.start
    line_start = contents.rfind(b"\n", 0, place) + 1
    line = contents.count(b"\n", 0, place) + 1
    where = f"line {line:,}, byte {place - line_start + 1:,}"
    found = f"0x{contents[place]:02x}"
    if stray == 1:
        return f"{name}, {where}: {found} is not UTF-8; it is replaced by '\ufffd'."
    return (
        f"{name}: {count(stray, 'byte')} that are not UTF-8, the first {found} in {where}; each is "
        "replaced by '\ufffd'."
    )
