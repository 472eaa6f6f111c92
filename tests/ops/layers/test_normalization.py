"""The slopes of normalization."""

from __future__ import annotations

from typing import Any

import pytest
from support.networks import floats

import retrograd as rg
from retrograd.ops.layers.normalization import normalize


@pytest.mark.parametrize("dim", [0, -1, (0, 2), (-2, -1)])
def test_normalize_has_the_gradients_of_finite_differences_to_second_order(dim: Any) -> None:
    rg.check_gradients(lambda x: normalize(x, dim=dim, eps=1e-3), floats(4, 3, 5))
