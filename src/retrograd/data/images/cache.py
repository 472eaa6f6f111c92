"""Decoded images on disk, so that the same files are decoded once and not in every run.

Each set of files is one array, named after the files' paths, sizes and modification times and the
format they were converted to; a change to any of these gives another name. The least recently used
arrays are removed when all of them together exceed a limit.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrograd.data.files import atomic_write
from retrograd.data.images.pixels import PixelFormat
from retrograd.errors import UsageError

__all__ = ["cache_folder", "load", "name_of", "store"]

Array = np.ndarray[Any, Any]

LIMIT = 8 << 30  # bytes, in total
# A file that is being written and has not been touched for a day is no longer being written.
_SECONDS_TO_WRITE = 86_400


def cache_folder() -> Path:
    """Where decoded images are kept: `$XDG_CACHE_HOME/retrograd`, by default `~/.cache/retrograd`.

    It may be deleted at any time.
    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retrograd" / "images"


def name_of(paths: Sequence[Path], stats: Sequence[os.stat_result | None], form: Any) -> str:
    """The name under which these files, as they are now, are kept."""
    digest = hashlib.sha256(f"{form!r}".encode())
    for path, stat in zip(paths, stats, strict=True):
        facts = stat and (stat.st_size, stat.st_mtime_ns)
        digest.update(f"\0{path.absolute()}\0{facts}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def load(name: str, form: PixelFormat) -> tuple[Array, dict[int, str]] | None:
    """The array kept under `name`, mapped from disk, and why some of its files are broken."""
    pixels_path, broken_path = _paths(name)
    try:
        broken = json.loads(broken_path.read_text("utf-8"))
        pixels = np.load(pixels_path, mmap_mode="r", allow_pickle=False)
        os.utime(pixels_path)  # used now
    except (OSError, ValueError, EOFError):  # missing or damaged: decoded again
        return None
    if pixels.shape[1:] != form.shape:
        return None
    return pixels, {int(place): reason for place, reason in broken.items()}


def store(
    name: str, files: int, form: PixelFormat, fill: Callable[[Array], dict[int, str]]
) -> bool:
    """Keep what `fill` writes into an array (files, channels, height, width) under `name`.

    `fill` returns the broken files' indices and reasons. Returns False, and keeps nothing, where
    space or permission is lacking.
    """
    size = files * int(np.prod(form.shape))
    pixels_path, broken_path = _paths(name)
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        if size > LIMIT or size > shutil.disk_usage(cache_folder()).free // 2:
            return False
        with atomic_write(pixels_path) as part:
            array = np.lib.format.open_memmap(
                part, mode="w+", dtype=np.uint8, shape=(files, *form.shape)
            )
            broken = fill(array)
            array.flush()
            with atomic_write(broken_path) as notes:
                notes.write_text(json.dumps(broken), "utf-8")
    except (OSError, UsageError):
        return False
    _prune()
    return True


def _paths(name: str) -> tuple[Path, Path]:
    return cache_folder() / f"{name}.npy", cache_folder() / f"{name}.json"


def _prune() -> None:
    """Remove the least recently used until the rest is within the limit; never the newest.

    And what a process that was killed had begun to write.
    """
    kept = []
    for path in cache_folder().glob("*.npy"):
        stat = path.stat()
        if not path.name.startswith("."):
            kept.append((stat.st_mtime, stat.st_size, path))
        elif time.time() - stat.st_mtime > _SECONDS_TO_WRITE:
            path.unlink(missing_ok=True)
    kept.sort(reverse=True)
    total = 0
    for place, (_, size, path) in enumerate(kept):
        total += size
        if place and total > LIMIT:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
