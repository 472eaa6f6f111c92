"""Mini-batches: the rows of several arrays, reshuffled in each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from retrograd.errors import UsageError

__all__ = ["Batches"]


class Batches:
    """Iterate over mini-batches of arrays (n, ...) with equal n; each pass is one epoch.

    A batch has the same structure as the arrays: a dict of (batch, ...) for a dict, a tuple for a
    tuple. All batches have the same size, so that a step is compiled once: an incomplete last batch
    is filled with rows from the start of the epoch's order, or dropped with `drop_last`. (PyTorch's
    DataLoader gives a smaller last batch.) A batch is never larger than n.

    `epoch_indices` gives an epoch's row numbers as one array instead, for a loop that runs many
    steps in one call. Both draw one permutation per epoch from `rng`.

    Raises UsageError for no arrays, arrays of different lengths, and a batch size below 1.
    """

    def __init__(
        self,
        arrays: Mapping[str, np.ndarray[Any, Any]] | Sequence[np.ndarray[Any, Any]],
        batch_size: int,
        rng: np.random.Generator,
        drop_last: bool = False,
    ) -> None:
        named = arrays if isinstance(arrays, Mapping) else dict(enumerate(arrays))
        lengths = {name: len(array) for name, array in named.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise UsageError(f"Expected arrays with the same number of rows, found {lengths}.")
        if batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}; expected at least 1.")
        self.rows = next(iter(lengths.values()))
        self.batch_size = min(batch_size, self.rows)
        self._arrays = arrays
        self._rng = rng
        self._drop_last = drop_last

    def __len__(self) -> int:
        """Steps per epoch."""
        whole, rest = divmod(self.rows, self.batch_size)
        return whole + (rest > 0 and not self._drop_last)

    def epoch_indices(self) -> np.ndarray[Any, np.dtype[np.int32]]:
        """int32 (steps, batch) row numbers of the next epoch."""
        order = self._rng.permutation(self.rows).astype(np.int32)
        # Repeats the order from its start if the last batch is not full, otherwise cuts it.
        return np.resize(order, (len(self), self.batch_size))

    def __iter__(self) -> Iterator[Any]:
        for index in self.epoch_indices():
            if isinstance(self._arrays, Mapping):
                yield {name: np.take(a, index, axis=0) for name, a in self._arrays.items()}
            else:
                yield tuple(np.take(a, index, axis=0) for a in self._arrays)
