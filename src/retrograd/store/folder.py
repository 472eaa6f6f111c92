"""A run folder on disk: created, filled, read back and checked. `names` says what is in it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from retrograd.data.files import atomic_write, plain_reason
from retrograd.errors import DataError, UsageError
from retrograd.store.manifest import FileFacts, Manifest
from retrograd.store.names import MANIFEST

__all__ = ["RunFolder"]

Array = np.ndarray[Any, Any]


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
        """The folder of an earlier run; DataError for another folder, or another version's."""
        folder = cls(Path(path))
        if not folder.path.exists():
            raise DataError(f"No such run folder: {path}.")
        if not (folder.path / MANIFEST).is_file():
            raise DataError(
                f"{path} is not a run folder: it has no {MANIFEST}. A run folder is what "
                "`retrograd train` writes."
            )
        folder.manifest()
        return folder

    # Reading --------------------------------------------------------------------------------------

    def manifest(self) -> Manifest:
        """The manifest, unchecked against the files."""
        path = self.path / MANIFEST
        return Manifest.from_json(self._json(MANIFEST, path.read_bytes()), path)

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
        expected = self.manifest().files.get(name)
        try:
            contents = path.read_bytes()
        except OSError as error:
            is_missing = isinstance(error, FileNotFoundError)
            reason = "there is no such file" if is_missing else plain_reason(error)
            raise DataError(
                f"The run folder {self.path} lacks {name} ({reason}); copy the folder again as a "
                "whole, or train again."
            ) from error
        if expected != FileFacts.of(contents):
            size = "" if expected is None else f", {expected.size:,} when it was written"
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

    def write_manifest(self, manifest: Manifest) -> None:
        """Close the folder: what the run is, and a checksum of every file there is."""
        # The log grows while training goes on; the report can be written anew.
        files = {
            path.name: FileFacts.of(path.read_bytes())
            for path in sorted(self.path.iterdir())
            if path.suffix in (".json", ".safetensors") and path.name != MANIFEST
        }
        self.write_json(MANIFEST, manifest.closed(files).to_json())
