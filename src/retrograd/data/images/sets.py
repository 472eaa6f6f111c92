"""Images ready for a network: pixels by row, each with a name and a label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import narwhals as nw
import numpy as np
import pyarrow as pa

from retrograd.data.allowance import allowed
from retrograd.data.images import cache
from retrograd.data.images.listing import ImageFiles
from retrograd.data.images.pixels import PixelFormat
from retrograd.data.images.workers import decode_files
from retrograd.data.tables.arrow import row_numbers
from retrograd.data.tables.table import take_rows
from retrograd.errors import DataError
from retrograd.wording import count

__all__ = ["ImageSet", "Pixels", "decode", "in_memory", "pixel_statistics"]

Array = np.ndarray[Any, Any]

# Sets up to this size are held in memory, larger ones read as they are needed.
MEMORY_BYTES = 512 << 20
# Decoding this much takes long enough to keep the result.
_WORTH_KEEPING_FILES = 512
_WORTH_KEEPING_BYTES = 32 << 20
_SHOWN_BROKEN = 5
_ROWS_AT_ONCE = 1024


class Pixels(Protocol):
    """Images by row number: an array, or an object that acts like one and reads them on demand."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: Any) -> Array: ...


@dataclass(frozen=True)
class Chosen:
    """A selection of another set's rows, in a given order."""

    pixels: Pixels
    rows: Array

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.rows), *self.pixels.shape[1:]

    def __getitem__(self, rows: Any) -> Array:
        return self.pixels[self.rows[rows]]


@dataclass(frozen=True)
class FromFiles:
    """Pixels that are decoded each time they are read."""

    paths: tuple[Path, ...]
    form: PixelFormat

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self.paths), *self.form.shape

    def __getitem__(self, rows: Any) -> Array:
        paths = [self.paths[row] for row in np.arange(len(self.paths))[rows]]
        pixels = np.empty((len(paths), *self.form.shape), np.uint8)
        broken = _fill(pixels, paths, self.form)
        if broken:
            reason = next(iter(broken.values()))
            raise DataError(f"An image can no longer be read: {reason}.")
        return pixels


@dataclass(frozen=True)
class ImageSet:
    """Pixels (rows, channels, height, width), and each row's name and label.

    A name is a file's path, or a number if `are_files` is False. `frame` is the table that named
    the images, with the same rows.
    """

    pixels: Pixels
    names: tuple[str, ...]
    labels: pa.Array | None = None
    frame: nw.DataFrame[pa.Table] | None = None
    are_files: bool = True

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: Array) -> ImageSet:
        """The rows numbered in `rows`, in that order."""
        whole = isinstance(self.pixels, np.ndarray) and not isinstance(self.pixels, np.memmap)
        return replace(
            self,
            pixels=self.pixels[rows] if whole else Chosen(self.pixels, rows),
            names=tuple(self.names[row] for row in rows),
            labels=None if self.labels is None else self.labels.take(row_numbers(rows)),
            frame=None if self.frame is None else take_rows(self.frame, rows),
        )

    def parts(self, rows: int = _ROWS_AT_ONCE) -> Iterator[Array]:
        """The pixels in their order, at most `rows` at a time."""
        for start in range(0, len(self), rows):
            yield self.pixels[start : start + rows]


def in_memory(pixels: Pixels) -> bool:
    """Whether all of these may be held in memory at once."""
    return int(np.prod(pixels.shape)) <= MEMORY_BYTES


def decode(files: ImageFiles, form: PixelFormat, share: float | None, notes: list[str]) -> ImageSet:
    """The images in their format; broken files are left out and named in `notes`.

    They come from the cache if it has them. Raises DataError for more broken files than `allowed`,
    of which the user may have set the `share`.
    """
    pixels, broken = _decoded(files.paths, form)
    _judge_broken(broken, len(files.paths), allowed(len(files.paths), share), notes)
    images = ImageSet(pixels, files.names, files.labels, files.frame)
    if broken:
        images = images.take(np.setdiff1d(np.arange(len(files.paths)), list(broken)))
    if in_memory(images.pixels) and isinstance(images.pixels, np.memmap | Chosen):
        images = replace(images, pixels=np.array(images.pixels[:]))
    return images


def _decoded(paths: tuple[Path, ...], form: PixelFormat) -> tuple[Pixels, dict[int, str]]:
    stats = [_stat(path) for path in paths]
    total = sum(stat.st_size for stat in stats if stat)
    if len(paths) >= _WORTH_KEEPING_FILES or total >= _WORTH_KEEPING_BYTES:
        name = cache.name_of(paths, stats, form)
        kept = cache.load(name, form)
        if kept is None and cache.store(
            name, len(paths), form, lambda array: _fill(array, paths, form)
        ):
            kept = cache.load(name, form)
        if kept is not None:
            return kept
    pixels = FromFiles(paths, form)
    if in_memory(pixels):
        array = np.empty(pixels.shape, np.uint8)
        return array, _fill(array, paths, form)
    broken: dict[int, str] = {}
    for place, chunk in _chunks(paths, form):
        broken |= {place + i: reason for i, reason in chunk.broken.items()}
    return pixels, broken


def _stat(path: Path) -> Any:
    try:
        return path.stat()
    except OSError:
        return None  # the decoder reports why


def _chunks(paths: Sequence[Path], form: PixelFormat) -> Iterator[tuple[int, Any]]:
    place = 0
    for chunk in decode_files(paths, form):
        yield place, chunk
        place += len(chunk.pixels)


def _fill(array: Array, paths: Sequence[Path], form: PixelFormat) -> dict[int, str]:
    """Decode into `array`; the indices of broken files, where it holds no image, with reasons."""
    broken: dict[int, str] = {}
    for place, chunk in _chunks(paths, form):
        array[place : place + len(chunk.pixels)] = chunk.pixels
        broken |= {place + i: reason for i, reason in chunk.broken.items()}
    return broken


def _judge_broken(broken: dict[int, str], files: int, most: int, notes: list[str]) -> None:
    if not broken:
        return
    reasons = [broken[place] for place in sorted(broken)]
    examples = "; ".join(reasons[:_SHOWN_BROKEN])
    if len(reasons) > _SHOWN_BROKEN:
        examples += f"; and {len(reasons) - _SHOWN_BROKEN:,} more"
    if len(broken) > most:
        raise DataError(
            f"{len(broken):,} of {count(files, 'image')} cannot be read; expected at most {most:,}"
            f": {examples}. Repair or remove them, or allow more with --set broken=SHARE."
        )
    notes.append(f"{len(broken):,} of {count(files, 'image')} cannot be read: {examples}.")


def pixel_statistics(images: ImageSet) -> tuple[Array, Array]:
    """The mean and the standard deviation of each channel, (channels,), in the pixels' units.

    A constant channel is given a standard deviation of 1, so that dividing by it is harmless.
    """
    channels = images.pixels.shape[1]
    pixels = 0
    total, squares = np.zeros(channels), np.zeros(channels)
    for part in images.parts():
        values = part.transpose(1, 0, 2, 3).reshape(channels, -1).astype(np.float64)
        pixels += values.shape[1]
        total += values.sum(1)
        squares += np.einsum("cp,cp->c", values, values)
    mean = total / pixels
    std = np.sqrt(np.maximum(squares / pixels - mean**2, 0))
    return mean, np.where(std > 1e-6 * np.maximum(np.abs(mean), 1), std, 1.0)
