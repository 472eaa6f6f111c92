"""Streams give each image once an epoch, with its own label; mixup is its equation."""

from __future__ import annotations

import numpy as np
import pytest

from retrograd.data.images import ImageSet
from retrograd.kinds.images import sources as image_sources
from retrograd.kinds.images.sources import Mixed, Streamed
from retrograd.tensor import Tensor
from retrograd.training.sources import Rows


@pytest.fixture
def numbered() -> tuple[np.ndarray, np.ndarray]:
    """Images whose pixels say their number, and labels that do."""
    numbers = np.arange(50)
    return np.tile(numbers[:, None, None, None], (1, 1, 2, 2)).astype(np.uint8), numbers


def stream(numbered: tuple[np.ndarray, np.ndarray]) -> Streamed:
    pixels, numbers = numbered
    return Streamed(ImageSet(pixels, tuple(map(str, numbers))), numbers)


def test_an_epoch_has_every_image_once_with_its_label(
    numbered: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_sources, "_BYTES_PER_CALL", 10 * 4 * 2)  # two steps a call
    source = stream(numbered)
    assert source.steps(10) == 5
    calls = list(source.calls(10, np.random.default_rng(0)))
    assert [len(call.arrays[0]) for call in calls] == [2, 2, 1]
    pixels = np.concatenate([call.arrays[0] for call in calls])
    target = np.concatenate([call.arrays[1] for call in calls])
    assert pixels.shape == (5, 10, 1, 2, 2)
    np.testing.assert_array_equal(pixels[:, :, 0, 0, 0], target)
    np.testing.assert_array_equal(np.sort(target.ravel()), np.arange(50))


def test_the_order_is_the_one_in_memory(numbered: tuple[np.ndarray, np.ndarray]) -> None:
    pixels, numbers = numbered
    (memory,) = Rows((pixels,), numbers).calls(10, np.random.default_rng(3))
    (streamed,) = stream(numbered).calls(10, np.random.default_rng(3))
    np.testing.assert_array_equal(streamed.arrays[1], memory.arrays[0])


def test_parts_are_in_order(numbered: tuple[np.ndarray, np.ndarray]) -> None:
    parts = list(stream(numbered).parts(20))
    assert [len(target) for _, target in parts] == [20, 20, 10]
    for (pixels,), target in parts:
        np.testing.assert_array_equal(pixels[:, 0, 0, 0], target)


def test_mixup_is_its_equation(numbered: tuple[np.ndarray, np.ndarray]) -> None:
    pixels, numbers = numbered
    source = Mixed(Rows((pixels,), numbers % 5), alpha=0.4, classes=5)
    (call,) = source.calls(10, np.random.default_rng(0))
    rows, shares = call.arrays
    assert len(np.unique(shares)) == len(shares) == 5
    assert ((shares >= 0) & (shares <= 1)).all()
    for row, share in zip(rows, shares, strict=True):
        (mixed,), target = source.batch(None, Tensor(row), Tensor(share))
        one_hot = np.eye(5)[row % 5]
        partner = row[::-1]
        expected = share * row + (1 - share) * partner
        np.testing.assert_allclose(mixed.numpy()[:, 0, 1, 1], expected, rtol=1e-6)
        np.testing.assert_allclose(
            target.numpy(), share * one_hot + (1 - share) * one_hot[::-1], rtol=1e-6
        )
