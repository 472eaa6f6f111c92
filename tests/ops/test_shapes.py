"""Shapes drawn by Hypothesis, with PyTorch or a formula as the oracle."""

from __future__ import annotations

import hypothesis
import hypothesis.extra.numpy as npst
import hypothesis.strategies as st
import numpy as np
import torch
from hypothesis import given, settings

import retrograd as rg
from retrograd import ops

DRAWS = settings(max_examples=60)


def numbers(shape, seed=0):
    return np.random.default_rng(seed).uniform(0.5, 2.0, shape)


def assert_agrees(ours, theirs, *arrays):
    """Value and gradients of both functions of the same arrays, weighed by the same weights."""
    mine = [rg.Tensor(array, requires_grad=True) for array in arrays]
    others = [torch.tensor(array, requires_grad=True) for array in arrays]
    found, expected = ours(*mine), theirs(*others)
    assert found.shape == tuple(expected.shape)
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-12)
    weights = numbers(found.shape, seed=9)
    found.backward(weights)
    expected.backward(torch.tensor(weights))
    for a, b in zip(mine, others, strict=True):
        assert a.grad.shape == a.shape
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-10, atol=1e-14)


# Broadcasting -------------------------------------------------------------------------------------

TWO_SHAPES = npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3)
THREE_SHAPES = npst.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, min_side=0, max_side=3)


@DRAWS
@given(shapes=TWO_SHAPES)
def test_any_two_shapes_that_broadcast(shapes) -> None:
    pair = [numbers(shape, seed) for seed, shape in enumerate(shapes.input_shapes)]
    assert_agrees(lambda x, y: x * y + x / y - y, lambda x, y: x * y + x / y - y, *pair)
    assert_agrees(lambda x, y: ops.maximum(x**y, y), lambda x, y: torch.maximum(x**y, y), *pair)


@DRAWS
@given(shapes=THREE_SHAPES)
def test_any_three_shapes_that_broadcast(shapes) -> None:
    x, y, z = (numbers(shape, seed) for seed, shape in enumerate(shapes.input_shapes))
    mask = z > 1.2
    assert_agrees(
        lambda x, y: ops.where(mask, x, y), lambda x, y: torch.where(torch.tensor(mask), x, y), x, y
    )
    assert_agrees(lambda x, y, z: x * y + z, lambda x, y, z: x * y + z, x, y, z)


@DRAWS
@given(shapes=TWO_SHAPES)
def test_broadcast_to_any_shape(shapes) -> None:
    x = numbers(shapes.input_shapes[0])
    assert_agrees(
        lambda x: ops.broadcast_to(x, shape=shapes.result_shape),
        lambda x: torch.broadcast_to(x, shapes.result_shape),
        x,
    )


@DRAWS
@given(
    shapes=npst.mutually_broadcastable_shapes(
        signature="(n?,k),(k,m?)->(n?,m?)", max_dims=2, min_side=1, max_side=3
    )
)
def test_products_of_any_batches_of_matrices_and_vectors(shapes) -> None:
    a, b = (numbers(shape, seed) for seed, shape in enumerate(shapes.input_shapes))
    assert_agrees(ops.matmul, torch.matmul, a, b)


# Reductions ---------------------------------------------------------------------------------------


@st.composite
def folds(draw, min_side=1):
    """A shape, some of its axes (or None for all), and keepdim."""
    shape = draw(npst.array_shapes(min_dims=0, max_dims=4, min_side=min_side, max_side=3))
    axes = st.none()
    if shape:
        axes |= npst.valid_tuple_axes(len(shape), min_size=1)
    return shape, draw(axes), draw(st.booleans())


def everything(dim, shape):
    return tuple(range(len(shape))) if dim is None else dim


REDUCTIONS = [
    (ops.sum, torch.sum),
    (ops.mean, torch.mean),
    (ops.amax, torch.amax),
    (ops.amin, torch.amin),
    (ops.logsumexp, torch.logsumexp),
    (lambda x, dim, keepdim: ops.norm(x, 2, dim, keepdim),
     lambda x, dim, keepdim: torch.linalg.vector_norm(x, 2, dim, keepdim)),
    (lambda x, dim, keepdim: ops.var(x, dim, 0, keepdim),
     lambda x, dim, keepdim: torch.var(x, dim, correction=0, keepdim=keepdim)),
]  # fmt: skip


