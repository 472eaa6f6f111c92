"""What does not fit normalization by groups and by channel."""

from __future__ import annotations

import pytest
from support.networks import floats

from retrograd import nn


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: nn.GroupNorm(2, 3), "num_channels 3 must be a multiple of num_groups, found 2"),
        (lambda: nn.GroupNorm(2, 4)(floats(2, 3, 5)), "expected 4 channels on axis 1"),
        (lambda: nn.InstanceNorm1d(3)(floats(2, 3, 1)), "more than one element per channel"),
        (lambda: nn.InstanceNorm2d(3)(floats(2, 3)), r"found \(2, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
