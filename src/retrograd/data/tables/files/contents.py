"""The bytes of a table: of a file, of a compressed file, or of standard input."""

from __future__ import annotations

import io
import lzma
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from retrograd.data.files import existing_file
from retrograd.errors import DataError
from retrograd.wording import first_line

__all__ = ["COMPRESSED", "Contents", "bare_name", "file_contents", "standard_input"]

COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zstd", ".lz4")
_COMPRESSIONS = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
}
_FORMS = {
    b"PAR1": ".parquet",
    b"ARROW1": ".arrow",
    b"PK\x03\x04": ".xlsx",
    b"\xd0\xcf\x11\xe0": ".xls",
}


@dataclass(frozen=True)
class Contents:
    """The bytes of a table, decompressed.

    `name` is what messages call it, `suffix` the form of its contents, such as ".csv"; `open` opens
    it from its start, as often as it is called.
    """

    name: str
    suffix: str
    open: Callable[[], BinaryIO]

    @classmethod
    def of(cls, name: str, suffix: str, contents: bytes) -> Contents:
        """Bytes in memory; without a suffix, they say themselves what they are."""
        return cls(name, suffix or _form(contents[:64]), partial(io.BytesIO, contents))

    def read(self) -> bytes:
        """All bytes."""
        with self.open() as file:
            return file.read()


def file_contents(path: Path) -> Contents:
    """A file, decompressed if its first bytes say that it is compressed.

    Raises DataError for a file that is missing or whose compression is damaged.
    """
    existing_file(path)
    with path.open("rb") as file:
        compression = _compression(file.read(8))
    inner = Path(path.stem) if path.suffix.lower() in COMPRESSED else path
    suffix = inner.suffix.lower()
    if compression is None:
        return Contents(str(path), suffix, lambda: path.open("rb"))
    return Contents.of(str(path), suffix, _decompressed(str(path), path.read_bytes(), compression))


def bare_name(path: Path) -> str:
    """The name of a file or folder without what says its form: "houses" for houses.csv.gz."""
    path = path.resolve()
    return Path(path.stem).stem if path.suffix.lower() in COMPRESSED else path.stem


def standard_input() -> Contents:
    """What is piped into the process, read to its end; it may be compressed."""
    name, contents = "standard input", sys.stdin.buffer.read()
    compression = _compression(contents[:8])
    if compression is not None:
        contents = _decompressed(name, contents, compression)
    return Contents.of(name, "", contents)


def _compression(start: bytes) -> str | None:
    return next((each for magic, each in _COMPRESSIONS.items() if start.startswith(magic)), None)


def _decompressed(name: str, contents: bytes, compression: str) -> bytes:
    try:
        if compression == "xz":
            return lzma.decompress(contents)
        with pa.input_stream(pa.BufferReader(contents), compression=compression) as stream:
            return bytes(stream.read())
    except (OSError, lzma.LZMAError, pa.ArrowException) as error:
        raise DataError(
            f"{name} cannot be decompressed ({compression}): {first_line(error)} Copy the file "
            "again, or give the table without compression."
        ) from error


def _form(start: bytes) -> str:
    known = next((form for magic, form in _FORMS.items() if start.startswith(magic)), None)
    return known or (".json" if start.lstrip()[:1] in (b"{", b"[") else ".csv")
