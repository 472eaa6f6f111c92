"""Convolution layers: their first weights, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest
from support.networks import floats

from retrograd import nn


@pytest.mark.parametrize("layer", [nn.Conv2d(8, 4, 3), nn.ConvTranspose2d(4, 8, 3)])
def test_convolutions_start_uniform_within_one_over_root_of_fan_in(layer: nn.Module) -> None:
    bound = 1 / np.sqrt(8 * 9)
    for parameter in layer.parameters():
        values = np.abs(parameter.numpy())
        assert values.max() <= bound
        assert values.max() > 0.5 * bound


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "multiples of groups, found 2"),
        (lambda: nn.Conv2d(3, 4, 0), "kernel_size must be a whole number of at least 1"),
        (lambda: nn.Conv1d(3, 4, 3, padding="all"), "'same' or 'valid', found 'all'"),
        (lambda: nn.Conv1d(3, 4, 3, padding_mode="mirror"), "found 'mirror'"),
        (lambda: nn.Conv2d(3, 4, 3)(floats(2, 4, 5, 5)), "has 4 channels"),
        (
            lambda: nn.ConvTranspose1d(2, 2, 3, stride=2)(floats(1, 2, 4), output_size=(12,)),
            r"\(9,\) to \(10,\), found output_size=\(12,\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
