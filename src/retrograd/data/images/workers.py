"""Pixels of many image files, decoded ahead by worker processes."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from retrograd.data.images.pixels import PixelFormat
from retrograd.errors import DataError

__all__ = ["Chunk", "decode_files"]

Array = np.ndarray[Any, Any]

_FILES_PER_CHUNK = 64
# For fewer files, starting a process would take longer than decoding them.
_FILES_FOR_WORKERS = 512


class Chunk(NamedTuple):
    """Decoded files: their pixels (files, channels, height, width), and why some are broken.

    `broken` holds indices within the chunk; the pixels there are meaningless.
    """

    pixels: Array
    broken: dict[int, str]


def _decode_chunk(paths: Sequence[Path], form: PixelFormat) -> Chunk:
    # Pillow is imported in the worker, so that a run on a table does not load it.
    from retrograd.data.images.decode import decode_file

    pixels = np.zeros((len(paths), *form.shape), np.uint8)
    broken = {}
    for place, path in enumerate(paths):
        try:
            pixels[place] = decode_file(path, form)
        except DataError as error:
            broken[place] = str(error)
    return Chunk(pixels, broken)


def decode_files(paths: Sequence[Path], form: PixelFormat) -> Iterator[Chunk]:
    """The files in order, some at a time, decoded ahead by one worker process per core.

    Processes, because threads that decode small files wait for each other's Python: 6,000 PNG files
    of 28×28 took one thread 0.28 s, two threads 0.43 s and two processes 0.17 s on two cores; 150
    JPEG files of 1600×1200 took 0.32, 0.17 and 0.19 s. They are spawned, because a fork would copy
    XLA's threads in the middle of their work. If they cannot start, the files are decoded here.
    """
    # Imported here, because a run on a table does not need it.
    from concurrent.futures.process import BrokenProcessPool

    chunks = [
        list(paths[start : start + _FILES_PER_CHUNK])
        for start in range(0, len(paths), _FILES_PER_CHUNK)
    ]
    workers = min(os.cpu_count() or 1, len(chunks))
    done = 0
    if workers > 1 and len(paths) >= _FILES_FOR_WORKERS:
        try:
            with closing(_decoded_ahead(chunks, form, workers)) as decoded:
                for chunk in decoded:
                    done += 1
                    yield chunk
        except BrokenProcessPool:
            pass  # a script without `if __name__ == "__main__":`, or a process that was killed
    for chunk_paths in chunks[done:]:
        yield _decode_chunk(chunk_paths, form)


def _decoded_ahead(
    chunks: Sequence[Sequence[Path]], form: PixelFormat, workers: int
) -> Generator[Chunk, None, None]:
    """The chunks in order; at most two per worker are being decoded or wait to be taken."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    spawn = multiprocessing.get_context("spawn")
    left = iter(chunks)
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        ahead: deque[Future[Chunk]] = deque()
        try:
            for paths in itertools.islice(left, 2 * workers):
                ahead.append(pool.submit(_decode_chunk, paths, form))
            while ahead:
                yield ahead.popleft().result()
                for paths in itertools.islice(left, 1):
                    ahead.append(pool.submit(_decode_chunk, paths, form))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
