"""Data sets: rows by number, or one after another."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from retrograd.errors import UsageError
from retrograd.random import host_rng

__all__ = [
    "ConcatDataset",
    "IterableDataset",
    "MapDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]


class MapDataset:
    """Rows by number: a subclass defines `__getitem__` (and `__len__`)."""

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} defines no __getitem__(self, index)")

    def __len__(self) -> int:
        raise TypeError(f"{type(self).__name__} defines no __len__(self)")

    def __add__(self, other: MapDataset) -> ConcatDataset:
        return ConcatDataset([self, other])


class IterableDataset(MapDataset):
    """Rows one after another: a subclass defines `__iter__`."""

    def __iter__(self) -> Iterator[Any]:
        raise NotImplementedError(f"{type(self).__name__} defines no __iter__(self)")


class TensorDataset(MapDataset):
    """Row i of each tensor (n, ...), as a tuple. Raises UsageError for tensors of different n."""

    def __init__(self, *tensors: Any) -> None:
        lengths = [len(tensor) for tensor in tensors]
        if len(set(lengths)) > 1:
            raise UsageError(f"TensorDataset: the tensors have {lengths} rows; expected as many.")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])


class StackDataset(MapDataset):
    """Row i of each of several data sets, as a tuple, or as a dict of those given by name."""

    def __init__(self, *datasets: Any, **named: Any) -> None:
        self.datasets: tuple[Any, ...] | Mapping[str, Any] = named or datasets
        lengths = {len(each) for each in named.values() or datasets}
        if len(lengths) != 1:
            raise UsageError(f"StackDataset: the data sets have {sorted(lengths)} rows.")
        (self._length,) = lengths

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, Mapping):
            return {name: each[index] for name, each in self.datasets.items()}
        return tuple(each[index] for each in self.datasets)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(MapDataset):
    """Several data sets, one after the other."""

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = list(datasets)
        self.cumulative_sizes = list(itertools.accumulate(len(each) for each in self.datasets))

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"ConcatDataset has {len(self)} rows; there is no row {index}")
        index %= len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        before = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - before]

    def __len__(self) -> int:
        return self.cumulative_sizes[-1] if self.cumulative_sizes else 0


class Subset(MapDataset):
    """The rows `indices` of a data set."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        return len(self.indices)


def random_split(
    dataset: Any, lengths: Sequence[float], generator: np.random.Generator | None = None
) -> list[Subset]:
    """Parts of the given sizes, or shares that add up to 1, of rows in random order.

    What shares leave over by rounding goes to the parts in turn. Raises UsageError if sizes do not
    add up to the rows.
    """
    rows = len(dataset)
    sizes = [int(length) for length in lengths]
    if all(isinstance(length, float) for length in lengths) and math.isclose(sum(lengths), 1):
        sizes = [math.floor(rows * length) for length in lengths]
        for i in range(rows - sum(sizes)):
            sizes[i % len(sizes)] += 1
    if sum(sizes) != rows:
        raise UsageError(
            f"random_split: the parts {list(lengths)} add up to {sum(sizes)}; there are {rows} "
            "rows."
        )
    order = (generator or host_rng()).permutation(rows).tolist()
    ends = itertools.accumulate(sizes)
    return [Subset(dataset, order[end - n : end]) for n, end in zip(sizes, ends, strict=True)]
