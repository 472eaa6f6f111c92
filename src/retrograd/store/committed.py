"""The files of a run that belong together, replaced as one: a single rename commits all of them.

A new file is first written under a name of its own, `weights-3f9a02c41d77.safetensors`, after its
contents. The manifest, which has the checksums, is renamed last, and that rename commits. Then each
file gets its plain name; of the files in `KEPT_TWICE` the one before keeps a name of its own, to
fall back to. A process may be killed anywhere in between: what the manifest says is found under one
of the two names, and the next process that trains finishes the moves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from retrograd.store.manifest import FileFacts, Manifest

__all__ = ["is_leftover", "own_name", "places", "settle", "sweep"]

_DIGITS = 12
_OWN = re.compile(rf"[a-z]+-[0-9a-f]{{{_DIGITS}}}\.(json|safetensors)")
_PART = re.compile(r"\.[0-9a-f]+\.part.*")  # see `atomic_write`


def own_name(name: str, facts: FileFacts) -> str:
    """The name that a file with these contents has to itself."""
    stem, suffix = os.path.splitext(name)
    return f"{stem}-{facts.sha256[:_DIGITS]}{suffix}"


def places(name: str, facts: FileFacts) -> tuple[str, str]:
    """The two names under which the file with these contents may lie."""
    return name, own_name(name, facts)


def is_leftover(path: Path) -> bool:
    """Whether a file is what a killed process left, and no manifest names."""
    return bool(_OWN.fullmatch(path.name) or _PART.fullmatch(path.name))


def settle(folder: Path, manifest: Manifest) -> None:
    """Give every committed file its plain name, and the one before it a name of its own."""
    for name, facts in manifest.files.items():
        own, plain = folder / own_name(name, facts), folder / name
        if not own.exists():
            continue
        before = manifest.previous.get(name)
        if before is not None and plain.exists():
            plain.replace(folder / own_name(name, before))
        own.replace(plain)


def sweep(folder: Path, manifest: Manifest, *, with_parts: bool) -> None:
    """Remove the files of sets that are over; `with_parts`, also what killed writes have left."""
    kept = {own_name(name, facts) for name, facts in manifest.previous.items()}
    for path in folder.iterdir():
        if _OWN.fullmatch(path.name) and path.name not in kept:
            path.unlink(missing_ok=True)
    if with_parts:
        for path in _parts(folder):
            path.unlink(missing_ok=True)


def _parts(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob(".*.part*") if _PART.fullmatch(path.name))
