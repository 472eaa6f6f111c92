"""Batch normalization: large means, single values, and shapes that do not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.networks import floats

import retrograd as rg
from retrograd import nn


@pytest.mark.parametrize("name", ["BatchNorm1d", "LayerNorm"])
def test_normalization_survives_a_large_mean_and_no_spread(name: str) -> None:
    layer, exact = getattr(nn, name)(6), getattr(torch.nn, name)(6, dtype=torch.float64)
    for x in (np.full((4, 6), 3.0, np.float32), 1e4 + floats(4, 6)):
        mine = rg.Tensor(x, requires_grad=True)
        out = layer(mine)
        out.square().sum().backward()
        expected = exact(torch.tensor(x, dtype=torch.float64)).detach().numpy()
        # A float32 near 10,000 is known to 0.0005; the variance as E[x²] - E[x]² would be off by 8.
        np.testing.assert_allclose(out.numpy(), expected, atol=1e-2)
        assert np.isfinite(mine.grad.numpy()).all()


def test_batch_norm_needs_more_than_one_value_a_channel() -> None:
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ValueError, match=r"more than one value per channel.*\(1, 3\)"):
        layer(floats(1, 3))
    assert layer.num_batches_tracked.item() == 0
    assert layer(floats(1, 3, 2)).shape == (1, 3, 2)
    assert layer.eval()(floats(1, 3)).shape == (1, 3)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((4, 2), r"expected 3 channels on axis 1, found.*\(4, 2\)"), ((3,), r"\(n, c\)")],
)
def test_batch_norm_says_which_shape_it_wants(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nn.BatchNorm1d(3)(floats(*shape))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: nn.BatchNorm2d(3)(floats(2, 3)), r"takes \(n, c, height, width\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
