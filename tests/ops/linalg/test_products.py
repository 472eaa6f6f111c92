"""Products of vectors."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import ops


def test_the_dot_product_is_of_two_vectors() -> None:
    for a, b in ((np.ones(2), np.ones((2, 2))), (np.ones((2, 2)), np.ones(2))):
        with pytest.raises(ValueError, match="dot"):
            ops.dot(rg.Tensor(a), rg.Tensor(b))
