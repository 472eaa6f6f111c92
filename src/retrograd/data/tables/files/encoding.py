"""Text in UTF-8, whatever its file is in, and what a person should know about that."""

from __future__ import annotations

import codecs

from retrograd.data.encoding import decoded
from retrograd.data.tables.files.contents import Contents
from retrograd.errors import DataError
from retrograd.wording import count

__all__ = ["in_utf_8"]

_BLOCK = 1 << 20
_OTHER_FORMATS = {
    b"PK\x03\x04": "a workbook or zip archive (a workbook's name should end in .xlsx)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (its name should end in .xls)",
    b"PAR1": "a Parquet file (its name should end in .parquet)",
    b"ARROW1": "an Arrow file (its name should end in .arrow or .feather)",
    b"%PDF": "a PDF document",
}


def in_utf_8(source: Contents, notes: list[str]) -> Contents:
    """The text in UTF-8, which may begin with a byte-order mark; see `decoded`.

    `notes` reports another encoding, and bytes that had to be replaced. Raises DataError for
    contents that are not text.
    """
    with source.open() as file:
        start = file.read(_BLOCK)
    _refuse_other(source.name, start)
    if _is_utf_8(source):
        text, encoding = "", "utf-8"
    else:
        contents = source.read()
        found = decoded(contents)
        text, encoding = found.text, found.encoding
        if encoding != "utf-8" and found.bad_byte is None:
            notes.append(f"{source.name} is not UTF-8; it was read as {encoding}.")
        if found.bad_byte is not None:
            notes.append(_bad_bytes(source.name, contents, text, encoding, found.bad_byte))
    if b"\0" in start and not encoding.startswith(("utf-16", "utf-32")):
        raise DataError(
            f"{source.name} is not readable text: it has zero bytes and no byte-order mark. "
            "Save the table as CSV in UTF-8."
        )
    return Contents.of(source.name, source.suffix, text.encode()) if text else source


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


def _bad_bytes(name: str, contents: bytes, text: str, encoding: str, place: int) -> str:
    line = contents.count(b"\n", 0, place) + 1
    before = contents.rfind(b"\n", 0, place)
    where = f"line {line}, byte {place - before}"
    found = f"0x{contents[place]:02x}"
    what = encoding.removesuffix("-sig").upper()
    bad = text.count("\ufffd") - contents.count("\ufffd".encode())
    if bad == 1:
        return f"{name}, {where}: {found} is not {what}; it is replaced by '\ufffd'."
    return (
        f"{name}: {count(bad, 'byte')} that are not {what}, the first {found} in {where}; each is "
        "replaced by '\ufffd'."
    )
