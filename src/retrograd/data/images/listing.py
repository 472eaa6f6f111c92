"""Image files and what each one shows, from folders of classes or a table's paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd.data.folders import class_files, files_below, is_hidden, sub_folders
from retrograd.data.images.pixels import SUFFIXES
from retrograd.data.parts import part_folders
from retrograd.data.tables.cells import is_text
from retrograd.data.tables.table import as_table, take_rows
from retrograd.data.texts.folder import is_text_folder
from retrograd.errors import DataError
from retrograd.wording import count, did_you_mean, listed, shown

__all__ = [
    "ImageFiles",
    "class_folders",
    "find_files",
    "has_images",
    "image_column",
    "parts_of",
    "table_files",
]

_READ = "PNG, JPEG, WebP, GIF, TIFF, BMP, PGM and PPM"
_ROWS_TRIED = 1000
# A few names may lack an ending.
_NAMED_SO = 0.9


@dataclass(frozen=True)
class ImageFiles:
    """Image files by their display names, and what each shows, where that is known.

    `frame` is the table that named them, one row for each file.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    labels: pa.Array | None = None
    frame: nw.DataFrame[pa.Table] | None = None


def parts_of(folder: Path) -> dict[str, Path]:
    """The folders of the parts train, valid and test; `folder` itself if it has no train folder."""
    return part_folders(folder, lambda part: any(map(_has_image, sub_folders(part))))


def has_images(folder: Path) -> bool:
    """Whether there is an image in a sub-folder, or one that belongs in a class folder."""
    loose = any(map(_is_image, folder.iterdir()))
    return any(map(_has_image, sub_folders(folder))) or (loose and not is_text_folder(folder))


def class_folders(folder: Path, notes: list[str]) -> ImageFiles:
    """The images below `folder`, labeled by the sub-folder that they are in.

    Raises DataError if no sub-folder holds images.
    """
    paths = class_files(folder, _is_image, "image", _READ, notes)
    if not paths:
        loose = sum(1 for _ in _images_below(folder))
        raise DataError(
            f"{folder} holds {count(loose, 'image')} and no sub-folder with images; expected "
            "one sub-folder for each class, named after it, such as cats/ and dogs/."
        )
    labels = [path.relative_to(folder).parts[0] for path in paths]
    return ImageFiles(tuple(paths), _names(paths, folder), pa.array(labels, pa.string()))


def find_files(path: Path) -> ImageFiles:
    """The images anywhere below a folder, or the one in a file, without labels.

    Raises DataError if there is none.
    """
    if path.is_file():
        return ImageFiles((path,), (path.name,))
    paths = list(_images_below(path))
    if not paths:
        raise DataError(
            f"{path} holds no images; expected files ending in {listed(sorted(SUFFIXES))}."
        )
    return ImageFiles(tuple(paths), _names(paths, path))


def table_files(
    path: Path, frame: Any, column: str, target: str | None, notes: list[str]
) -> ImageFiles:
    """The images that a table's column names, labeled by its column `target` if given.

    Paths are relative to the folder of the table's file, `path`. Rows without a path or a target
    value are left out, with a note. Raises DataError for a missing column.
    """
    table = as_table(frame)
    for name in (column, target):
        if name is not None and name not in table.column_names:
            raise DataError(
                f"{path} has no column {shown(name)}.{did_you_mean(name, table.column_names)} "
                f"Its columns: {listed(table.column_names, most=30)}."
            )
    cells = table[column].cast(pa.string()).to_pylist()
    values = cells if target is None else table[target].to_pylist()
    kept = [
        row
        for row, (cell, value) in enumerate(zip(cells, values, strict=True))
        if cell and value not in (None, "")
    ]
    if len(kept) < len(cells):
        what = "an image" if target is None else f"an image or a value of {shown(target)}"
        notes.append(f"{count(len(cells) - len(kept), 'row')} without {what}: left out.")
    if not kept:
        raise DataError(f"{path}: no row has a path in the column {shown(column)}.")
    frame = take_rows(table, np.array(kept))
    labels = None if target is None else as_table(frame)[target].combine_chunks()
    names = tuple(cells[row] for row in kept)
    return ImageFiles(tuple(path.parent / name for name in names), names, labels, frame)


def image_column(frame: Any, folder: Path) -> str | None:
    """The first column whose texts nearly all end like images, some of which are in `folder`."""
    table = as_table(frame)
    for name in table.column_names:
        if is_text(table[name].type):
            cells = [cell for cell in table[name].slice(0, _ROWS_TRIED).to_pylist() if cell]
            named_so = sum(Path(cell).suffix.lower() in SUFFIXES for cell in cells)
            if named_so >= _NAMED_SO * len(cells) and any(
                (folder / cell).is_file() for cell in cells
            ):
                return str(name)
    return None


def _names(paths: Iterable[Path], folder: Path) -> tuple[str, ...]:
    return tuple(path.relative_to(folder).as_posix() for path in paths)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not is_hidden(path.name) and path.is_file()


def _images_below(folder: Path) -> Iterator[Path]:
    return filter(_is_image, files_below(folder))


def _has_image(folder: Path) -> bool:
    return next(_images_below(folder), None) is not None
