"""Activations far out and at their kinks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.slopes import gradient

import retrograd as rg
from retrograd import ops


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("function", "value", "slope"),
    [
        (ops.tanh, [-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]),
        (ops.sigmoid, [0.0, 0.5, 1.0], [0.0, 0.25, 0.0]),
        (ops.softplus, [0.0, math.log(2), 800.0], [0.0, 0.5, 1.0]),
        (ops.erf, [-1.0, 0.0, 1.0], [0.0, 2 / math.sqrt(math.pi), 0.0]),
        (ops.relu, [0.0, 0.0, 800.0], [0.0, 0.0, 1.0]),
    ],
)
def test_activations_at_800(function, value, slope, dtype) -> None:
    x = [-800.0, 0.0, 800.0]
    np.testing.assert_allclose(function(rg.Tensor(x, dtype=dtype)).numpy(), value, rtol=1e-6)
    np.testing.assert_allclose(gradient(function, x, dtype=dtype), slope, rtol=1e-6, atol=1e-30)


def test_slopes_at_a_kink() -> None:
    for function, expected in ((ops.relu, 0.0), (ops.abs, 0.0), (ops.sign, 0.0)):
        assert gradient(function, [0.0]) == [expected]
    np.testing.assert_array_equal(
        gradient(lambda x: ops.clip(x, -1.0, 1.0), [-2.0, -1.0, 0.0, 1.0, 2.0]), [0, 1, 1, 1, 0]
    )
