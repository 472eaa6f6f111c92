"""Which weights a run has kept, as its log is ahead of them where it was cut off."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np
from safetensors import SafetensorError, safe_open

from retrograd.errors import DataError
from retrograd.store.folder import RunFolder
from retrograd.training import Epoch

__all__ = ["kept_epoch", "why_not_kept"]


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


def why_not_kept(folder: RunFolder, name: str) -> str | None:
    """Why a run has no `name`, its weights or its checkpoint, and the way out; None if it has them.

    A run that has ended wrote both: if one is missing now, that is another matter.
    """
    path, manifest = folder.path, folder.manifest()
    if (path / name).exists() or manifest.get("verdict") is not None:
        return None
    if (path / "failure").is_dir():
        return (
            f"The training of {path} failed in its first epoch, before it had weights worth "
            f"keeping. `retrograd diagnose {shlex.quote(str(path))}` says what is wrong; mend that "
            "and train again."
        )
    data = manifest["data"]
    again = ["retrograd", "train", data["path"], "--config", str(path / "config.json")]
    for option in ("valid", "test"):
        again += [f"--{option}", data[option]] if data.get(option) else []
    return (
        f"The run in {path} has kept no weights: training writes the first after half a minute, "
        f"and this one was cut off sooner, or has just begun. Train again with "
        f"`{shlex.join(again)}`."
    )
