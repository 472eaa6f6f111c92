"""The fingerprints of the rows that a run was trained on and stopped by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from retrograd.store.folder import RunFolder
from retrograd.store.names import SEEN

__all__ = ["read_seen", "write_seen"]

Array = np.ndarray[Any, Any]


def write_seen(folder: RunFolder, fingerprints: Mapping[str, Array]) -> None:
    """Keep the fingerprints, uint64, of the rows for "train" and "validation": 8 bytes a row."""
    folder.stage_arrays(SEEN, {part: np.unique(each) for part, each in fingerprints.items()})


def read_seen(folder: RunFolder) -> dict[str, Array]:
    """The distinct fingerprints of a run's rows by part; none if it was cut off before its end."""
    return folder.read_arrays(SEEN) if SEEN in folder.manifest().files else {}
