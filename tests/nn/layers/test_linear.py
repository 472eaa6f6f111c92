"""The affine layer: leading axes and first weights."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.networks import floats

from retrograd import nn


def test_linear_takes_any_leading_axes() -> None:
    layer, x = nn.Linear(3, 2), floats(4, 5, 3)
    weight, bias = layer.weight.numpy(), layer.bias.numpy()
    np.testing.assert_allclose(layer(x).numpy(), x @ weight.T + bias, rtol=1e-5)
    with pytest.raises(ValueError, match=r"\(4, 5, 3\).*expects \(\.\.\., 2\)"):
        nn.Linear(2, 2)(x)


def test_linear_starts_uniform_within_one_over_root_of_fan_in() -> None:
    layer = nn.Linear(400, 300)
    for parameter in layer.parameters():
        values = parameter.numpy()
        assert np.abs(values).max() <= 1 / 20
        assert values.std() == pytest.approx(1 / 20 / math.sqrt(3), rel=0.05)
    assert [p.numel() for p in nn.Linear(0, 3).parameters()] == [0, 3]
