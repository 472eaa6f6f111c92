"""What a run is: its kind, its data, how it ended and which files belong to it."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from retrograd.data.form import check, restored
from retrograd.errors import DataError
from retrograd.training.history import Verdict

__all__ = ["FileFacts", "Given", "Manifest", "fingerprint"]

_FORMAT = "retrograd run"
_VERSION = 2


@dataclass(frozen=True)
class Given:
    """Data as a person gave it: a path, a share of the rows, or, with neither, values in memory.

    `sha256` is the `fingerprint` of what was at the path.
    """

    path: str | None = None
    sha256: str | None = None
    share: float | None = None

    @property
    def is_in_memory(self) -> bool:
        """Whether only the process that trained had it."""
        return self.path is None and self.share is None


@dataclass(frozen=True)
class FileFacts:
    """How many bytes a file has, and its checksum."""

    size: int
    sha256: str

    @classmethod
    def of(cls, contents: bytes) -> Self:
        return cls(len(contents), hashlib.sha256(contents).hexdigest())


@dataclass(frozen=True)
class Manifest:
    """What manifest.json says. `rows` counts those of each part, by "train", "validation", "test".

    `verdict` is None while the run trains, and for one that was killed. What comes after it is
    filled in when the manifest is written; `previous` are the checkpoint before, see `KEPT_TWICE`.
    """

    kind: str
    task: str
    seed: int
    data: Given
    validation: Given | None
    test: Given | None
    rows: dict[str, int]
    verdict: Verdict | None = None
    written: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    files: dict[str, FileFacts] = field(default_factory=dict)
    previous: dict[str, FileFacts] = field(default_factory=dict)

    def closed(self, files: dict[str, FileFacts], previous: dict[str, FileFacts]) -> Self:
        """The same, for the run's files as they are now, written by this version."""
        return replace(
            self,
            written=datetime.now(UTC).isoformat(timespec="seconds"),
            versions={
                "python": platform.python_version(),
                **{name: version(name) for name in ("retrograd", "numpy", "jax")},
            },
            files=files,
            previous=previous,
        )

    def to_json(self) -> dict[str, Any]:
        """The fields by name, and the format they are in."""
        return {"format": _FORMAT, "version": _VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any], source: Path) -> Self:
        """What `to_json` wrote to the file `source`; DataError for anything else."""
        if saved.get("format") != _FORMAT:
            raise DataError(
                f"{source} is not the manifest of a run: its format is {saved.get('format')!r}, "
                f"expected {_FORMAT!r}. A run folder is what `retrograd train` writes."
            )
        if saved.get("version") != _VERSION:
            raise DataError(
                f"{source.parent} is a run folder of version {saved.get('version')!r}, and this "
                f"Retrograd reads version {_VERSION}: use the Retrograd that wrote it, or train "
                "again."
            )
        check(cls, saved, str(source))
        verdict = saved.get("verdict")
        return restored(
            cls,
            {
                **saved,
                **{name: _given(saved[name]) for name in ("data", "validation", "test")},
                "verdict": None if verdict is None else Verdict(verdict),
                **{field: _facts(saved.get(field, {})) for field in ("files", "previous")},
            },
        )


def _facts(saved: Mapping[str, Any]) -> dict[str, FileFacts]:
    return {name: restored(FileFacts, each) for name, each in saved.items()}


def _given(saved: Mapping[str, Any] | None) -> Given | None:
    return None if saved is None else restored(Given, saved)


def fingerprint(path: Path) -> str:
    """The SHA-256 of a file's contents, or of a folder's files by name, size and date."""
    if path.is_dir():
        listing = sorted(
            (str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns)
            for file in path.rglob("*")
            if file.is_file()
        )
        return hashlib.sha256(json.dumps(listing).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
