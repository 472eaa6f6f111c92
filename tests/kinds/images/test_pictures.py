"""What an answer rests on is marked where it lies, and adds up to the answer."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

import retrograd as rg
from retrograd.kinds.images.pictures import attributed, marked, picture
from retrograd.models.images.augment import Augment
from retrograd.models.images.cnn import CNN
from retrograd.models.images.network import ImageNetwork


def pixels_of(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image)


def test_the_parts_of_an_answer_add_up_to_it(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 256, (3, 2, 12, 12), np.uint8)
    body = CNN((2, 12, 12), 4, widths=(4, 4), hidden=8)
    network = ImageNetwork([120, 130], [60, 60], Augment(flip=True), body)
    codes = np.array([2, 0, 3])
    parts = attributed(network, pixels, network.mean.numpy(), codes)
    assert network.training  # as it was
    network.eval()
    baseline = np.broadcast_to(network.mean.numpy(), pixels.shape)
    difference = [
        (network(rg.Tensor(pixels)).numpy() - network(rg.Tensor(baseline)).numpy())[row, code]
        for row, code in enumerate(codes)
    ]
    assert parts.shape == (3, 12, 12)
    np.testing.assert_allclose(parts.sum((1, 2)), difference, atol=0.05 * np.ptp(difference))


def test_marks_are_red_for_and_blue_against() -> None:
    parts = np.zeros((10, 10))
    parts[2, 3], parts[7, 8] = 1.0, -1.0
    image = pixels_of(marked(np.full((1, 10, 10), 100, np.uint8), parts, "why").png).astype(int)
    for (row, column), (more, less) in {(2, 3): (0, 2), (7, 8): (2, 0)}.items():
        assert image[row, column, more] > image[row, column, less] + 100
    assert (np.ptp(image[parts == 0], axis=-1) == 0).all()


def test_a_picture_is_the_image(rng: np.random.Generator) -> None:
    color = rng.integers(0, 256, (3, 9, 7), np.uint8)
    found = picture(color, "a.png")
    np.testing.assert_array_equal(pixels_of(found.png), color.transpose(1, 2, 0))
    assert found.text == "a.png"
    numbers = pixels_of(picture(np.array([[[-1.0, 0.0, 1.0]]]), "x").png)
    assert numbers[0, :, 0].tolist() == [0, 128, 255]
    dark = pixels_of(picture(np.array([[[0, 8, 16]]], np.uint8), "x").png)
    assert dark[0, :, 0].tolist() == [0, 128, 255]
