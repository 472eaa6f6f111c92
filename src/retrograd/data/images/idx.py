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
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.data.files import existing_file, plain_reason
from retrograd.errors import DataError

__all__ = ["idx_parts", "labels_beside", "read_idx"]

Array = np.ndarray[Any, Any]

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
# train-images-idx3-ubyte.gz, and the names that unpacking programs give it.
_IMAGES = re.compile(r"(?P<part>.*?)[-_.]?images[-_.]idx(?P<axes>\d)[-_.]ubyte(\.gz)?", re.I)
_TESTS = ("t10k", "test")


def read_idx(path: Path) -> Array:
    """The array in an IDX file, also a `.gz` one, in this machine's byte order.

    Raises DataError for a file that is missing, cut short or not IDX.
    """
    existing_file(path)
    try:
        contents = path.read_bytes()
        if path.suffix == ".gz":
            contents = gzip.decompress(contents)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path} is a broken gzip file: {error}. Download it again.") from error
    except OSError as error:
        raise DataError(f"Cannot read {path}: {plain_reason(error)}.") from error
    if len(contents) < 4 or contents[:2] != b"\0\0" or contents[2] not in _TYPES:
        raise DataError(f"{path} is not an IDX file: it begins with {contents[:4].hex(' ')}.")
    dtype, axes = np.dtype(_TYPES[contents[2]]), contents[3]
    start = 4 + 4 * axes
    shape = struct.unpack_from(f">{axes}I", contents, 4) if len(contents) >= start else (0,)
    expected = start + math.prod(shape) * dtype.itemsize
    if len(contents) != expected or not axes:
        raise DataError(
            f"{path} is an incomplete IDX file: it has {len(contents):,} bytes, and its header "
            f"promises {expected:,}. Download it again."
        )
    values = np.frombuffer(contents, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="))


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
