"""What does not fit losses of distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from retrograd.nn import functional as F

N, C = 5, 4
RNG = np.random.default_rng(0)
X, Y, Z = RNG.standard_normal((3, N, C))
SIGNS = np.array([1.0, -1.0, -1.0, 1.0, 1.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.cosine_embedding_loss(X, Y, SIGNS[:, None]), r"targets \(n,\)"),
        (lambda: F.triplet_margin_loss(X, Y, Z[0]), "as many axes"),
        (lambda: F.triplet_margin_loss(X, Y, Z, margin=0.0), "above 0, found 0.0"),
    ],
)
def test_what_does_not_fit_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
