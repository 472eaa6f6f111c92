"""Data sets, samplers and loaders: every row, in the order asked for, in batches as PyTorch's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch.utils.data as theirs

import retrograd as rg
from retrograd.errors import UsageError
from retrograd.utils import data, datasets, loader, samplers

X, Y = np.arange(20.0, dtype=np.float32).reshape(10, 2), np.arange(10)


class Squares(data.Dataset):
    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"x": index**2, "name": f"row {index}"}

    def __len__(self) -> int:
        return 5


class Stream(data.IterableDataset):
    def __iter__(self) -> Iterator[int]:
        return iter(range(5))


def listed(batches: Any) -> list[Any]:
    return [[part.tolist() for part in batch] for batch in batches]


@pytest.mark.parametrize("options", [{}, {"batch_size": 4}, {"batch_size": 4, "drop_last": True}])
def test_batches_are_torchs(options: dict[str, Any]) -> None:
    import torch

    ours = data.DataLoader(data.TensorDataset(X, rg.tensor(Y)), **options)
    oracle = theirs.DataLoader(theirs.TensorDataset(torch.tensor(X), torch.tensor(Y)), **options)
    assert len(ours) == len(oracle)
    assert listed(ours) == listed(oracle)
    assert all(isinstance(part, rg.Tensor) for batch in ours for part in batch)


def test_a_shuffled_epoch_has_every_row_once_in_another_order_each_time() -> None:
    rg.manual_seed(1)
    batches = data.DataLoader(data.TensorDataset(X, Y), batch_size=3, shuffle=True)
    first = [row for _, y in batches for row in y.tolist()]
    second = [row for _, y in batches for row in y.tolist()]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    rg.manual_seed(1)
    assert [row for _, y in batches for row in y.tolist()] == first
    x, y = next(iter(batches))
    np.testing.assert_array_equal(x.numpy()[:, 0], 2 * y.numpy())


def test_rows_of_other_kinds_are_put_together() -> None:
    (first, _) = data.DataLoader(Squares(), batch_size=3)
    assert first["x"].tolist() == [0, 1, 4]
    assert first["name"] == ["row 0", "row 1", "row 2"]
    assert listed([[batch] for batch in data.DataLoader(Stream(), batch_size=2)]) == [
        [[0, 1]],
        [[2, 3]],
        [[4]],
    ]
    assert list(data.DataLoader(Stream(), batch_size=None)) == [0, 1, 2, 3, 4]
    rows = data.DataLoader([1, 2, 3], batch_size=2, collate_fn=sum)
    assert list(rows) == [3, 3]
    pairs = loader.default_collate([(rg.ones(2), np.zeros(1)), (rg.zeros(2), np.ones(1))])
    assert [part.tolist() for part in pairs] == [[[1, 1], [0, 0]], [[0], [1]]]


def test_workers_give_the_same_batches_in_the_same_order() -> None:
    alone = data.DataLoader(Squares(), batch_size=2)
    helped = data.DataLoader(Squares(), batch_size=2, num_workers=3, prefetch_factor=1)
    assert [b["x"].tolist() for b in alone] == [b["x"].tolist() for b in helped]


def test_samplers_decide_the_order() -> None:
    batches = data.DataLoader(Y, sampler=samplers.SequentialSampler(Y), batch_size=5)
    assert listed([[batch] for batch in batches]) == [[[0, 1, 2, 3, 4]], [[5, 6, 7, 8, 9]]]
    own = data.DataLoader(Y, batch_sampler=[[1, 2], [0]])
    assert len(own) == 2
    assert [batch.tolist() for batch in own] == [[1, 2], [0]]
    subset = data.SubsetRandomSampler([3, 5, 7])
    assert sorted(subset) == [3, 5, 7]
    assert len(subset) == 3
    drawn = data.RandomSampler(Y, replacement=True, num_samples=50)
    assert len(list(drawn)) == len(drawn) == 50
    assert set(drawn) <= set(range(10))
    assert len(list(data.RandomSampler(Y, num_samples=25))) == 25
    weighed = list(data.WeightedRandomSampler([0, 1, 3], 4000))
    assert np.bincount(weighed, minlength=3)[2] / 4000 == pytest.approx(0.75, abs=0.04)
    assert sorted(data.WeightedRandomSampler([1, 1, 1], 3, replacement=False)) == [0, 1, 2]


def test_data_sets_are_joined_split_and_stacked() -> None:
    joined = data.TensorDataset(Y[:4]) + data.TensorDataset(Y[4:])
    assert [joined[i][0] for i in (0, 3, 4, 9, -1)] == [0, 3, 4, 9, 9]
    with pytest.raises(IndexError, match="ConcatDataset has 10 rows; there is no row 10"):
        joined[10]
    assert datasets.StackDataset(X, Y)[3][1] == 3
    assert data.StackDataset(x=X, y=Y)[2]["y"] == 2
    assert data.Subset(Y, [7, 8])[1] == 8
    parts = data.random_split(Y, [7, 3])
    assert [len(part) for part in parts] == [7, 3]
    assert sorted(row for part in parts for row in part) == list(range(10))
    # PyTorch's rule: what rounding leaves over goes to the parts in turn.
    shares = [0.55, 0.25, 0.2]
    assert [len(part) for part in data.random_split(range(11), shares)] == [
        len(part) for part in theirs.random_split(range(11), shares)
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data.TensorDataset(X, Y[:3]), r"the tensors have \[10, 3\] rows"),
        (lambda: data.random_split(Y, [5, 4]), "add up to 9; there are 10 rows"),
        (lambda: data.DataLoader(Y, sampler=range(2), shuffle=True), "leave shuffle out"),
        (lambda: data.DataLoader(Stream(), shuffle=True), "have their own order"),
        (lambda: data.DataLoader(Y, batch_size=0), "batch_size is 0; expected at least 1"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(make: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()
