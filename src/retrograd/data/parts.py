"""The parts of a folder of data: `train/`, `valid/` and `test/`, by the names that people use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

__all__ = ["part_folders"]

_PARTS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "val": "valid",
    "validation": "valid",
    "dev": "valid",
    "test": "test",
}


def part_folders(folder: Path, holds_data: Callable[[Path], bool]) -> dict[str, Path]:
    """The sub-folders "train", "valid" and "test", under whichever of their names they are there.

    Without a "train" that `holds_data` the folder itself is what is learned from, as "train".
    """
    found: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        part = _PARTS.get(entry.name.lower())
        if part is not None and entry.is_dir() and holds_data(entry):
            found.setdefault(part, entry)
    return found if "train" in found else {"train": folder}
