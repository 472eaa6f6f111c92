"""Sums of exponentials at infinity."""

from __future__ import annotations

import numpy as np
from support.slopes import slope

from retrograd import ops


def test_logaddexp_of_two_infinities_shares_the_slope() -> None:
    lowest = np.array([-np.inf])
    assert slope(ops.logaddexp, lowest, lowest).tolist() == [0.5]
