"""Sources for images that do not fit in memory, and for mixed images."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from retrograd import ops
from retrograd.data import Batches
from retrograd.data.images import ImageSet
from retrograd.tensor import Tensor
from retrograd.training.sources import Source, Stack, in_calls

__all__ = ["Mixed", "Streamed"]

Array = np.ndarray[Any, Any]

# Bytes of pixels per call; two calls' pixels are in memory at a time.
_BYTES_PER_CALL = 64 << 20


@dataclass(frozen=True)
class Streamed:
    """Images that are read one call ahead of the steps; see `Source`."""

    images: ImageSet
    target: Array

    def __len__(self) -> int:
        return len(self.target)

    def steps(self, batch_size: int) -> int:
        return len(self) // min(batch_size, len(self))

    def calls(self, batch_size: int, rng: np.random.Generator) -> Iterator[Stack]:
        order = Batches((self.target,), batch_size, rng, drop_last=True).epoch_indices()
        size = order.shape[1] * int(np.prod(self.images.pixels.shape[1:]))
        steps = max(1, _BYTES_PER_CALL // size)
        for batches in in_calls(order):
            pieces = [batches[start : start + steps] for start in range(0, len(batches), steps)]
            yield from _ahead(self._call, pieces)

    def _call(self, batches: Array) -> Stack:
        # Sorted rows of a file are in the order of the disk.
        rows, back = np.unique(batches, return_inverse=True)
        pixels = self.images.pixels[rows][back.reshape(batches.shape)]
        return Stack(None, (pixels, self.target[batches]))

    def batch(self, form: Hashable, *arrays: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        pixels, target = arrays
        return (pixels,), target

    def parts(self, rows: int) -> Iterator[tuple[tuple[Array, ...], Array]]:
        start = 0
        for pixels in self.images.parts(rows):
            yield (pixels,), self.target[start : start + len(pixels)]
            start += len(pixels)


def _ahead(read: Callable[[Array], Stack], pieces: list[Array]) -> Iterator[Stack]:
    """`read` of every piece in order; the next is read in the background."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(read, pieces[0])
        for piece in pieces[1:]:
            now = coming.result()
            coming = pool.submit(read, piece)
            yield now
        yield coming.result()


@dataclass(frozen=True)
class Mixed:
    """Another source's images in pairs, λ of one and 1 − λ of the other, and so their classes.

    λ is drawn for each batch from Beta(α, α); the partners are the batch in reverse (mixup: Zhang,
    Cissé, Dauphin & Lopez-Paz 2018, equation 1).
    """

    source: Source
    alpha: float
    classes: int

    def __len__(self) -> int:
        return len(self.source)

    def steps(self, batch_size: int) -> int:
        return self.source.steps(batch_size)

    def calls(self, batch_size: int, rng: np.random.Generator) -> Iterator[Stack]:
        for form, arrays in self.source.calls(batch_size, rng):
            shares = rng.beta(self.alpha, self.alpha, (len(arrays[0]), 1)).astype(np.float32)
            yield Stack(form, (*arrays, shares))

    def batch(self, form: Hashable, *arrays: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        *inner, share = arrays
        (pixels,), target = self.source.batch(form, *inner)
        codes = ops.unsqueeze(target, 1)
        one_hot = (codes == np.arange(self.classes)).astype(np.float32)
        return (_mix(pixels.astype(np.float32), share),), _mix(one_hot, share)

    def parts(self, rows: int) -> Iterator[tuple[tuple[Array, ...], Array]]:
        return self.source.parts(rows)


def _mix(x: Tensor, share: Tensor) -> Tensor:
    return share.reshape(*(1,) * x.ndim) * x + (1 - share).reshape(*(1,) * x.ndim) * ops.flip(
        x, (0,)
    )
