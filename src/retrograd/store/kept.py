"""Which weights a run has kept, as its log is ahead of them where it was cut off."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from retrograd.store.folder import RunFolder
from retrograd.store.names import FAILURE, WEIGHTS
from retrograd.training import Epoch

__all__ = ["EPOCH", "kept_epoch", "why_not_kept"]

# The key of the weights' metadata that says of which epoch they are.
EPOCH = "epoch"


def kept_epoch(folder: RunFolder, epochs: Sequence[Epoch]) -> int | None:
    """The epoch, among those that the log has, whose weights are kept; None while none are.

    Raises DataError for weights that are not those that were written.
    """
    path = folder.place(WEIGHTS)
    if path is None or not path.exists():
        return None
    known = folder.read_about(WEIGHTS).get(EPOCH, "")
    if known.isdecimal():
        return int(known)
    return max((each.epoch for each in epochs if each.best), default=None)


def why_not_kept(folder: RunFolder, name: str) -> str | None:
    """Why a run has no `name`, its weights or its checkpoint, and the way out; None if it has them.

    A run that has ended wrote both: if one is missing now, that is another matter.
    """
    path, manifest = folder.path, folder.manifest()
    if name in manifest.files or manifest.verdict is not None:
        return None
    if (path / FAILURE).is_dir():
        return (
            f"The training of {path} failed in its first epoch, before it had weights worth "
            f"keeping. `retrograd diagnose {shlex.quote(str(path))}` says what is wrong; mend that "
            "and train again."
        )
    return (
        f"The run in {path} has kept no weights: its first epoch was not over, or it was cut off "
        f"within half a minute. {_way_on(folder)}"
    )


def _way_on(folder: RunFolder) -> str:
    """How to go on with such a run."""
    if folder.manifest().data.path is None:
        return "Give its data again to go on: rg.load(...).resume(data=...)."
    return f"To go on: retrograd train --resume {shlex.quote(str(folder.path))}"
