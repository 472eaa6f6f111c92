"""A run folder on disk: created, filled, read back and checked.

config.json            the options, resolved
preprocessing.json     the schema and what was measured on the training rows
weights.safetensors    the weights that were best on the rows held out
checkpoint.safetensors what training needs to go on (weights, optimizer, random numbers)
metrics.jsonl          one line an epoch, written as it ends
scores.json            figures of merit beside the baseline's
findings.json          what was found wrong when training ended
report.html            all of it as one page
manifest.json          versions, seed, the data's fingerprint, checksums of the files above
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from retrograd.data.files import atomic_write, plain_reason
from retrograd.errors import DataError, UsageError

__all__ = ["RunFolder", "fingerprint"]

Array = np.ndarray[Any, Any]

_FORMAT = "retrograd run"
_VERSION = 1
_MANIFEST = "manifest.json"


class RunFolder:
    """The folder of one run. Every file is written whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path | None, name: str) -> RunFolder:
        """An empty folder at `path`, or by default at runs/NAME-1, -2, ... whichever is free.

        Raises UsageError if something stands at `path` or the system refuses to make it.
        """
        try:
            if path is not None:
                if path.exists() and (not path.is_dir() or any(path.iterdir())):
                    raise UsageError(
                        f"{path} exists already; what is there is kept. Give another folder with "
                        "--out, or remove it first."
                    )
                path.mkdir(parents=True, exist_ok=True)
                if not os.access(path, os.W_OK | os.X_OK):
                    raise UsageError(f"Cannot write into {path}: there is no permission to do so.")
                return cls(path)
            number = 1
            while True:
                path = Path("runs") / f"{name}-{number}"
                try:
                    path.mkdir(parents=True)
                    return cls(path)
                except FileExistsError:
                    number += 1
        except OSError as error:
            raise UsageError(
                f"Cannot make the run folder {path}: {plain_reason(error)}."
            ) from error

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> RunFolder:
        """The folder of an earlier run; DataError for a path that is none."""
        folder = cls(Path(path))
        if not folder.path.exists():
            raise DataError(f"No such run folder: {path}.")
        if not (folder.path / _MANIFEST).is_file():
            raise DataError(
                f"{path} is not a run folder: it has no {_MANIFEST}. A run folder is what "
                "`retrograd train` writes."
            )
        found = folder.manifest()
        if (found.get("format"), found.get("version")) != (_FORMAT, _VERSION):
            raise DataError(
                f"{path} holds a {found.get('format')!r} of version {found.get('version')!r}; "
                f"expected a {_FORMAT!r} of version {_VERSION}. Use the Retrograd that wrote it."
            )
        return folder

    # Reading --------------------------------------------------------------------------------------

    def manifest(self) -> dict[str, Any]:
        """The manifest, unchecked against the files."""
        return self._json(_MANIFEST, (self.path / _MANIFEST).read_bytes())

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of the run; DataError if it is missing or not what was written."""
        return self._json(name, self._checked(name))

    def read_arrays(self, name: str) -> dict[str, Array]:
        """A safetensors file of the run; DataError if it is missing or not what was written."""
        self._checked(name)
        try:
            return load_file(self.path / name)
        except (SafetensorError, OSError) as error:
            raise DataError(f"{self.path / name} cannot be read: {error}.") from error

    def read_lines(self, name: str) -> list[dict[str, Any]]:
        """A file of JSON lines; a last line that was cut off by a crash is left out.

        Raises DataError for another line that is not names and values.
        """
        path = self.path / name
        if not path.is_file():
            return []
        lines = []
        written = path.read_bytes().splitlines()
        for place, line in enumerate(written, 1):
            try:
                lines.append(self._json(f"{name}, line {place},", line))
            except DataError:
                if place < len(written):
                    raise
        return lines

    def _json(self, name: str, text: bytes) -> dict[str, Any]:
        try:
            found = json.loads(text)
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise DataError(f"{self.path / name} is damaged: {error}. Train again.") from error
        if not isinstance(found, dict):
            raise DataError(f"{self.path / name} is damaged: expected names and values.")
        return found

    def _checked(self, name: str) -> bytes:
        """The contents of a file, if they are those that the manifest knows."""
        path = self.path / name
        expected = self.manifest().get("files", {}).get(name)
        try:
            contents = path.read_bytes()
        except OSError as error:
            is_missing = isinstance(error, FileNotFoundError)
            reason = "there is no such file" if is_missing else plain_reason(error)
            raise DataError(
                f"The run folder {self.path} lacks {name} ({reason}); copy the folder again as a "
                "whole, or train again."
            ) from error
        if expected is None or hashlib.sha256(contents).hexdigest() != expected["sha256"]:
            size = "" if expected is None else f", {expected['bytes']:,} when it was written"
            raise DataError(
                f"{path} is not the file that training wrote ({len(contents):,} bytes{size}): it "
                "was cut short or edited. Copy the run folder again as a whole, or train again."
            )
        return contents

    # Writing --------------------------------------------------------------------------------------

    def write_json(self, name: str, contents: Mapping[str, Any]) -> None:
        """Replace a JSON file."""
        with atomic_write(self.path / name) as part:
            part.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", "utf-8")

    def write_lines(self, name: str, lines: Iterable[Mapping[str, Any]]) -> None:
        """Replace a file of JSON lines."""
        with atomic_write(self.path / name) as part:
            part.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")

    def remove(self) -> None:
        """Delete the folder with what is in it."""
        shutil.rmtree(self.path)

    def write_arrays(self, name: str, arrays: Mapping[str, Array]) -> None:
        """Replace a safetensors file."""
        packed = save({key: np.array(array, order="C") for key, array in arrays.items()})
        with atomic_write(self.path / name) as part:
            part.write_bytes(packed)

    def write_manifest(self, **facts: Any) -> None:
        """Close the folder: versions, `facts`, and a checksum of every file there is."""
        files = {}
        for path in sorted(self.path.iterdir()):
            # The log grows while training goes on; the report can be written anew.
            if path.suffix in (".json", ".safetensors") and path.name != _MANIFEST:
                contents = path.read_bytes()
                files[path.name] = {
                    "bytes": len(contents),
                    "sha256": hashlib.sha256(contents).hexdigest(),
                }
        self.write_json(
            _MANIFEST,
            {
                "format": _FORMAT,
                "version": _VERSION,
                "written": datetime.now(UTC).isoformat(timespec="seconds"),
                "versions": {
                    "python": platform.python_version(),
                    **{name: version(name) for name in ("retrograd", "numpy", "jax")},
                },
                **facts,
                "files": files,
            },
        )


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
