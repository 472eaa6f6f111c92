"""Tables of vectors: padding, indices out of range, and bags."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn
from retrograd.nn import functional as F

CLASSES = np.array([0, 3, 1, 1, 2])


@pytest.mark.parametrize("wrong", [-1, 5])
def test_an_index_out_of_the_table_is_an_error_that_says_where(wrong: int) -> None:
    index = np.array([[0, 1], [4, wrong]])
    with pytest.raises(
        IndexError, match=rf"index must be from 0 to 4, found {wrong} at position \[1, 1\]"
    ):
        nn.Embedding(5, 2)(index)
    with pytest.raises(TypeError, match="expected integers, found float32"):
        nn.Embedding(5, 2)(index.astype(np.float32))


def test_the_padding_row_is_zero_and_gets_no_gradient() -> None:
    layer = nn.Embedding(5, 2, padding_idx=-1)
    assert layer.padding_idx == 4
    assert not layer.weight.numpy()[4].any()
    layer(np.array([4, 1, 1, 4])).sum().backward()
    assert layer.weight.grad.numpy().tolist() == [[0, 0], [2, 2], [0, 0], [0, 0], [0, 0]]
    with pytest.raises(ValueError, match="one of the 5 rows, found 5"):
        nn.Embedding(5, 2, padding_idx=5)


def test_one_hot_is_torchs() -> None:
    index = np.array([[0, 3], [1, 1]])
    for count in (-1, 6):
        expected = torch.nn.functional.one_hot(torch.from_numpy(index), count).numpy()
        found = F.one_hot(index, count).numpy()
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype
    with pytest.raises(IndexError, match="class must be from 0 to 2, found 3"):
        F.one_hot(index, 3)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("compiled", [False, True])
def test_a_bag_is_the_fold_of_its_embeddings(mode: str, compiled: bool) -> None:
    bag = nn.EmbeddingBag(6, 3, mode, padding_idx=2)
    flat, offsets = np.array([0, 2, 5, 5, 1, 2]), np.array([0, 3, 3, 5])

    def run(flat: Any, offsets: Any) -> Any:
        bag.weight.grad = None
        out = bag(flat, offsets)
        (out * out).sum().backward()
        return out, bag.weight.grad

    out, slope = (rg.compile(run) if compiled else run)(flat, offsets)
    rows = bag.weight.numpy()
    fold = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
    right = np.stack([fold(rows[[0, 5]], 0), np.zeros(3), fold(rows[[5, 1]], 0), np.zeros(3)])
    np.testing.assert_allclose(out.numpy(), right, rtol=1e-6)
    assert not slope.numpy()[[2, 3, 4]].any()  # padding, and what is in no bag


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.embedding_bag(CLASSES, nn.Embedding(4, 2).weight), r"\(total,\) with offsets"),
        (lambda: F.embedding_bag(CLASSES[None], nn.Embedding(4, 2).weight, mode="min"), "'max'"),
        (
            lambda: F.embedding_bag(
                CLASSES[None], nn.Embedding(4, 2).weight, per_sample_weights=np.ones((1, 5))
            ),
            "for mode 'sum'",
        ),
    ],
)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_rows_that_are_looked_up_are_shortened_as_pytorchs() -> None:
    values = np.array([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]], np.float32)
    for options in ({"max_norm": 1.0}, {"max_norm": 2.0, "norm_type": 1.0}):
        ours = nn.Embedding.from_pretrained(values, freeze=False, **options)
        theirs = torch.nn.Embedding.from_pretrained(torch.tensor(values), freeze=False, **options)
        for run in (ours, rg.compile(ours)):
            found = run(rg.tensor([0, 1, 0]))
            expected = theirs(torch.tensor([0, 1, 0]))
            np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-5)
        np.testing.assert_allclose(ours.weight.numpy(), theirs.weight.detach().numpy(), rtol=1e-5)


def test_given_vectors_are_frozen_unless_said_otherwise() -> None:
    frozen = nn.Embedding.from_pretrained(np.eye(3, dtype=np.float32))
    assert not frozen.weight.requires_grad
    assert frozen(rg.tensor([2])).tolist() == [[0, 0, 1]]
    assert nn.Embedding.from_pretrained(rg.ones(2, 2), freeze=False).weight.requires_grad
    with pytest.raises(ValueError, match="expected a matrix"):
        nn.Embedding.from_pretrained(rg.ones(2))
