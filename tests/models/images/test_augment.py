"""Augmentation changes images in training as it says, from the seed, and never in evaluation."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd.models.images.augment import Augment
from retrograd.models.images.network import ImageNetwork
from retrograd.random import manual_seed


@pytest.fixture
def images(rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((64, 3, 10, 8)).astype(np.float32)


def moved(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """The image moved by whole pixels, its edges repeated."""
    padded = np.pad(image, [(0, 0), (9, 9), (9, 9)], mode="edge")
    return padded[:, 9 - down : 9 - down + image.shape[1], 9 - right : 9 - right + image.shape[2]]


def test_in_evaluation_nothing_changes(images: np.ndarray) -> None:
    augment = Augment(shift=0.3, crop=0.5, flip=True, cutout=0.5).eval()
    np.testing.assert_array_equal(augment(rg.Tensor(images)).numpy(), images)


def test_shifts_are_whole_pixels_within_the_limit(images: np.ndarray) -> None:
    found = Augment(shift=0.2)(rg.Tensor(images)).numpy()
    seen = set()
    for image, result in zip(images, found, strict=True):
        places = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if np.array_equal(moved(image, down, right), result)
        ]
        assert len(places) == 1
        seen |= set(places)
    assert {down for down, _ in seen} == {-2, -1, 0, 1, 2}
    assert {right for _, right in seen} == {-2, -1, 0, 1, 2}  # 0.2 × 8 is 1.6, rounded


def test_flips_are_left_to_right_for_half_of_the_images(images: np.ndarray) -> None:
    found = Augment(flip=True)(rg.Tensor(images)).numpy()
    mirrored = [np.array_equal(a, b[:, :, ::-1]) for a, b in zip(found, images, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(found, images, strict=True)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True))
    assert 20 <= sum(mirrored) <= 44  # 32 ± 3 standard deviations of 4


def test_a_crop_sees_a_part_of_the_image_larger() -> None:
    # Each pixel says where it is: what is seen is a straight line of slope 0.5 to 1.
    ramp = np.tile(np.arange(100, dtype=np.float32), (32, 1, 100, 1))
    found = Augment(crop=0.5)(rg.Tensor(ramp)).numpy()[:, 0, 50]
    slopes = np.diff(found, axis=1)
    np.testing.assert_allclose(slopes, np.broadcast_to(slopes[:, :1], slopes.shape), atol=1e-4)
    zoom = slopes[:, 0]
    assert zoom.min() > 0.5 - 1e-4
    assert zoom.max() < 1 + 1e-4
    assert zoom.max() - zoom.min() > 0.3
    # All of what is seen lies within the image.
    assert found[:, 0].min() >= 0
    assert found[:, -1].max() <= 99
    assert np.ptp(found[:, 0]) > 10


def test_cutout_blanks_a_square_with_the_mean() -> None:
    ones = np.ones((200, 1, 20, 24), np.float32)
    found = Augment(cutout=0.3)(rg.Tensor(ones)).numpy()[:, 0]
    for image in found:
        rows, columns = np.flatnonzero((image == 0).any(1)), np.flatnonzero((image == 0).any(0))
        assert (image[np.ix_(rows, columns)] == 0).all()
        assert (np.diff(rows) == 1).all()
        assert (np.diff(columns) == 1).all()
        assert 3 <= len(rows) <= 7  # a side of 6, or what of it lies within
        assert (image == 1).sum() == image.size - len(rows) * len(columns)


def test_the_seed_decides_and_both_engines_agree(images: np.ndarray) -> None:
    augment = Augment(shift=0.2, crop=0.7, flip=True, cutout=0.3)
    compiled = rg.compile(lambda x: augment(x))
    results = []
    for call in (augment, augment, compiled):
        manual_seed(5)
        results.append(call(rg.Tensor(images)).numpy())
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_allclose(results[0], results[2], rtol=1e-5, atol=1e-5)
    assert not np.array_equal(augment(rg.Tensor(images)).numpy(), results[0])


def test_pixels_are_standardized_before_the_body(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (5, 2, 4, 4), np.uint8)
    network = ImageNetwork([10, 20], [2, 5], Augment(), rg.nn.Identity()).eval()
    expected = (pixels - np.array([10.0, 20])[:, None, None]) / np.array([2.0, 5])[:, None, None]
    found = network(rg.Tensor(pixels))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-6)
