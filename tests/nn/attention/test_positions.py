"""Encodings of positions beside their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.networks import floats

from retrograd import nn


def test_sinusoidal_positions_are_the_papers_formula() -> None:
    added = nn.SinusoidalPositions(6)(np.zeros((2, 9, 6))).numpy()
    for position in range(9):
        for i in range(3):
            angle = position / 10000 ** (2 * i / 6)
            np.testing.assert_allclose(added[:, position, 2 * i], np.sin(angle), atol=1e-12)
            np.testing.assert_allclose(added[:, position, 2 * i + 1], np.cos(angle), atol=1e-12)


def test_learned_positions_add_their_rows_and_learn() -> None:
    layer, x = nn.LearnedPositions(7, 4), floats(2, 5, 4)
    np.testing.assert_allclose(layer(x).numpy(), x + layer.weight.numpy()[:5])
    layer(x).sum().backward()
    expected = np.repeat([2.0, 0.0], [5, 2])[:, None] * np.ones(4)
    np.testing.assert_array_equal(layer.weight.grad.numpy(), expected)


def test_rotary_positions_turn_by_the_position_and_see_only_distance() -> None:
    layer = nn.RotaryPositions(6)
    x = np.random.default_rng(0).standard_normal((2, 5, 6))
    plane = x[..., :3] + 1j * x[..., 3:]
    turned = plane * np.exp(1j * np.arange(5)[:, None] * 10000 ** (-np.arange(3) / 3))
    np.testing.assert_allclose(
        layer(x).numpy(), np.concatenate([turned.real, turned.imag], -1), rtol=1e-12, atol=1e-12
    )
    products = [(layer(x, offset=k) @ layer(x, offset=k).mT).numpy() for k in (0, 3)]
    np.testing.assert_allclose(products[0], products[1], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(
        layer(x, offset=2).numpy()[:, 0], layer(np.broadcast_to(x[:, :1], (2, 3, 6))).numpy()[:, 2]
    )


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (lambda: nn.LearnedPositions(4, 8)(floats(2, 5, 8)), "5 is longer than max_length, 4"),
        (lambda: nn.RotaryPositions(5), "an even number, found 5"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(run: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        run()
