"""Arrays in the IDX format, as used by MNIST (described at https://yann.lecun.com/exdb/mnist).

Two zero bytes, one byte for the type, one for the number of axes, a big-endian uint32 for the
length of each axis, then the values, big-endian, with the last axis varying fastest.
"""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.data.bombs import refuse_bomb
from retrograd.data.files import existing_file, plain_reason
from retrograd.errors import DataError
from retrograd.wording import listed

__all__ = ["idx_parts", "labels_beside", "read_idx"]

Array = np.ndarray[Any, Any]

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
# Images have three or four, labels one.
_MOST_AXES = 8
# train-images-idx3-ubyte.gz, and the names that unpacking programs give it.
_IMAGES = re.compile(r"(?P<part>.*?)[-_.]?images[-_.]idx(?P<axes>\d)[-_.]ubyte(\.gz)?", re.I)
_TESTS = ("t10k", "test")


def read_idx(path: Path) -> Array:
    """The array in an IDX file, also a `.gz` one, in this machine's byte order.

    Raises DataError for a file that is missing, cut short or not IDX.
    """
    existing_file(path)
    packed = path.stat().st_size
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            dtype, shape = _header(path, file)
            expected = math.prod(shape) * dtype.itemsize
            if path.suffix != ".gz" and expected > packed:
                raise _incomplete(path, packed, 4 + 4 * len(shape) + expected)
            refuse_bomb(str(path), packed, expected)
            # A byte more than the header promises shows that there is more.
            contents = file.read(expected + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a broken gzip file: {error}. Download it again.") from error
    except OSError as error:
        raise DataError(f"Cannot read {path}: {plain_reason(error)}.") from error
    if len(contents) != expected:
        start = 4 + 4 * len(shape)
        raise _incomplete(path, start + len(contents), start + expected)
    values = np.frombuffer(contents, dtype).reshape(shape)
    return values.astype(dtype.newbyteorder("="))


def _header(path: Path, file: BufferedIOBase) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The type and shape that an IDX file begins with."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _TYPES:
        raise DataError(f"{path} is not an IDX file: it begins with {start.hex(' ')}.")
    axes = start[3]
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise _incomplete(path, 4 + len(lengths), 4 + 4 * axes)
    shape = struct.unpack(f">{axes}I", lengths)
    if not 1 <= axes <= _MOST_AXES or 0 in shape:
        raise DataError(
            f"{path} is not an IDX file of examples: its header promises the shape "
            f"({listed(map(str, shape))})."
        )
    return np.dtype(_TYPES[start[2]]), shape


def _incomplete(path: Path, found: int, expected: int) -> DataError:
    what = "more than" if found > expected else f"{found:,} bytes, and not"
    return DataError(
        f"{path} is a damaged IDX file: it has {what} the {expected:,} bytes that its header "
        "promises. Download it again."
    )


def idx_parts(folder: Path) -> dict[str, Path]:
    """The image files in a folder, named as MNIST's are, by part: train and test."""
    found = {}
    for entry in sorted(folder.iterdir()):
        match = _IMAGES.fullmatch(entry.name)
        if match and entry.is_file():
            found["test" if match["part"].lower() in _TESTS else "train"] = entry
    return found


def labels_beside(path: Path) -> Path | None:
    """The label file that belongs to an image file; None if `path` is not named as an image file.

    Raises DataError if there is no label file beside it.
    """
    match = _IMAGES.fullmatch(path.name)
    if match is None:
        return None
    name = path.name.lower()
    wanted = name.replace("images", "labels").replace(f"idx{match['axes']}", "idx1")
    wanted = wanted.removesuffix(".gz")
    for entry in path.parent.iterdir():
        if entry.name.lower().removesuffix(".gz") == wanted:
            return entry
    raise DataError(f"{path} is an image file, but its label file {wanted} is not beside it.")
