"""A connection that passes a module by."""

from __future__ import annotations

import pytest
from support.networks import floats

from retrograd import nn


def test_a_residual_that_changes_the_shape_says_so() -> None:
    with pytest.raises(ValueError, match=r"x has shape \(2, 3\) and Linear made it \(2, 1\).*3 fe"):
        nn.Residual(nn.Linear(3, 1))(floats(2, 3))
