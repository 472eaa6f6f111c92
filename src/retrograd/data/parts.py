"""The parts of a data folder, `train/`, `valid/` and `test/`, by the names that people use."""

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
    """The sub-folders "train", "valid" and "test", by whichever of their names they have.

    Without a "train" sub-folder for which `holds_data`, the folder itself is "train".
    """
    found: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        part = _PARTS.get(entry.name.lower())
        if part is not None and entry.is_dir() and holds_data(entry):
            found.setdefault(part, entry)
    return found if "train" in found else {"train": folder}