@DRAWS
@given(fold=folds())
def test_reductions_over_any_axes(fold) -> None:
    shape, dim, keepdim = fold
    for ours, theirs in REDUCTIONS:
        assert_agrees(
            lambda x, ours=ours: ours(x, dim=dim, keepdim=keepdim),
            lambda x, theirs=theirs: theirs(x, dim=everything(dim, shape), keepdim=keepdim),
            numbers(shape),
        )


@DRAWS
@given(fold=folds(min_side=0))
def test_sums_and_products_over_any_axes_empty_ones_too(fold) -> None:
    shape, dim, keepdim = fold
    assert_agrees(
        lambda x: ops.sum(x, dim, keepdim),
        lambda x: torch.sum(x, everything(dim, shape), keepdim),
        numbers(shape),
    )
    x = numbers(shape)
    np.testing.assert_allclose(
        ops.prod(rg.Tensor(x), dim=dim, keepdim=keepdim).numpy(), np.prod(x, dim, keepdims=keepdim)
    )
    # d prod / dx_i = prod / x_i where nothing is 0
    leaf = rg.Tensor(x, requires_grad=True)
    ops.prod(leaf, dim=dim, keepdim=keepdim).sum().backward()
    whole = np.prod(x, everything(dim, shape), keepdims=True)
    np.testing.assert_allclose(leaf.grad.numpy(), whole / x, rtol=1e-12)


@DRAWS
@given(shape=npst.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=4), data=st.data())
def test_operations_along_any_axis(shape, data) -> None:
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = numbers(shape)
    assert_agrees(lambda x: ops.softmax(x, dim), lambda x: torch.softmax(x, dim), x)
    assert_agrees(lambda x: ops.log_softmax(x, dim), lambda x: torch.log_softmax(x, dim), x)
    assert_agrees(lambda x: ops.cumsum(x, dim), lambda x: torch.cumsum(x, dim), x)
    assert_agrees(lambda x: ops.sort(x, dim).values, lambda x: torch.sort(x, dim).values, x)
    assert_agrees(lambda x: ops.max(x, dim).values, lambda x: torch.max(x, dim).values, x)
    assert_agrees(lambda x: ops.flip(x, dim), lambda x: torch.flip(x, (dim,)), x)


# Moving elements ----------------------------------------------------------------------------------


@DRAWS
@given(shape=npst.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=3), data=st.data())
def test_any_permutation_and_reshape(shape, data) -> None:
    order = data.draw(st.permutations(range(len(shape))))
    dims = [d - len(shape) if data.draw(st.booleans()) else d for d in order]
    x = numbers(shape)
    assert_agrees(lambda x: ops.permute(x, dims=tuple(dims)), lambda x: x.permute(*dims), x)
    target = tuple(shape[i] for i in order)
    assert_agrees(lambda x: x.reshape(target), lambda x: x.reshape(target), x)
    assert_agrees(lambda x: x.flatten(), lambda x: x.flatten(), x)


@DRAWS
@given(
    shape=npst.array_shapes(min_dims=1, max_dims=3, max_side=4),
    sizes=st.lists(st.integers(0, 3), min_size=1, max_size=4),
    data=st.data(),
)
def test_joining_undoes_splitting(shape, sizes, data) -> None:
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    shape = (*shape[:dim], sum(sizes), *shape[dim:][1:])
    x = rg.Tensor(numbers(shape), requires_grad=True)
    parts = ops.split(x, sizes, dim)
    assert [part.shape[dim] for part in parts] == sizes
    joined = ops.concatenate(parts, dim)
    np.testing.assert_array_equal(joined.numpy(), x.numpy())
    weights = numbers(shape, seed=3)
    (joined * weights).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), weights)


