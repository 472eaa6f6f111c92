"""What a folder of examples holds, without what systems and programs put beside them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from retrograd.wording import count, listed

__all__ = ["files_below", "is_hidden", "other_endings", "sub_folders"]

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


def other_endings(files: Sequence[Path], read: str) -> str:
    """A note on files that are passed over, by their endings; `read` says what is read."""
    endings = Counter(file.suffix.lower() or "no ending" for file in files)
    named = (f"{ending} ({times:,})" for ending, times in endings.most_common())
    return f"{count(len(files), 'file')} passed over, since {read} are read: {listed(named)}."
