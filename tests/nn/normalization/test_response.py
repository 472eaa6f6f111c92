"""What does not fit normalization by neighboring channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retrograd.nn import functional as F

N, C = 5, 4
RNG = np.random.default_rng(0)
X, Y, Z = RNG.standard_normal((3, N, C))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.local_response_norm(X, 2), "spatial"),
    ],
)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
