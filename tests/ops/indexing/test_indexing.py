"""Reading and writing by position: PyTorch's rules, on both engines, to second order."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import ops
from retrograd.nn import functional as F

X = np.arange(24.0).reshape(2, 3, 4)

INDICES: list[Any] = [
    (0, slice(None), [0, 1]),
    ([0, 1], slice(None), 0),
    (0, None, [0, 1]),
    (slice(None), 0, [0, 1]),
    (0, [0, 1], slice(1, 3)),
    (0, slice(None), np.array([True, False, True, True])),
    (slice(None), np.ones((3, 4), bool)),
    (1, ..., [0, 3]),
    ([[0], [1]], slice(None), [0, 2]),
    (-1, slice(0, 3, 2), None, [1, 1]),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_integers_are_taken_before_arrays_as_in_pytorch(index: Any) -> None:
    theirs = torch.tensor(X, requires_grad=True)
    parts = tuple(torch.tensor(p) if isinstance(p, np.ndarray) else p for p in index)
    expected = theirs[parts]
    weights = np.random.default_rng(0).normal(size=tuple(expected.shape))
    expected.backward(torch.tensor(weights))
    for run in (lambda f: f, rg.compile):
        found = run(lambda x: x[index])(rg.Tensor(X))
        np.testing.assert_array_equal(found.numpy(), expected.detach().numpy())
        slope = run(rg.grad(lambda x: rg.sum(x[index] * weights)))(rg.Tensor(X))
        np.testing.assert_allclose(slope.numpy(), theirs.grad.numpy())


# Basic indices go back as padding -----------------------------------------------------------------

BASIC: list[Any] = [
    (slice(None),),
    (..., None),
    (None, slice(0, 5)),
    (slice(1, 4),),
    (slice(None, None, 2),),
    (slice(None, None, -1),),
    (slice(-1, 0, -2), slice(1, None)),
    (2, slice(0, 1)),
    (-1, -1),
    (slice(3, 3),),
    (slice(4, 1, -1), None, 0),
]


@pytest.mark.parametrize("index", BASIC, ids=str)
def test_a_basic_index_of_a_reversed_or_summed_tensor_goes_back(index: Any) -> None:
    """A scatter that covers its target, met by a reversal, ends the process inside of XLA."""
    x = np.random.default_rng(0).normal(size=(5, 2))
    for turned in (lambda x: ops.flip(x, dims=0), lambda x: ops.cumsum(x, dim=0)):

        def loss(x: Any, turned: Any = turned) -> Any:
            return rg.sum(rg.square(turned(x)[index]) * 0.5)

        expected = rg.grad(loss)(rg.Tensor(x)).numpy()
        np.testing.assert_allclose(rg.compile(rg.grad(loss))(rg.Tensor(x)).numpy(), expected)
        place = np.zeros_like(x)
        np.add.at(place, index, turned(rg.Tensor(x)).numpy()[index])
        back = np.flip(place, 0) if turned(rg.Tensor(x))[0, 0].item() == x[-1, 0] else None
        if back is not None:
            np.testing.assert_allclose(expected, back)


def test_the_curvature_of_a_product_of_two_compiles() -> None:
    def penalty(x: rg.Tensor) -> rg.Tensor:
        return rg.sum(rg.square(rg.grad(ops.prod)(x)))

    found = rg.compile(rg.grad(penalty))(rg.Tensor([0.5, 1.0]))
    np.testing.assert_allclose(found.numpy(), [1.0, 2.0])  # of x₁² + x₂²


def test_what_is_written_from_what_is_read_beside_it_is_right() -> None:
    """In JAX 0.10.2 to 0.12.0.1 a dynamic-update-slice in place reads what it has written."""

    def shifted(x: Any) -> list[Any]:
        base = x + 1
        rows = np.arange(1, 8)
        grid = np.broadcast_to(rows[:, None], (7, 16))
        written = [
            ops.index_put(base, (slice(1, None),), base[:-1]),
            ops.index_copy(base, 0, rows, base[:-1]),
            ops.scatter(base, 0, grid, base[:-1]),
            ops.concatenate([base[:1], base[:-1]]),
            ops.where(np.arange(8)[:, None] > 0, ops.roll(base, 1, 0), base),
        ]
        return [ops.reshape(each, shape=(1, *each.shape)) for each in written]

    x = np.arange(128, dtype=np.int32).reshape(8, 16)
    base = x + 1
    expected = np.concatenate([base[:1], base[:-1]])[None]
    for found in rg.compile(shifted)(rg.Tensor(x)):
        np.testing.assert_array_equal(found.numpy(), expected)


def test_no_pullback_of_an_index_updates_a_slice_in_place() -> None:
    def loss(x: Any) -> Any:
        parts = [x[1:], x[::2], x[:, 0], x[None], x[-1], *ops.split(x, 2), ops.diagonal(x)]
        return sum(rg.sum(rg.square(part)) for part in parts)

    with jax.enable_x64(True):
        program = jax.jit(lambda x: rg.grad(loss)(rg.Tensor(x)).data)
        text = program.trace(np.ones((4, 4))).lower().as_text()
    assert "pad" in text
    assert "dynamic_update_slice" not in text
    assert "scatter" not in text


# Out of range -------------------------------------------------------------------------------------

V = rg.Tensor([1.0, 2.0])
M = rg.Tensor([[1.0, 2.0], [3.0, 4.0]])
ZERO, FAR = rg.Tensor([0]), rg.Tensor([7])

BEYOND = {
    "narrow": lambda: ops.narrow(V, 0, 1, 10),
    "narrow before": lambda: ops.narrow(V, 0, -3, 1),
    "narrow by less than nothing": lambda: ops.narrow(V, 0, 1, -1),
    "narrow's axis": lambda: ops.narrow(V, 1, 0, 1),
    "select": lambda: ops.select(M, 0, 2),
    "select's axis": lambda: ops.select(M, 2, 1),
    "movedim": lambda: ops.movedim(M, 2, 0),
    "movedim's target": lambda: ops.movedim(M, 0, -3),
    "unflatten": lambda: ops.unflatten(M, 2, (1, 2)),
    "unfold's axis": lambda: ops.unfold(M, 2, 1, 1),
    "diagonal": lambda: ops.diagonal(M, dim1=2),
    "rot90": lambda: ops.rot90(M, 1, (0, 2)),
    "roll": lambda: ops.roll(V, 1, 1),
    "unbind": lambda: ops.unbind(V, 1),
    "chunk": lambda: ops.chunk(V, 2, 1),
    "tensor_split": lambda: ops.tensor_split(V, 2, 1),
    "repeat_interleave": lambda: ops.repeat_interleave(V, 2, 1),
    "topk's axis": lambda: ops.topk(V, 1, 1),
    "cumsum of a number": lambda: ops.cumsum(rg.Tensor(1.0), dim=1),
    "index_add's axis": lambda: ops.index_add(M, 2, ZERO, M),
    "index_add": lambda: ops.index_add(V, 0, FAR, rg.Tensor([1.0])),
    "index_copy": lambda: ops.index_copy(V, 0, FAR, rg.Tensor([1.0])),
    "index_fill": lambda: ops.index_fill(V, 0, FAR, 1.0),
    "index_select": lambda: ops.index_select(V, 0, FAR),
    "gather": lambda: ops.gather(V, 0, FAR),
    "gather's axis": lambda: ops.gather(M, 2, rg.Tensor([[0]])),
    "scatter": lambda: ops.scatter(V, 0, FAR, 1.0),
    "scatter's axis": lambda: ops.scatter(M, 2, rg.Tensor([[0]]), 1.0),
    "take": lambda: ops.take(V, FAR),
    "embedding": lambda: F.embedding(FAR, M),
    "x[i]": lambda: V[FAR],
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_is_out_of_range_is_refused(name: str) -> None:
    with pytest.raises(IndexError):
        BEYOND[name]()


DO_NOT_FIT = [
    (
        lambda: ops.gather(rg.Tensor(X), 0, ZERO),
        r"gather: the index has shape \(1,\) .*\(2, 3, 4\)",
    ),
    (lambda: ops.scatter(rg.Tensor(X), 0, ZERO, 1.0), "scatter: the index has shape"),
    (lambda: ops.topk(V, 5), "topk: k must be from 0 to 2"),
    (lambda: ops.unfold(V, 0, 9, 1), "unfold: windows of 9 elements"),
    (lambda: ops.unfold(V, 0, 1, 0), "0 apart"),
    (lambda: ops.chunk(V, 0), "chunk: expected at least 1 part"),
    (lambda: ops.split(V, 0), "split: a part needs at least 1 element"),
    (lambda: ops.tensor_split(V, 0), "tensor_split: expected at least 1 part"),
    (lambda: ops.trace(V), "trace: expected a matrix"),
    (lambda: ops.tril(V), "expected matrices"),
    (lambda: ops.cross(V, V), "cross: axis -1 must have 3 elements"),
    (lambda: ops.diagonal(M, dim1=1), "the same axis"),
]


@pytest.mark.parametrize(("call", "message"), DO_NOT_FIT)
def test_sizes_that_do_not_fit_are_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_fractions_are_not_written_into_integers() -> None:
    with pytest.raises(TypeError, match=r"float32 cannot be written into a tensor of int64"):
        ops.scatter(rg.Tensor([1, 2]), 0, rg.Tensor([0]), rg.Tensor([0.5]))


READS = {
    "x[i]": lambda x, i: x[i],
    "x[:, i]": lambda x, i: x.T[:, i],
    "embedding": lambda x, i: F.embedding(i, x),
    "take": lambda x, i: ops.take(x, i),
    "index_select": lambda x, i: ops.index_select(x, 0, i),
    "gather": lambda x, i: ops.gather(x, 0, ops.reshape(i, shape=(-1, 1))),
}


@pytest.mark.parametrize("name", READS)
def test_a_traced_index_out_of_range_reads_nan(name: str) -> None:
    step = rg.compile(READS[name])
    x = rg.Tensor([[1.0], [2.0]])
    assert np.isnan(step(x, rg.Tensor([5])).numpy()).all()
    assert step(x, rg.Tensor([1])).item() == 2.0
    assert step(x, rg.Tensor([-1])).item() == 2.0


def test_a_product_leaves_what_nothing_is_scattered_to() -> None:
    x = [np.inf, 1.0, np.nan, 0.0]
    found = ops.scatter_reduce(rg.Tensor(x), 0, rg.Tensor([1]), rg.Tensor([2.0]), "prod")
    np.testing.assert_array_equal(found.numpy(), [np.inf, 2.0, np.nan, 0.0])
