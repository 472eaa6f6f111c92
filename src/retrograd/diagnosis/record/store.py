"""Where a record is stored: in a folder whose files only grow, or in memory."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypedDict

import numpy as np

from retrograd.data.files import atomic_write, plain_reason
from retrograd.errors import DataError, UsageError

__all__ = ["EpochLine", "FolderStore", "FrozenStore", "MemoryStore", "Store", "row_type"]

Array = np.ndarray[Any, Any]

_VERSION = 1
# After each this many bytes, a part keeps half as many steps: every 2nd, then every 4th, ... The
# record of a long run thus grows with the logarithm of its steps.
_BYTES_PER_STRIDE = 32 << 20


class _Losses(TypedDict):
    epoch: int
    step: int
    train_loss: float
    validation_loss: float


class EpochLine(_Losses, total=False):
    """A line of epochs.jsonl: see `Record.epochs`."""

    learning_rate: float
    best: bool
    scores: dict[str, float]
    confusion: list[list[int]]
    residuals: list[float]
    curvature: dict[str, float]


def row_type(columns: int) -> np.dtype[Any]:
    """One step: its number and its values."""
    return np.dtype([("step", "<i8"), ("values", "<f4", (columns,))])


class Store(Protocol):
    """The storage of a record. Parts are numbered from 0."""

    def parts(self) -> list[dict[str, Any]]: ...
    def begin(self, part: dict[str, Any]) -> int:
        """Start a part; return its number."""

    def rows(self, part: int, columns: int) -> Array: ...
    def append(self, part: int, rows: Array) -> None: ...
    def lines(self, name: str) -> list[dict[str, Any]]: ...
    def add_line(self, name: str, line: dict[str, Any]) -> None: ...
    def facts(self) -> dict[str, Any]: ...
    def write_facts(self, facts: dict[str, Any]) -> None: ...


def thinned(rows: Array, written: int) -> Array:
    """The `rows` to keep after `written` bytes have been written, whatever comes in one call."""
    kept = []
    while len(rows):
        stride, over = 1 << (written // _BYTES_PER_STRIDE), written % _BYTES_PER_STRIDE
        room = -(-(_BYTES_PER_STRIDE - over) // rows.itemsize)  # rows until the stride doubles
        places = np.flatnonzero(rows["step"] % stride == 0)[:room]
        kept.append(rows[places])
        written += kept[-1].nbytes
        rows = rows[places[-1] + 1 :] if len(places) == room else rows[:0]
    return np.concatenate(kept) if kept else rows


class MemoryStore:
    """A record that ends with the process."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []
        self._rows: list[list[Array]] = []
        self._bytes: list[int] = []
        self._lines: dict[str, list[dict[str, Any]]] = {}
        self._facts: dict[str, Any] = {}

    def parts(self) -> list[dict[str, Any]]:
        return list(self._parts)

    def begin(self, part: dict[str, Any]) -> int:
        self._parts.append(part)
        self._rows.append([])
        self._bytes.append(0)
        return len(self._parts) - 1

    def rows(self, part: int, columns: int) -> Array:
        chunks = self._rows[part]
        if len(chunks) > 1:
            chunks[:] = [np.concatenate(chunks)]
        return chunks[0] if chunks else np.zeros(0, row_type(columns))

    def append(self, part: int, rows: Array) -> None:
        kept = thinned(rows, self._bytes[part])
        self._rows[part].append(kept)
        self._bytes[part] += kept.nbytes

    def lines(self, name: str) -> list[dict[str, Any]]:
        return list(self._lines.get(name, ()))

    def add_line(self, name: str, line: dict[str, Any]) -> None:
        self._lines.setdefault(name, []).append(line)

    def facts(self) -> dict[str, Any]:
        return dict(self._facts)

    def write_facts(self, facts: dict[str, Any]) -> None:
        self._facts = dict(facts)


