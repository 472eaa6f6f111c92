"""A folder of `.txt` files, with a sub-folder for each class, as a table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from retrograd.data.parts import part_folders
from retrograd.data.tables.arrow import strings
from retrograd.data.texts.columns import EMPTY_SHARE
from retrograd.data.texts.corpus import read_text
from retrograd.errors import DataError
from retrograd.wording import count

__all__ = ["LABEL", "TEXT", "is_text_folder", "parts_of", "read_text_folder"]

PATH, TEXT, LABEL = "path", "text", "label"


def parts_of(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """The folders `train`, `valid` and `test` in a folder, or the folder itself as "train"."""
    return part_folders(Path(folder), Path.is_dir)


def is_text_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a folder of `.txt` files, with a sub-folder for each class."""
    if not Path(path).is_dir():
        return False
    return next(_files(parts_of(path)["train"]), None) is not None


def read_text_folder(
    folder: str | os.PathLike[str], notes: list[str] | None = None
) -> nw.DataFrame[pa.Table]:
    """The columns path (within the folder), text and label (the sub-folder), sorted by path.

    If no sub-folder holds texts, the folder's own files are read, and there is no label. A file
    that is empty or not in UTF-8 is left out, and `notes` reports it.

    Raises DataError for a folder without `.txt` files, and if more than 1 % of the files cannot be
    read.
    """
    folder = Path(folder)
    files = list(_files(folder))
    is_labeled = bool(files)
    files = files or sorted(folder.glob("*.txt"))
    if not files:
        raise DataError(f"{folder} holds no .txt files; expected one sub-folder of them per class.")
    texts, broken = [], []
    for file in files:
        try:
            texts.append((file, read_text(file)))
        except DataError as error:
            broken.append(str(error))
    if len(broken) > EMPTY_SHARE * len(files):
        raise DataError(
            f"{len(broken):,} of the {count(len(files), 'text')} in {folder} cannot be read; "
            f"expected at most {EMPTY_SHARE:.0%}. The first: {broken[0]}"
        )
    if broken and notes is not None:
        notes.append(f"{count(len(broken), 'text')} left out. The first: {broken[0]}")
    columns: dict[str, Any] = {
        PATH: strings([str(file.relative_to(folder)) for file, _ in texts]),
        TEXT: strings([text for _, text in texts]),
    }
    if is_labeled:
        columns[LABEL] = strings([file.relative_to(folder).parts[0] for file, _ in texts])
    return nw.from_native(pa.table(columns), eager_only=True)


def _files(folder: Path) -> Iterator[Path]:
    """The texts of all sub-folders, in order."""
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.name.startswith("."):
            yield from sorted(entry.rglob("*.txt"))
