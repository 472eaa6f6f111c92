"""From a path to images: the contents of each part, before any file is decoded.

A path is a folder of images, a folder of IDX files, an IDX or NPZ file, one image, or a table with
a column of image paths.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from retrograd.data.arrays import examples_kind, read_arrays, read_examples
from retrograd.data.files import existing_file
from retrograd.data.images.idx import idx_parts, labels_beside, read_idx
from retrograd.data.images.listing import (
    ImageFiles,
    class_folders,
    find_files,
    has_images,
    image_column,
    parts_of,
    table_files,
)
from retrograd.data.images.pixels import SUFFIXES, PixelFormat
from retrograd.data.images.sets import ImageSet, decode
from retrograd.data.tables.read import read_table
from retrograd.errors import DataError
from retrograd.wording import count

__all__ = ["Found", "format_of", "holds_images", "read_examples_only", "read_parts", "to_set"]

Array = np.ndarray[Any, Any]

TABLES = (".csv", ".tsv", ".parquet")
# The first bytes of a table are searched for these, so that other tables are not read twice.
_SEARCHED = 1 << 16


@dataclass(frozen=True)
class Found:
    """Images, as files to decode or an array as it was found, and their labels."""

    source: Path | str
    images: ImageFiles | Array
    labels: pa.Array | None = None  # for an array; files have their own


def holds_images(data: Any) -> bool:
    """Whether a path or arrays are for `read_parts`, which reports anything that is missing."""
    if not isinstance(data, str | os.PathLike):
        return examples_kind(data) == "images"
    path = Path(data)
    if path.is_dir():
        return bool(idx_parts(path)) or has_images(path)
    if path.suffix.lower() in TABLES:
        return path.is_file() and _names_images(path)
    if path.suffix.lower() == ".npz":
        return examples_kind(path) == "images"
    return path.is_file() and labels_beside(path) is not None


def read_parts(
    data: Any, column: str | None, target: str | None, notes: list[str]
) -> dict[str, Found]:
    """The labeled images of each part (train, and valid and test if the data has them).

    `data` is a path, or arrays as `read_arrays` takes them; `column` and `target` are a table's
    columns of paths and of labels. Raises DataError for data that is missing, broken or without
    labels.
    """
    if not isinstance(data, str | os.PathLike):
        return _parts_of_arrays("The data in memory", data, notes)
    path = Path(data)
    if path.is_dir():
        arrays = idx_parts(path)
        if arrays:
            return {part: _labeled_idx(each) for part, each in arrays.items()}
        folders = parts_of(path)
        return {part: Found(each, class_folders(each, notes)) for part, each in folders.items()}
    existing_file(path)
    if path.suffix.lower() in TABLES:
        frame = read_table(path, notes)
        column = column or image_column(frame, path.parent)
        if column is None:
            raise DataError(
                f"{path} has no column of paths to existing images; name the column with "
                "--set image=COLUMN. Paths are relative to the table's folder."
            )
        if target is None:
            raise DataError(f"Name the column of {path} to predict: --target COLUMN.")
        return {"train": Found(path, table_files(path, frame, column, target, notes))}
    if path.suffix.lower() == ".npz":
        return _parts_of_arrays(path, path, notes)
    return {"train": _labeled_idx(path)}


def _parts_of_arrays(source: Path | str, data: Any, notes: list[str]) -> dict[str, Found]:
    found = read_arrays(data)
    notes += found.notes
    parts = {"train": found.train, "valid": found.valid, "test": found.test}
    images = {part: as_pixels(source, pair[0]) for part, pair in parts.items() if pair is not None}
    pixels = images["train"]
    if pixels.dtype != np.uint8:
        notes.append(
            f"The pixels are {pixels.dtype.name} values from {pixels.min():.4g} to "
            f"{pixels.max():.4g}, and are learned from as they are: new images must be in the same "
            "units."
        )
    return {
        part: Found(source, images[part], pa.array(pair[1]))
        for part, pair in parts.items()
        if pair is not None
    }


def read_examples_only(data: Any, column: str | None, notes: list[str]) -> Found:
    """The images of a path or of arrays, without labels; DataError if there are none."""
    if not isinstance(data, str | os.PathLike):
        return Found("The data in memory", as_pixels("The data in memory", read_examples(data)))
    path = Path(data)
    if path.is_dir() or path.suffix.lower() in SUFFIXES:
        if not path.is_dir():
            existing_file(path)
        return Found(path, find_files(path))
    if path.suffix.lower() in TABLES:
        frame = read_table(path, notes)
        column = column or image_column(frame, path.parent)
        if column is None:
            raise DataError(f"{path} has no column of paths to existing images.")
        return Found(path, table_files(path, frame, column, None, notes))
    existing_file(path)
    pixels = read_examples(path) if path.suffix.lower() == ".npz" else read_idx(path)
    return Found(path, as_pixels(path, pixels))


def format_of(found: Found, most: int) -> PixelFormat:
    """The format that a run on these images converts all images to; see `infer_format`."""
    if isinstance(found.images, ImageFiles):
        from retrograd.data.images.decode import infer_format

        return infer_format(found.images.paths, most)
    channels, height, width = found.images.shape[1:]
    return PixelFormat(channels, height, width, found.images.dtype.name)


def to_set(found: Found, form: PixelFormat, share: float | None, notes: list[str]) -> ImageSet:
    """The images with their labels, decoded; see `decode`.

    Raises DataError for arrays of another format.
    """
    if isinstance(found.images, ImageFiles):
        if form.dtype != "uint8":
            raise DataError(
                f"{found.source} holds image files, whose pixels are bytes; the network was "
                f"trained on {form}."
            )
        return decode(found.images, form, share, notes)
    pixels = found.images
    if (pixels.shape[1:], pixels.dtype.name) != (form.shape, form.dtype):
        own = format_of(found, 0)
        raise DataError(f"{found.source} holds images of {own}; the network was trained on {form}.")
    names = tuple(str(row) for row in range(1, len(pixels) + 1))
    return ImageSet(pixels, names, found.labels, are_files=False)


def as_pixels(source: Path | str, x: Array) -> Array:
    """(n, channels, height, width) of (n, h, w), (n, h, w, c), (n, c, h, w) or (n, pixels).

    An axis of size 1, 3 or 4 is the channels, the last axis being tried first; a flat row of pixels
    is a square gray image. Bytes stay bytes; other types become float32. Raises DataError for other
    shapes.
    """
    side = math.isqrt(x.shape[1]) if x.ndim == 2 else 0
    if x.ndim == 2 and side**2 == x.shape[1]:
        x = x.reshape(-1, 1, side, side)
    elif x.ndim == 3:
        x = x[:, None]
    elif x.ndim == 4 and x.shape[3] in (1, 3, 4):
        x = x.transpose(0, 3, 1, 2)
    elif not (x.ndim == 4 and x.shape[1] in (1, 3, 4)):
        raise DataError(
            f"{source}: {count(len(x), 'example')} of shape {x.shape[1:]} cannot be read as "
            "images; expected (height, width), (height, width, channels), (channels, height, "
            "width), or the flattened pixels of a square image."
        )
    return np.ascontiguousarray(x if x.dtype == np.uint8 else x.astype(np.float32))


def _labeled_idx(path: Path) -> Found:
    pixels = as_pixels(path, read_idx(path))
    beside = labels_beside(path)
    if beside is None:
        raise DataError(
            f"{path.name} is not named as an image file whose labels can be found; expected "
            "NAME-images-idx3-ubyte beside NAME-labels-idx1-ubyte, with or without .gz."
        )
    labels = read_idx(beside)
    if labels.shape != (len(pixels),):
        raise DataError(
            f"{path} has {count(len(pixels), 'image')}, and {beside.name} labels of shape "
            f"{labels.shape}; expected one for each image."
        )
    return Found(path, pixels, pa.array(labels))


def _names_images(path: Path) -> bool:
    """Whether a table seems to name images, and they exist."""
    if path.suffix.lower() != ".parquet":
        with path.open("rb") as file:
            head = file.read(_SEARCHED).lower().replace(b"\0", b"")
        if not any(suffix.encode() in head for suffix in SUFFIXES):
            return False
    try:
        return image_column(read_table(path), path.parent) is not None
    except DataError:
        return False  # reading it for training raises the reason
