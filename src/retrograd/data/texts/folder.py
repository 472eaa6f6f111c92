"""A folder of `.txt` files, with a sub-folder for each class, as a table."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from retrograd.data.allowance import allowed
from retrograd.data.folders import class_files, files_below, is_hidden, sub_folders
from retrograd.data.parts import part_folders
from retrograd.data.tables.arrow import strings
from retrograd.data.texts.corpus import checked_text, decoded_file
from retrograd.errors import DataError
from retrograd.wording import count, listed

__all__ = ["LABEL", "PATH", "TEXT", "is_text_folder", "parts_of", "read_text_folder"]

PATH, TEXT, LABEL = "path", "text", "label"

_SUFFIX = ".txt"
_SHOWN = 5


def parts_of(folder: str | os.PathLike[str]) -> dict[str, Path]:
    """The folders `train`, `valid` and `test` in a folder, or the folder itself as "train"."""
    return part_folders(Path(folder), Path.is_dir)


def is_text_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a folder of `.txt` files, with a sub-folder for each class."""
    if not Path(path).is_dir():
        return False
    folders = sub_folders(parts_of(path)["train"])
    return any(_is_text(file) for folder in folders for file in files_below(folder))


def read_text_folder(
    folder: str | os.PathLike[str], notes: list[str] | None = None
) -> nw.DataFrame[pa.Table]:
    """The columns path (within the folder), text and label (the sub-folder), sorted by path.

    If no sub-folder holds texts, the folder's own files are read, and there is no label. A file
    that is empty or no text is left out. `notes` reports it, and other encodings than Unicode.

    Raises DataError for a folder without `.txt` files, and if more files than `allowed` cannot be
    read.
    """
    folder, notes = Path(folder), [] if notes is None else notes
    files = class_files(folder, _is_text, "text", f"{_SUFFIX} files", notes)
    is_labeled = bool(files)
    files = files or sorted(file for file in folder.iterdir() if _is_text(file))
    if not files:
        raise DataError(
            f"{folder} holds no {_SUFFIX} files; expected one sub-folder of them per class."
        )
    texts = _texts(folder, files, notes)
    columns: dict[str, Any] = {
        PATH: strings([str(file.relative_to(folder)) for file in texts]),
        TEXT: strings(list(texts.values())),
    }
    if is_labeled:
        columns[LABEL] = strings([file.relative_to(folder).parts[0] for file in texts])
    return nw.from_native(pa.table(columns), eager_only=True)


def _is_text(path: Path) -> bool:
    return path.suffix.lower() == _SUFFIX and not is_hidden(path.name) and path.is_file()


def _texts(folder: Path, files: list[Path], notes: list[str]) -> dict[Path, str]:
    """The text of each file that has one."""
    texts, broken, converted, replaced = {}, [], [], []
    for file in files:
        try:
            found = decoded_file(file)
            texts[file] = checked_text(found.text, str(file))
        except DataError as error:
            broken.append(str(error))
            continue
        if not found.is_unicode:
            converted.append(f"{file} as {found.encoding}")
        if found.bad_byte is not None:
            replaced.append(f"{file}, byte {found.bad_byte:,}")
    reasons = " ".join(broken[:_SHOWN])
    if len(broken) > _SHOWN:
        reasons += f" And {len(broken) - _SHOWN:,} more."
    if len(broken) > allowed(len(files)):
        raise DataError(
            f"{len(broken):,} of the {count(len(files), 'text')} in {folder} cannot be read; "
            f"expected at most {allowed(len(files))}: {reasons} Mend or remove them."
        )
    if broken:
        notes.append(f"{count(len(broken), 'text')} of {len(files):,} left out: {reasons}")
    if converted:
        what = count(len(converted), "text is", "texts are")
        notes.append(
            f"{what} not UTF-8, and read in another encoding: {listed(converted, most=2)}."
        )
    if replaced:
        what = count(len(replaced), "text has", "texts have")
        notes.append(
            f"{what} bytes that are no character, replaced by \ufffd: {listed(replaced, most=2)}."
        )
    return texts
