"""A run folder on disk: created, filled, read back and checked. `names` says what is in it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from retrograd.data.files import atomic_write, plain_reason
from retrograd.errors import DataError, UsageError
from retrograd.store.committed import is_leftover, own_name, places, settle, sweep
from retrograd.store.lock import locked
from retrograd.store.manifest import FileFacts, Manifest
from retrograd.store.names import KEPT_TWICE, MANIFEST

__all__ = ["RunFolder"]

Array = np.ndarray[Any, Any]


class RunFolder:
    """The folder of one run. Every file is written whole or not at all.

    The files that belong together are staged, and `write_manifest` commits them as one; see
    `store.committed`. `notes` says what was found damaged, and what is used instead.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self._staged: dict[str, FileFacts] = {}
        self._dropped: set[str] = set()

    @classmethod
    def create(cls, path: Path | None, name: str) -> RunFolder:
        """An empty folder at `path`, or by default at runs/NAME-1, -2, ... whichever is free.

        Raises UsageError if something stands at `path` or the system refuses to make it.
        """
        try:
            if path is not None:
                cls.refuse_taken(path)
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
            # The folders above are made as well, so that none is missing.
            is_refused = isinstance(error, FileNotFoundError)
            reason = "the system makes no folder there" if is_refused else plain_reason(error)
            raise UsageError(
                f"Cannot make the run folder {path}: {reason}. Give another place with --out."
            ) from error

    @staticmethod
    def refuse_taken(path: Path, force: bool = False) -> None:
        """Raise UsageError if something stands at `path`, but by `force` not for a run folder."""
        is_run = (path / MANIFEST).is_file()
        if not path.exists() or _is_free(path) or (force and is_run):
            return
        way_out = "--force to replace that run" if is_run else "remove it first"
        raise UsageError(
            f"{path} exists already; what is there is kept. Give another folder with --out, or "
            f"{way_out}."
        )

    @staticmethod
    @contextmanager
    def set_aside(path: Path | None) -> Iterator[None]:
        """While the block makes a run at `path`, the one that is there waits beside it.

        It comes back if the block leaves no run, and is removed if it does. Raises UsageError if
        another process trains it.
        """
        if path is None or not (path / MANIFEST).is_file():
            yield
            return
        aside = path.absolute().with_name(f".{path.name}.{secrets.token_hex(6)}.old")
        with locked(path):
            os.replace(path, aside)
            try:
                yield
            finally:
                if path.exists():
                    shutil.rmtree(aside)
                else:
                    os.replace(aside, path)

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

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A block in which this process alone writes the run, after what a killed one left undone.

        Raises UsageError if another process trains the run, or has filled a new folder meanwhile.
        """
        with locked(self.path):
            if (self.path / MANIFEST).is_file():
                self._tidy(with_parts=True)
            elif not _is_free(self.path):
                raise UsageError(
                    f"{self.path} was filled by another process; what is there is kept. Give "
                    "another folder with --out."
                )
            else:
                self.clear()
            yield

    # Reading --------------------------------------------------------------------------------------

    def manifest(self) -> Manifest:
        """The manifest, unchecked against the files; DataError if it is missing or damaged."""
        path = self.path / MANIFEST
        try:
            contents = path.read_bytes()
        except OSError as error:
            raise DataError(f"Cannot read {path}: {plain_reason(error)}.") from error
        return Manifest.from_json(self._json(MANIFEST, contents), path)

    def has(self, *names: str) -> bool:
        """Whether the run has one of these files, as its manifest says; a new folder has none."""
        manifest = self.path / MANIFEST
        return manifest.is_file() and not self.manifest().files.keys().isdisjoint(names)

    def place(self, name: str) -> Path | None:
        """Where a file of the run lies, unchecked; None if the run has no such file."""
        facts = self.manifest().files.get(name)
        if facts is None:
            return None
        plain, own = (self.path / each for each in places(name, facts))
        return own if own.exists() else plain

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of the run; DataError if it is missing or not what was written."""
        return self._json(name, self._checked(name))

    def read_arrays(self, name: str) -> dict[str, Array]:
        """A safetensors file of the run; DataError if it is missing or not what was written.

        If the newest is damaged and the one before is whole, that one, and `notes` says so.
        """
        contents = self._checked(name)
        try:
            return load(contents)
        except SafetensorError as error:
            raise DataError(f"{self.path / name} cannot be read: {error}.") from error

    def read_about(self, name: str) -> dict[str, str]:
        """The metadata of a safetensors file of the run; DataError as for `read_arrays`."""
        contents = self._checked(name)
        size = int.from_bytes(contents[:8], "little")
        header = self._json(name, contents[8 : 8 + size])
        return {key: str(value) for key, value in header.get("__metadata__", {}).items()}

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
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
            raise DataError(f"{self.path / name} is damaged: {error}. Train again.") from error
        if not isinstance(found, dict):
            raise DataError(f"{self.path / name} is damaged: expected names and values.")
        return found

    def _checked(self, name: str) -> bytes:
        """The contents of a file, if they are those that the manifest knows."""
        manifest = self.manifest()
        expected, before = manifest.files.get(name), manifest.previous.get(name)
        for facts in (expected, before):
            contents = None if facts is None else self._with(name, facts)
            if contents is None:
                continue
            if facts is before:
                self._note(
                    f"{self.path / name} is damaged: it is not the file that training wrote. The "
                    "one that was written before it is used."
                )
            return contents
        path = self.path / name
        try:
            contents = path.read_bytes()
        except OSError as error:
            is_missing = isinstance(error, FileNotFoundError)
            reason = "there is no such file" if is_missing else plain_reason(error)
            raise DataError(
                f"The run folder {self.path} lacks {name} ({reason}); copy the folder again as a "
                "whole, or train again."
            ) from error
        size = "" if expected is None else f", {expected.size:,} when it was written"
        raise DataError(
            f"{path} is not the file that training wrote ({len(contents):,} bytes{size}): it "
            "was cut short or edited. Copy the run folder again as a whole, or train again."
        )

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def _with(self, name: str, facts: FileFacts) -> bytes | None:
        """The file with just these contents, wherever it lies; None if there is none."""
        for place in places(name, facts):
            with suppress(OSError):
                if (self.path / place).stat().st_size == facts.size:
                    contents = (self.path / place).read_bytes()
                    if FileFacts.of(contents) == facts:
                        return contents
        return None

    # Writing --------------------------------------------------------------------------------------

    def write_json(self, name: str, contents: Mapping[str, Any]) -> None:
        """Replace a JSON file that stands for itself."""
        with atomic_write(self.path / name) as part:
            part.write_bytes(_packed_json(contents))

    def write_lines(self, name: str, lines: Iterable[Mapping[str, Any]]) -> None:
        """Replace a file of JSON lines."""
        with atomic_write(self.path / name) as part:
            part.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")

    def stage_json(self, name: str, contents: Mapping[str, Any]) -> None:
        """Write a JSON file that `write_manifest` is to commit."""
        self._stage(name, _packed_json(contents))

    def stage_arrays(
        self, name: str, arrays: Mapping[str, Array], about: Mapping[str, str] | None = None
    ) -> None:
        """Write a safetensors file that `write_manifest` is to commit; `about` is its metadata."""
        ordered = {key: np.array(array, order="C") for key, array in arrays.items()}
        self._stage(name, save(ordered, None if about is None else dict(about)))

    def drop(self, name: str) -> None:
        """The run no longer has this file once `write_manifest` has committed."""
        self._dropped.add(name)

    def _stage(self, name: str, contents: bytes) -> None:
        facts = FileFacts.of(contents)
        try:
            with atomic_write(self.path / own_name(name, facts)) as part:
                part.write_bytes(contents)
        except UsageError as error:
            if error.__cause__ is None:
                raise
            reason = plain_reason(error.__cause__) if isinstance(error.__cause__, OSError) else ""
            raise UsageError(f"Cannot write {self.path / name}: {reason}.") from error.__cause__
        self._dropped.discard(name)
        self._staged[name] = facts

    def write_manifest(self, manifest: Manifest) -> None:
        """Commit what is staged: from now on the run is `manifest`, with these files."""
        before = self.manifest() if (self.path / MANIFEST).is_file() else None
        files = {} if before is None else dict(before.files)
        previous = {} if before is None else dict(before.previous)
        for name, facts in self._staged.items():
            if name in KEPT_TWICE and name in files and files[name] != facts:
                previous[name] = files[name]
            files[name] = facts
        files = {name: facts for name, facts in sorted(files.items()) if name not in self._dropped}
        _synced(self.path)
        self.write_json(MANIFEST, manifest.closed(files, previous).to_json())
        _synced(self.path)
        for name in self._dropped:
            (self.path / name).unlink(missing_ok=True)
        self._staged, self._dropped = {}, set()
        self._tidy(with_parts=False)

    def _tidy(self, *, with_parts: bool) -> None:
        manifest = self.manifest()
        try:
            settle(self.path, manifest)
            sweep(self.path, manifest, with_parts=with_parts)
        except OSError as error:
            raise UsageError(f"Cannot write into {self.path}: {plain_reason(error)}.") from error

    def clear(self) -> None:
        """Delete what is in the folder."""
        for path in self.path.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def remove(self) -> None:
        """Delete the folder with what is in it; of a link to a folder, what is in that."""
        self.clear()
        if not self.path.is_symlink():
            self.path.rmdir()


def _is_free(path: Path) -> bool:
    """Whether a folder holds nothing but what a process left that was killed before it began."""
    return path.is_dir() and all(map(is_leftover, path.iterdir()))


def _packed_json(contents: Mapping[str, Any]) -> bytes:
    return (json.dumps(contents, indent=2, ensure_ascii=False) + "\n").encode()


def _synced(folder: Path) -> None:
    """Bring the folder's list of names onto the disk, where the system can do so."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
