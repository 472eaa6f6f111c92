"""Dropout of elements, channels and layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from support.networks import floats

import retrograd as rg
from retrograd import nn
from retrograd.nn import functional as F


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_the_share_it_says_and_keeps_the_expected_value(p: float) -> None:
    n = 200_000
    out = nn.Dropout(p)(np.ones(n, np.float32)).numpy()
    assert out.dtype == np.float32
    np.testing.assert_allclose(np.unique(out), [0, 1 / (1 - p)], rtol=1e-6)
    # Five standard deviations of the binomial distribution.
    assert np.mean(out == 0) == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / n))


def test_dropout_multiplies_the_cotangent_by_its_mask() -> None:
    x = rg.Tensor(floats(10, 10), requires_grad=True)
    out = nn.Dropout(0.4)(x)
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy() * x.numpy(), out.numpy(), rtol=1e-6)


def test_dropout_draws_the_same_masks_eagerly_and_compiled() -> None:
    layer, x = nn.Dropout(0.5), np.ones((3, 40), np.float32)

    def three(x: Any) -> Any:
        return [layer(x), layer(x), layer(x)]

    runs = []
    for run in (three, rg.compile(three)):
        rg.manual_seed(7)
        runs.append([out.numpy() for _ in range(2) for out in run(x)])
    np.testing.assert_array_equal(runs[0], runs[1])
    assert len({mask.tobytes() for mask in runs[0]}) == 6


def test_dropout_is_the_identity_in_evaluation_and_for_p_0() -> None:
    x = rg.Tensor(floats(4, 3))
    assert nn.Dropout(0.5).eval()(x) is x
    assert nn.Dropout(0.0)(x) is x
    assert not nn.Dropout(1.0)(x).numpy().any()
    assert isinstance(nn.Dropout(0.5).eval()(floats(2)), rg.Tensor)


@pytest.mark.parametrize("p", [-0.1, 1.5, math.nan])
def test_a_dropout_that_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        nn.Dropout(p)
    with pytest.raises(ValueError, match="between 0 and 1"):
        F.dropout(floats(2), p)


@pytest.mark.parametrize(
    ("layer", "shape", "kept"),
    [
        (nn.Dropout1d(0.3), (64, 32, 5), (64, 32)),
        (nn.Dropout2d(0.3), (64, 32, 3, 2), (64, 32)),
        (nn.Dropout2d(0.3), (512, 3, 2), (512,)),
        (nn.Dropout3d(0.3), (64, 32, 2, 2, 2), (64, 32)),
        (nn.StochasticDepth(0.3), (2048, 3, 2), (2048,)),
    ],
)
def test_whole_slices_are_dropped_and_the_others_scaled(layer, shape, kept) -> None:
    out = layer(np.ones(shape, np.float32)).numpy().reshape(*kept, -1)
    assert (out == out[..., :1]).all()
    each = out[..., 0]
    assert set(np.unique(each).tolist()) == {0.0, float(np.float32(1 / 0.7))}
    assert (each == 0).mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / each.size))


def test_stochastic_depth_by_batch_drops_all_or_nothing() -> None:
    layer = nn.StochasticDepth(0.5, "batch")
    seen = {tuple(np.unique(layer(np.ones((4, 3), np.float32)).numpy())) for _ in range(30)}
    assert seen == {(0.0,), (2.0,)}


def test_channel_dropout_does_nothing_in_evaluation_and_refuses_other_axes() -> None:
    x = floats(2, 3, 4, 4)
    for layer in (nn.Dropout2d(0.9), nn.StochasticDepth(0.9)):
        np.testing.assert_array_equal(layer.eval()(x).numpy(), x)
    with pytest.raises(ValueError, match="channels, 2 spatial"):
        nn.Dropout2d()(floats(3, 4))
    with pytest.raises(ValueError, match="between 0 and 1, found 2"):
        nn.StochasticDepth(2)
    with pytest.raises(ValueError, match="'row' or 'batch', found 'col'"):
        nn.StochasticDepth(0.1, "col")


def test_channel_dropout_draws_the_same_compiled() -> None:
    layer, x = nn.Dropout2d(0.5), floats(8, 6, 3, 3)
    eager = layer(x).numpy()
    rg.manual_seed(0)
    np.testing.assert_array_equal(rg.compile(lambda x: layer(x))(x).numpy(), eager)
