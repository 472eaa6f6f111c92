"""The order in which rows are taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from retrograd.errors import UsageError
from retrograd.random import host_rng

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

Generator = np.random.Generator


class Sampler:
    """Row numbers in some order: a subclass defines `__iter__` (and `__len__`)."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} defines no __iter__(self)")

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} defines no __len__(self)")


class SequentialSampler(Sampler):
    """0, 1, 2, ..."""

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """Every row once, in an order drawn anew each time; or `num_samples` with `replacement`."""

    def __init__(
        self,
        data_source: Any,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self.num_samples = len(data_source) if num_samples is None else num_samples
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        rng, rows = self.generator or host_rng(), len(self.data_source)
        if self.replacement:
            return iter(rng.integers(0, rows, self.num_samples).tolist())
        rounds = -(-self.num_samples // rows)
        order = np.concatenate([rng.permutation(rows) for _ in range(rounds)])
        return iter(order[: self.num_samples].tolist())

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler):
    """The rows `indices`, in an order drawn anew each time."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        order = (self.generator or host_rng()).permutation(len(self.indices))
        return (self.indices[position] for position in order.tolist())

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """`num_samples` rows drawn in proportion to `weights`, by default with replacement."""

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        self.weights = np.asarray(weights, np.float64)
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        shares = self.weights / self.weights.sum()
        rng = self.generator or host_rng()
        rows = rng.choice(len(shares), self.num_samples, self.replacement, shares)
        return iter(rows.tolist())

    def __len__(self) -> int:
        return self.num_samples


class Sized(Protocol):
    """Row numbers that are counted."""

    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


class BatchSampler(Sampler):
    """Lists of `batch_size` row numbers; the last is smaller, or left out with `drop_last`."""

    def __init__(self, sampler: Sized, batch_size: int, drop_last: bool = False) -> None:
        if batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}; expected at least 1.")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        batch: list[int] = []
        for row in self.sampler:
            batch.append(row)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)
        return whole + (rest > 0 and not self.drop_last)
