"""Pooling against PyTorch: values, indices, ties, NaN, and gradients to second order."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import torch
from support.spatial_oracle import call, check_compiled, check_eager

import retrograd as rg
from retrograd.nn import functional as F

MAXIMA = [
    call(F.max_pool1d, (2, 3, 8), kernel_size=2),
    call(F.max_pool1d, (3, 10), kernel_size=3, stride=2, padding=1),
    call(F.max_pool1d, (3, 3), kernel_size=2, stride=4, padding=1, ceil_mode=True),
    call(F.max_pool2d, (2, 3, 6, 4), kernel_size=2),
    call(F.max_pool2d, (2, 3, 7, 5), kernel_size=2),
    call(F.max_pool2d, (2, 3, 7, 6), kernel_size=(3, 2), stride=(1, 2), padding=1),
    call(F.max_pool2d, (3, 7, 8), kernel_size=3, stride=2, dilation=2, ceil_mode=True),
    call(F.max_pool2d, (1, 2, 6, 6), kernel_size=3, stride=3, padding=1, ceil_mode=True),
    call(F.max_pool2d, (1, 2, 5, 5), kernel_size=1, stride=2),
    call(F.max_pool3d, (2, 1, 4, 4, 6), kernel_size=2),
    call(F.max_pool3d, (1, 2, 5, 4, 5), kernel_size=(2, 3, 2), stride=2, padding=1),
    call(F.adaptive_max_pool1d, (2, 3, 8), output_size=4),
    call(F.adaptive_max_pool1d, (2, 3, 7), output_size=3),
    call(F.adaptive_max_pool2d, (2, 3, 7, 6), output_size=(3, 4)),
    call(F.adaptive_max_pool2d, (3, 4, 6), output_size=(2, None)),
    call(F.adaptive_max_pool2d, (1, 2, 3, 3), output_size=5),
    call(F.adaptive_max_pool2d, (1, 2, 3, 2), output_size=(6, 4)),
    call(F.adaptive_max_pool3d, (1, 2, 4, 5, 3), output_size=(2, 3, 3)),
]
MEANS = [
    call(F.avg_pool1d, (2, 3, 9), kernel_size=2),
    call(F.avg_pool1d, (3, 9), kernel_size=4, stride=3, padding=2, ceil_mode=True),
    call(F.avg_pool2d, (2, 3, 6, 4), kernel_size=(3, 2)),
    call(F.avg_pool2d, (2, 3, 7, 6), kernel_size=3, stride=2, padding=1),
    call(F.avg_pool2d, (2, 3, 7, 6), kernel_size=3, stride=2, padding=1, count_include_pad=False),
    call(F.avg_pool2d, (3, 8, 8), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    call(F.avg_pool2d, (1, 2, 6, 5), kernel_size=2, stride=1, divisor_override=3),
    call(F.avg_pool3d, (1, 2, 4, 4, 4), kernel_size=2, ceil_mode=True),
    call(F.avg_pool3d, (1, 2, 5, 4, 5), kernel_size=3, stride=2, padding=1),
    call(F.adaptive_avg_pool1d, (2, 3, 8), output_size=4),
    call(F.adaptive_avg_pool1d, (3, 7), output_size=3),
    call(F.adaptive_avg_pool2d, (2, 3, 7, 6), output_size=1),
    call(F.adaptive_avg_pool2d, (2, 3, 7, 6), output_size=(4, None)),
    call(F.adaptive_avg_pool2d, (1, 2, 3, 3), output_size=5),
    call(F.adaptive_avg_pool2d, (1, 2, 3, 2), output_size=(6, 4)),
    call(F.adaptive_avg_pool3d, (1, 2, 4, 5, 3), output_size=(2, 3, 3)),
    call(F.lp_pool1d, (2, 3, 8), norm_type=2, kernel_size=3, stride=2),
    call(F.lp_pool2d, (2, 3, 7, 6), norm_type=2, kernel_size=(2, 3), ceil_mode=True),
    call(F.lp_pool1d, (3, 8), norm_type=2, kernel_size=3),
    call(F.lp_pool2d, (1, 2, 5, 5), norm_type=2, kernel_size=2),
    call(F.lp_pool3d, (1, 2, 4, 4, 5), norm_type=4, kernel_size=2),
]


@pytest.mark.parametrize("each", MAXIMA + MEANS, ids=lambda each: each.name)
def test_value_and_both_gradients_are_torchs(each) -> None:
    check_eager(each)


@pytest.mark.parametrize("calls", [MAXIMA, MEANS], ids=["maxima", "means"])
def test_compiled_float32_is_torchs(calls) -> None:
    check_compiled(calls)


TIES = [
    (F.max_pool1d, (2, 1, 9), {"kernel_size": 3}),
    (F.max_pool1d, (2, 1, 9), {"kernel_size": 2, "padding": 1}),
    (F.max_pool2d, (2, 2, 8, 6), {"kernel_size": 2}),
    (F.max_pool2d, (2, 2, 7, 7), {"kernel_size": 3, "stride": 2, "padding": 1}),
    (F.max_pool2d, (2, 2, 9, 9), {"kernel_size": 3, "stride": 2, "dilation": 2, "padding": 1}),
    (F.max_pool3d, (1, 1, 5, 5, 5), {"kernel_size": 2, "stride": 2, "ceil_mode": True}),
    (F.adaptive_max_pool2d, (2, 2, 7, 6), {"output_size": (3, 4)}),
    (F.adaptive_max_pool2d, (2, 2, 6, 6), {"output_size": 3}),
]


@pytest.mark.parametrize(("function", "shape", "options"), TIES)
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_ties_go_to_the_first_as_in_torch(function, shape, options, compiled, rng) -> None:
    x = rng.integers(0, 3, shape).astype(np.float32)
    x[rng.random(shape) < 0.2] = -np.inf
    x[..., :4] = -np.inf  # whole windows, padding included, where the first inside is taken

    def step(values):
        point = rg.Tensor(values, requires_grad=True)
        out, places = function(point, **options, return_indices=True)
        cotangent = np.arange(1, out.numel() + 1, dtype=np.float32).reshape(out.shape)
        out.backward(rg.Tensor(cotangent))
        return out, places, point.grad

    out, places, slope = (rg.compile(step) if compiled else step)(x)
    point = torch.tensor(x, requires_grad=True)
    theirs = getattr(torch.nn.functional, function.__name__)
    value, indices = theirs(point, **options, return_indices=True)
    value.backward(torch.arange(1, value.numel() + 1.0).reshape(value.shape))
    np.testing.assert_array_equal(out.numpy(), value.detach().numpy())
    np.testing.assert_array_equal(places.numpy(), indices.numpy())
    assert places.dtype == np.int64
    np.testing.assert_array_equal(slope.numpy(), point.grad.numpy())


def test_more_than_256_elements_in_a_window_are_told_apart() -> None:
    x = np.zeros((1, 1, 20, 20))
    x[0, 0, 17, 13] = 1
    value, place = F.max_pool2d(x, 20, 1, return_indices=True)
    assert (value.item(), place.item()) == (1, 17 * 20 + 13)


@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3, "stride": 1, "padding": 1},
        {"kernel_size": 4, "stride": 2, "padding": 2, "dilation": 3},
        {"kernel_size": (2, 5), "stride": (1, 2), "padding": (1, 2), "dilation": (2, 1)},
    ],
)
def test_of_nothing_but_minus_infinity_the_first_element_is_taken(options) -> None:
    x = np.full((1, 2, 9, 10), -np.inf)
    value, places = F.max_pool2d(x, **options, return_indices=True)
    theirs = torch.nn.functional.max_pool2d(torch.tensor(x), **options, return_indices=True)
    np.testing.assert_array_equal(value.numpy(), theirs[0].numpy())
    np.testing.assert_array_equal(places.numpy(), theirs[1].numpy())


@pytest.mark.parametrize(
    ("size", "place", "dtype"), [(257, 256, np.float32), (300, 257, ml_dtypes.bfloat16)]
)
def test_a_long_window_gives_the_slope_to_its_largest(size, place, dtype) -> None:
    largest = np.zeros((1, 1, size), dtype)
    largest[..., place] = 1
    x = rg.Tensor(largest, requires_grad=True)
    value, found = F.max_pool1d(x, size, return_indices=True)
    value.sum().backward()
    assert (value.item(), found.item()) == (1, place)
    assert x.grad.tolist() == largest.tolist()


@pytest.mark.parametrize("kernel", [{"kernel_size": 2}, {"kernel_size": 3, "stride": 1}])
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_nan_is_the_largest_and_stays_in_its_windows(kernel, compiled) -> None:
    x = np.arange(16.0, dtype=np.float32).reshape(1, 1, 4, 4)
    x[0, 0, 1, 1] = np.nan

    def both(x):
        return F.max_pool2d(x, **kernel), F.avg_pool2d(x, **kernel)

    point = torch.tensor(x)
    theirs = torch.nn.functional
    expected = theirs.max_pool2d(point, **kernel), theirs.avg_pool2d(point, **kernel)
    for mine, each in zip((rg.compile(both) if compiled else both)(x), expected, strict=True):
        np.testing.assert_allclose(mine.numpy(), each.numpy(), rtol=1e-6)


def test_one_output_size_in_a_tuple_is_for_all_axes() -> None:
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    assert F.adaptive_max_pool2d(x, (2,)).tolist() == [[[[5, 7], [13, 15]]]]


def test_integers_are_pooled_too() -> None:
    x = np.arange(-16, 0).reshape(1, 1, 4, 4)
    assert F.max_pool2d(x, 3, 2, 1).tolist() == [[[[-11, -9], [-3, -1]]]]


def test_lp_pool_has_no_slope_where_the_sum_is_zero() -> None:
    x = rg.Tensor(np.zeros((1, 1, 4)), requires_grad=True)
    out = F.lp_pool1d(x, 2, 2)
    assert out.tolist() == [[[0, 0]]]
    out.sum().backward()
    assert x.grad.tolist() == [[[0, 0, 0, 0]]]


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (lambda: F.max_pool2d(np.ones((1, 1, 2, 2)), 3), "more than the input"),
        (lambda: F.max_pool2d(np.ones((1, 1, 4, 4)), 2, padding=2), "half"),
        (lambda: F.max_pool2d(np.ones((1, 1, 4, 4)), 2, dilation=0), "max_pool2d: dilation must"),
        (lambda: F.max_pool3d(np.ones((1, 1, 4, 4, 4)), 2, 0), "max_pool3d: stride must"),
        (lambda: F.avg_pool1d(np.ones((1, 1, 4)), 2, padding=-1), "avg_pool1d: padding must"),
        (lambda: F.max_pool1d(np.ones((1, 1, 4)), 2, padding=-1), "max_pool1d: padding must"),
        (lambda: F.lp_pool2d(np.ones((1, 1, 4, 4)), 2, 0), "pool2d: kernel_size must"),
        (lambda: F.avg_pool2d(np.ones((1, 1, 4, 4)), (2, 2, 2)), "kernel_size"),
        (lambda: F.avg_pool2d(np.ones((1, 1, 4, 4)), 2, divisor_override=0), "divisor"),
        (lambda: F.max_pool1d(np.ones(4), 2), "without the batch"),
        (lambda: F.adaptive_avg_pool2d(np.ones((1, 1, 4, 4)), (2, 2, 2)), "output_size"),
        (lambda: F.adaptive_avg_pool2d(np.ones((1, 1, 4, 4)), 0), "at least 1"),
        (lambda: F.adaptive_max_pool1d(np.ones((1, 1, 0)), 2), "nothing to pool"),
    ],
)
def test_what_does_not_fit_is_named(refused, told) -> None:
    with pytest.raises(ValueError, match=told):
        refused()
