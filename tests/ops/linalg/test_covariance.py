"""Covariances of too few observations."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import ops


@pytest.mark.parametrize("correction", [1, 2])
def test_the_covariance_of_one_observation_is_unknown_as_in_pytorch(correction: int) -> None:
    found = ops.cov(rg.Tensor(np.ones((2, 1))), correction).numpy()
    assert np.isnan(found).all()
