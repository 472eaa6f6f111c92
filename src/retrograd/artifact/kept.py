"""Which weights a run has kept, as its log is ahead of them where it was cut off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from safetensors import SafetensorError, safe_open

from retrograd.artifact.folder import RunFolder
from retrograd.errors import DataError
from retrograd.train import Epoch

__all__ = ["kept_epoch"]


def kept_epoch(folder: RunFolder, epochs: Sequence[Epoch]) -> int | None:
    """The epoch, among those that the log has, whose weights are kept; None while none are.

    Raises DataError for a checkpoint that cannot be read.
    """
    if not (folder.path / "weights.safetensors").exists():
        return None
    path = folder.path / "checkpoint.safetensors"
    if not path.exists():  # the run has ended, and was copied without it
        return max((each.epoch for each in epochs if each.best), default=None)
    try:
        # The checkpoint was written with the weights, and knows no later epoch.
        with safe_open(path, framework="numpy") as saved:
            numbers, best = (saved.get_tensor(f"history/{each}") for each in ("epoch", "best"))
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"{path} cannot be read: {error}. Copy the run folder again as a whole, or train again."
        ) from error
    kept = numbers[np.asarray(best, np.bool_)]
    return int(kept.max()) if len(kept) else None