@DRAWS
@given(
    shape=npst.array_shapes(min_dims=1, max_dims=3, min_side=2, max_side=4),
    mode=st.sampled_from(["constant", "reflect", "replicate", "circular"]),
    data=st.data(),
)
def test_any_padding(shape, mode, data) -> None:
    widths = [
        data.draw(st.integers(-1 if mode == "constant" else 0, 1)) for _ in range(2 * len(shape))
    ]
    pairs = [(widths[2 * i], widths[2 * i + 1]) for i in range(len(shape))][::-1]
    names = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    positions = np.arange(np.prod(shape)).reshape(shape)
    if mode == "constant":
        kept = [slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(shape, pairs, strict=True)]
        grown = [(max(a, 0), max(b, 0)) for a, b in pairs]
        source = np.pad(positions[tuple(kept)], grown, constant_values=-1)
    else:
        source = np.pad(positions, pairs, mode=names[mode])
    x = numbers(shape)
    leaf = rg.Tensor(x, requires_grad=True)
    padded = ops.pad(leaf, widths, mode=mode, value=7.0)
    np.testing.assert_array_equal(padded.numpy(), np.where(source < 0, 7.0, x.ravel()[source]))
    assert_gradient_goes_to(source, padded, leaf)


# Indexing -----------------------------------------------------------------------------------------


def assert_gradient_goes_to(source, picked, leaf) -> None:
    """`source` says which element of the leaf each result came from (-1: from none)."""
    weights = numbers(picked.shape, seed=5)
    (picked * weights).sum().backward()
    inside = source >= 0
    expected = np.bincount(source[inside].ravel(), weights[inside].ravel(), minlength=leaf.numel())
    np.testing.assert_allclose(leaf.grad.numpy().ravel(), expected, rtol=1e-12)


@st.composite
def indices(draw, shape):
    kind = draw(st.sampled_from(["basic", "arrays", "mask", "mixed"]))
    if kind == "basic":
        return draw(npst.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
    if kind == "arrays":
        return draw(
            npst.integer_array_indices(
                shape, result_shape=npst.array_shapes(max_dims=2, max_side=4)
            )
        )
    if kind == "mask":
        axes = draw(st.integers(1, len(shape)))
        return draw(npst.arrays(bool, shape[:axes]))
    rows = draw(npst.arrays(np.int64, 3, elements=st.integers(-shape[0], shape[0] - 1)))
    rest = draw(npst.basic_indices(shape[1:], allow_newaxis=False)) if shape[1:] else ()
    return (rows, *(rest if isinstance(rest, tuple) else (rest,)))


@settings(max_examples=150)
@given(shape=npst.array_shapes(min_dims=1, max_dims=3, max_side=4), data=st.data())
def test_any_index(shape, data) -> None:
    index = data.draw(indices(shape))
    x = numbers(shape)
    leaf = rg.Tensor(x, requires_grad=True)
    picked = leaf[index]
    np.testing.assert_array_equal(picked.numpy(), x[index])
    assert_gradient_goes_to(np.asarray(np.arange(x.size).reshape(shape)[index]), picked, leaf)


@DRAWS
@given(shape=npst.array_shapes(min_dims=1, max_dims=3, max_side=3), data=st.data())
def test_any_positions_along_an_axis(shape, data) -> None:
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    count = data.draw(st.integers(0, 4))
    full = list(shape)
    full[dim] = count
    for axis in range(len(shape)):  # an axis of size 1 broadcasts, on either side
        if axis != dim % len(shape) and data.draw(st.booleans()):
            full[axis] = 1
    n = shape[dim]
    positions = data.draw(npst.arrays(np.int64, tuple(full), elements=st.integers(-n, n - 1)))
    x = numbers(shape)
    leaf = rg.Tensor(x, requires_grad=True)
    picked = ops.take_along_axis(leaf, positions, dim)
    np.testing.assert_array_equal(picked.numpy(), np.take_along_axis(x, positions, dim))
    source = np.take_along_axis(np.arange(x.size).reshape(shape), positions, dim)
    assert_gradient_goes_to(source, picked, leaf)


# The finite-difference check itself, over drawn shapes --------------------------------------------


@settings(max_examples=25)
@given(shapes=npst.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, min_side=0, max_side=2))
def test_second_order_through_any_broadcast(shapes) -> None:
    x, y = (numbers(shape, seed) for seed, shape in enumerate(shapes.input_shapes))
    hypothesis.assume(x.size + y.size > 0)
    rg.check_gradients(lambda x, y: ops.tanh(x * y) / y, x, y)