class FolderStore:
    """A record in a folder, which is created when the first part begins.

    Everything written survives if the process is killed: rows and lines are passed to the operating
    system whole and in order. Raises UsageError if writing fails, DataError for a damaged file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def parts(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while (file := self._part(len(found))).is_file():
            saved = _read_object(file)
            if saved.pop("version", None) != _VERSION:
                raise UsageError(
                    f"{file} was written by another version of Retrograd; this one reads record "
                    f"version {_VERSION}."
                )
            found.append(saved)
        return found

    def begin(self, part: dict[str, Any]) -> int:
        self._make()
        number = len(self.parts())
        with atomic_write(self._part(number)) as temporary:
            temporary.write_text(json.dumps({"version": _VERSION, **part}), "utf-8")
        return number

    def rows(self, part: int, columns: int) -> Array:
        kind, file = row_type(columns), self._rows(part)
        whole = file.stat().st_size // kind.itemsize if file.is_file() else 0
        return np.memmap(file, kind, "r", shape=(whole,)) if whole else np.zeros(0, kind)

    def append(self, part: int, rows: Array) -> None:
        file = self._rows(part)
        kept = thinned(rows, file.stat().st_size if file.is_file() else 0)
        self._write(file, kept.tobytes())

    def lines(self, name: str) -> list[dict[str, Any]]:
        file = self.path / f"{name}.jsonl"
        found = []
        for line in file.read_bytes().splitlines() if file.is_file() else ():
            try:
                found.append(json.loads(line))
            except ValueError:  # what a crash cut off
                continue
        return found

    def add_line(self, name: str, line: dict[str, Any]) -> None:
        self._make()
        # The newline comes first, since a crash may have cut off the line before.
        self._write(self.path / f"{name}.jsonl", b"\n" + json.dumps(line).encode())

    def cut(self, step: int) -> None:
        """Delete what was recorded after `step`, from which a killed run resumes."""
        for number, part in enumerate(self.parts()):
            rows = self.rows(number, len(part["columns"]))
            kept = rows[rows["step"] <= step]
            if len(kept) < len(rows):
                with atomic_write(self._rows(number)) as temporary:
                    temporary.write_bytes(kept.tobytes())
        for file in self.path.glob("*.jsonl"):
            lines = [line for line in self.lines(file.stem) if line["step"] <= step]
            with atomic_write(file) as temporary:
                temporary.write_text("".join(f"\n{json.dumps(line)}" for line in lines), "utf-8")

    def sizes(self) -> dict[str, int]:
        """The bytes of every file that only grows, by its name; they are on the disk."""
        found = {}
        for path in self._growing():
            with path.open("rb") as file:
                os.fsync(file.fileno())
            found[path.name] = path.stat().st_size
        return found

    def cut_to(self, sizes: Mapping[str, int]) -> None:
        """Take every file that only grows back to its size in `sizes`, from which a run resumes."""
        for path in self._growing():
            if path.name not in sizes:
                path.unlink()
            elif path.stat().st_size > sizes[path.name]:
                os.truncate(path, sizes[path.name])
        for path in self.path.glob("[0-9]*.json"):
            if path.with_suffix(".rows").name not in sizes:
                path.unlink()

    def _growing(self) -> list[Path]:
        return sorted([*self.path.glob("*.rows"), *self.path.glob("*.jsonl")])

    def facts(self) -> dict[str, Any]:
        file = self.path / "facts.json"
        return _read_object(file) if file.is_file() else {}

    def write_facts(self, facts: dict[str, Any]) -> None:
        with atomic_write(self.path / "facts.json") as temporary:
            temporary.write_text(json.dumps(facts), "utf-8")

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"Cannot create {self.path}: {plain_reason(error)}.") from error

    def _part(self, number: int) -> Path:
        return self.path / f"{number:03d}.json"

    def _rows(self, number: int) -> Path:
        return self.path / f"{number:03d}.rows"

    def _write(self, file: Path, data: bytes) -> None:
        try:
            with file.open("ab", buffering=0) as open_file:
                open_file.write(data)
        except OSError as error:
            raise UsageError(f"Cannot write {file}: {plain_reason(error)}.") from error


def _read_object(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
        if not isinstance(found, dict):
            raise ValueError("expected names and values")
    except OSError as error:
        raise DataError(f"Cannot read {file}: {plain_reason(error)}.") from error
    except ValueError as error:
        raise DataError(
            f"{file} is damaged: {error}. Copy the whole run folder again, or train again."
        ) from error
    return found


class FrozenStore:
    """A snapshot of a store, to read while another process keeps writing to it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parts = store.parts()
        self._rows: dict[int, Array] = {}

    def parts(self) -> list[dict[str, Any]]:
        return self._parts

    def rows(self, part: int, columns: int) -> Array:
        if part not in self._rows:
            self._rows[part] = self._store.rows(part, columns)
        return self._rows[part]

    def lines(self, name: str) -> list[dict[str, Any]]:
        return self._store.lines(name)

    def facts(self) -> dict[str, Any]:
        return self._store.facts()

    def begin(self, part: dict[str, Any]) -> int:
        raise TypeError("a frozen record is read only")

    def append(self, part: int, rows: Array) -> None:
        raise TypeError("a frozen record is read only")

    def add_line(self, name: str, line: dict[str, Any]) -> None:
        raise TypeError("a frozen record is read only")

    def write_facts(self, facts: dict[str, Any]) -> None:
        raise TypeError("a frozen record is read only")
