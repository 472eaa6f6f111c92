"""Which weights a run has kept, as its log is ahead of them where it was cut off."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np
from safetensors import SafetensorError, safe_open

from retrograd.errors import DataError
from retrograd.store.folder import RunFolder
from retrograd.store.names import CHECKPOINT, FAILURE, OPTIONS, WEIGHTS
from retrograd.training import Epoch

__all__ = ["kept_epoch", "why_not_kept"]


def kept_epoch(folder: RunFolder, epochs: Sequence[Epoch]) -> int | None:
    """The epoch, among those that the log has, whose weights are kept; None while none are.

    Raises DataError for a checkpoint that cannot be read.
    """
    if not (folder.path / WEIGHTS).exists():
        return None
    path = folder.path / CHECKPOINT
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
    if (path / name).exists() or manifest.verdict is not None:
        return None
    if (path / FAILURE).is_dir():
        return (
            f"The training of {path} failed in its first epoch, before it had weights worth "
            f"keeping. `retrograd diagnose {shlex.quote(str(path))}` says what is wrong; mend that "
            "and train again."
        )
    return (
        f"The run in {path} has kept no weights: training writes the first after half a minute, "
        f"and this one was cut off sooner, or has just begun. Train again{_command(folder)}."
    )


def _command(folder: RunFolder) -> str:
    """How to train such a run once more, where its data is on disk."""
    manifest = folder.manifest()
    if manifest.data.path is None:
        return ""
    again = ["retrograd", "train", manifest.data.path, "--config", str(folder.path / OPTIONS)]
    for option, given in (("--valid", manifest.validation), ("--test", manifest.test)):
        if given is not None:
            again += [option, str(given.share if given.path is None else given.path)]
    return f" with `{shlex.join(again)}`"
