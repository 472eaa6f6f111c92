"""Mini-batches of a data set's rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import numpy as np

from retrograd.errors import UsageError
from retrograd.tensor import Tensor
from retrograd.utils.datasets import IterableDataset, TensorDataset
from retrograd.utils.samplers import BatchSampler, RandomSampler, SequentialSampler, Sized

__all__ = ["DataLoader", "default_collate"]


def default_collate(batch: list[Any]) -> Any:
    """Rows as one batch: numbers, arrays and tensors stacked, (n, ...), tuples and dicts of them
    part by part; text stays a list.
    """
    first = batch[0]
    if isinstance(first, Mapping):
        return {key: default_collate([row[key] for row in batch]) for key in first}
    if isinstance(first, tuple | list):
        parts = [default_collate(list(part)) for part in zip(*batch, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else parts
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Tensor):
        return Tensor(np.stack([row.numpy() for row in batch]))
    return Tensor(np.stack(batch) if isinstance(first, np.ndarray) else batch)


class DataLoader:
    """Iterate over mini-batches of a data set; each pass is one epoch.

        for x, y in DataLoader(TensorDataset(X, Y), batch_size=32, shuffle=True):
            step(x, y)

    Rows come by number (anything with `__getitem__` and `__len__`) or one after another
    (`IterableDataset`). A `sampler` gives their order, a `batch_sampler` whole batches, and
    `collate_fn` makes a batch of a list of rows. `num_workers` threads read the next batches
    meanwhile, which helps where rows are files; arithmetic in Python they do not speed up. The last
    batch is smaller unless `drop_last`; a compiled step is compiled once more for it. `generator`
    is NumPy's, by default the one that `manual_seed` sets.

    Raises UsageError for arguments that exclude each other.
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool = False,
        sampler: Sized | None = None,
        batch_sampler: Sized | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        *,
        generator: np.random.Generator | None = None,
        prefetch_factor: int = 2,
        persistent_workers: bool = False,
    ) -> None:
        if shuffle and (sampler is not None or batch_sampler is not None):
            raise UsageError("DataLoader: a sampler decides the order; leave shuffle out.")
        if isinstance(dataset, IterableDataset) and (shuffle or sampler or batch_sampler):
            raise UsageError("DataLoader: rows that come one after another have their own order.")
        self.dataset = dataset
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.drop_last = drop_last
        self.collate_fn = collate_fn or default_collate
        self.batch_sampler = batch_sampler
        self.sampler = sampler
        if isinstance(dataset, IterableDataset):
            return
        if sampler is None and batch_sampler is None:
            order = RandomSampler(dataset, generator=generator) if shuffle else None
            self.sampler = order or SequentialSampler(dataset)
        if batch_sampler is None and batch_size is not None:
            self.batch_sampler = BatchSampler(self.sampler or (), batch_size, drop_last)

    def __len__(self) -> int:
        """Batches per epoch."""
        if self.batch_sampler is None and self.batch_size is not None:
            return len(BatchSampler(range(len(self.dataset)), self.batch_size, self.drop_last))
        return len(self.batch_sampler or self.sampler or ())

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self.dataset, IterableDataset):
            return self._in_sequence()
        if self.num_workers == 0:
            return map(self._batch, self._chosen())
        return self._by_workers()

    def _chosen(self) -> Iterable[Any]:
        """The rows of each batch, or without batches each row."""
        return (self.sampler if self.batch_sampler is None else self.batch_sampler) or ()

    def _batch(self, rows: Any) -> Any:
        if self.batch_sampler is None:
            return self.dataset[rows]
        if type(self.dataset) is TensorDataset and self.collate_fn is default_collate:
            # All rows of each tensor at once, which is what stacking them one by one gives.
            return [Tensor(np.asarray(each)[rows]) for each in self.dataset.tensors]
        return self.collate_fn([self.dataset[row] for row in rows])

    def _in_sequence(self) -> Iterator[Any]:
        if self.batch_size is None:
            yield from self.dataset
            return
        for batch in BatchSampler(self.dataset, self.batch_size, self.drop_last):
            yield self.collate_fn(batch)

    def _by_workers(self) -> Iterator[Any]:
        with ThreadPoolExecutor(self.num_workers) as workers:
            yield from self._ahead(workers)

    def _ahead(self, workers: Executor) -> Iterator[Any]:
        waiting: deque[Any] = deque()
        for rows in self._chosen():
            waiting.append(workers.submit(self._batch, rows))
            if len(waiting) > self.num_workers * self.prefetch_factor:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
