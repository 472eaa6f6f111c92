"""What does not fit normalization over the last axes."""

from __future__ import annotations

import pytest
from support.networks import floats

from retrograd import nn


def test_layer_norm_says_which_shape_it_wants() -> None:
    with pytest.raises(ValueError, match=r"expected.*\(\.\.\., 4, 3\), found \(3, 4\)"):
        nn.LayerNorm((4, 3))(floats(3, 4))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: nn.RMSNorm(3)(floats(2, 4)), r"expected an input of shape \(\.\.\., 3\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
