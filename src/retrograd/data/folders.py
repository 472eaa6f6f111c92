"""What a folder of examples holds, without what systems and programs put beside them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from retrograd.wording import count, listed

__all__ = ["class_files", "files_below", "is_hidden", "sub_folders"]

# Hidden files, AppleDouble's ._copies, what Office holds open, the folders of archives and Python.
_PREFIXES = (".", "~$", "__")
# Made by Windows, by Synology's and QNAP's file servers, and by ext file systems.
_NAMES = frozenset(
    ("thumbs.db", "desktop.ini", "@eadir", "@__thumb", "#recycle", "$recycle.bin", "lost+found")
)


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is none of the data that a person put there."""
    return name.startswith(_PREFIXES) or name.lower() in _NAMES


def sub_folders(folder: Path) -> list[Path]:
    """The folders in `folder`, sorted, without the hidden ones."""
    found = (entry for entry in folder.iterdir() if entry.is_dir() and not is_hidden(entry.name))
    return sorted(found)


def files_below(folder: Path) -> Iterator[Path]:
    """The files at any depth, sorted within each folder, without what is hidden."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        for name in sorted(files):
            if not is_hidden(name):
                yield Path(place, name)


def class_files(
    folder: Path, belongs: Callable[[Path], bool], noun: str, read: str, notes: list[str]
) -> list[Path]:
    """The files in the sub-folders of `folder` for which `belongs`, in order; [] if there are none.

    `notes` reports what is there besides: files of other kinds (`read` says which are read), loose
    ones, and sub-folders without any. `noun` is what one is called.
    """
    files: list[Path] = []
    others: list[Path] = []
    empty = []
    for each in sub_folders(folder):
        below = list(files_below(each))
        found = [file for file in below if belongs(file)]
        files += found
        others += [file for file in below if not belongs(file)]
        if not found:
            empty.append(each.name)
    if not files:
        return files
    if empty:
        notes.append(f"Sub-folders without {noun}s are ignored: {listed(empty)}.")
    if loose := sum(map(belongs, folder.iterdir())):
        notes.append(f"{count(loose, noun)} beside the class folders of {folder}: ignored.")
    if others:
        endings = Counter(file.suffix.lower() or "no ending" for file in others)
        named = (f"{ending} ({times:,})" for ending, times in endings.most_common())
        passed_over = count(len(others), "file")
        notes.append(f"{passed_over} passed over, since {read} are read: {listed(named)}.")
    return files
