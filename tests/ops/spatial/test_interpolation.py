"""Resizing and pixel shuffling against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.spatial_oracle import call, check_compiled, check_eager

import retrograd as rg
from retrograd.nn import functional as F

CALLS = [
    call(F.interpolate, (2, 3, 5), scale_factor=2),
    call(F.interpolate, (2, 3, 7), size=4),
    call(F.interpolate, (1, 2, 5), size=12, mode="nearest-exact"),
    call(F.interpolate, (1, 2, 4, 5), size=(8, 15)),
    call(F.interpolate, (1, 2, 6, 5), scale_factor=(0.5, 1.7)),
    call(F.interpolate, (1, 1, 3, 2, 4), size=(6, 2, 3)),
    call(F.interpolate, (2, 3, 5), size=8, mode="linear"),
    call(F.interpolate, (2, 3, 5), size=8, mode="linear", align_corners=True),
    call(F.interpolate, (2, 3, 5), scale_factor=1.7, mode="linear"),
    # A factor that leaves an axis its size.
    call(F.interpolate, (1, 2, 3), scale_factor=1.2, mode="linear"),
    call(F.interpolate, (1, 1, 3, 3), scale_factor=(1.2, 2), mode="bilinear"),
    call(F.interpolate, (1, 1, 3, 4), scale_factor=(1.2, 2), mode="bicubic"),
    call(F.interpolate, (2, 3, 5), scale_factor=1.7, mode="linear", recompute_scale_factor=True),
    call(F.interpolate, (1, 2, 5, 4), size=(3, 8), mode="bilinear"),
    call(F.interpolate, (1, 2, 5, 4), size=(1, 1), mode="bilinear", align_corners=True),
    call(F.interpolate, (1, 2, 9, 8), size=(4, 3), mode="bilinear", antialias=True),
    call(F.interpolate, (1, 2, 5, 4), scale_factor=2, mode="bicubic"),
    call(F.interpolate, (1, 2, 5, 4), size=(3, 7), mode="bicubic", align_corners=True),
    call(F.interpolate, (1, 2, 9, 8), size=(4, 11), mode="bicubic", antialias=True),
    call(F.interpolate, (1, 2, 3, 2, 3), size=(4, 3, 2), mode="trilinear"),
    call(F.interpolate, (1, 2, 6, 5), size=(3, 2), mode="area"),
    call(F.interpolate, (1, 2, 5), scale_factor=0.5, mode="area"),
    call(F.pixel_shuffle, (2, 12, 3, 2), upscale_factor=2),
    call(F.pixel_shuffle, (9, 2, 2), upscale_factor=3),
    call(F.pixel_unshuffle, (2, 3, 6, 4), downscale_factor=2),
    call(F.pixel_unshuffle, (1, 2, 1, 6, 3), downscale_factor=3),
]


@pytest.mark.parametrize("each", CALLS, ids=lambda each: each.name)
def test_value_and_both_gradients_are_torchs(each) -> None:
    check_eager(each)


def test_compiled_float32_is_torchs() -> None:
    check_compiled(CALLS)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_nearest_rounds_as_torch_for_every_pair_of_sizes(mode) -> None:
    for n in range(1, 13):
        x = np.arange(n, dtype=np.float32).reshape(1, 1, n)
        for m in range(1, 40):
            theirs = torch.nn.functional.interpolate(torch.tensor(x), size=m, mode=mode)
            mine = F.interpolate(x, size=m, mode=mode)
            np.testing.assert_array_equal(mine.numpy(), theirs.numpy(), err_msg=f"{n} to {m}")


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_an_axis_that_keeps_its_size_is_copied_with_antialias(mode) -> None:
    # Values only: PyTorch's gradient is here not that of its values.
    x = np.random.default_rng(0).uniform(-1, 1, (1, 1, 3, 4))
    options = {"scale_factor": (1.2, 0.5), "mode": mode, "antialias": True}
    theirs = torch.nn.functional.interpolate(torch.tensor(x), **options)
    np.testing.assert_allclose(F.interpolate(x, **options).numpy(), theirs.numpy(), rtol=1e-10)


def test_channel_shuffle_takes_turns_among_the_groups() -> None:
    x = rg.Tensor(np.arange(6.0).reshape(1, 6, 1, 1), requires_grad=True)
    out = F.channel_shuffle(x, 3)
    assert out.numpy().ravel().tolist() == [0, 2, 4, 1, 3, 5]
    (out * np.arange(6.0).reshape(1, 6, 1, 1)).sum().backward()
    assert x.grad.numpy().ravel().tolist() == [0, 3, 1, 4, 2, 5]


def test_a_place_that_rounds_up_to_the_end_is_the_last_pixel() -> None:
    x = np.array([[[1.0, 2.0]]], np.float32)
    assert F.interpolate(x, 2**23 + 2, mode="nearest-exact").numpy()[0, 0, -1] == 2


@pytest.mark.parametrize("groups", [1, 2])
def test_channel_shuffle_of_signals(groups) -> None:
    x = np.arange(2 * 4 * 3.0).reshape(2, 4, 3)
    right = torch.nn.functional.channel_shuffle(torch.tensor(x), groups)
    np.testing.assert_array_equal(F.channel_shuffle(x, groups).numpy(), right.numpy())


def test_channel_shuffle_keeps_examples_and_pixels() -> None:
    x = np.arange(2 * 6 * 3 * 4.0).reshape(2, 6, 3, 4)
    right = x.reshape(2, 3, 2, 3, 4).swapaxes(1, 2).reshape(x.shape)
    np.testing.assert_array_equal(F.channel_shuffle(x, 3).numpy(), right)


IMAGE = np.ones((1, 2, 4, 4))


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (lambda: F.interpolate(IMAGE[0, 0], 2), "1 to 3 spatial"),
        (lambda: F.interpolate(IMAGE[..., None, None], 2), "1 to 3 spatial"),
        (lambda: F.interpolate(IMAGE), "either size or scale_factor"),
        (lambda: F.interpolate(IMAGE, 2, 2), "either size or scale_factor"),
        (lambda: F.interpolate(IMAGE, (2, 2, 2)), "spatial axes"),
        (lambda: F.interpolate(IMAGE, 2, mode="linear"), "bilinear, bicubic"),
        (lambda: F.interpolate(IMAGE, 2, align_corners=True), "align_corners"),
        (lambda: F.interpolate(IMAGE, 2, mode="area", antialias=True), "antialias"),
        (lambda: F.interpolate(IMAGE, 0), "cannot resize"),
        (lambda: F.pixel_shuffle(IMAGE, 2), "multiple"),
        (lambda: F.pixel_unshuffle(IMAGE, 3), "multiples of 3"),
        (lambda: F.pixel_unshuffle(IMAGE[..., :3], 2), "multiples of 2"),
        (lambda: F.pixel_unshuffle(IMAGE[..., :3, :], 2), "multiples of 2"),
        (lambda: F.pixel_shuffle(IMAGE, 0), "a factor of at least 1"),
        (lambda: F.channel_shuffle(IMAGE, 0), "multiple of 0"),
        (lambda: F.channel_shuffle(IMAGE[:, :, 0, 0], 2), "multiple of 2"),
        (lambda: F.pixel_shuffle(np.ones((2, 2)), 2), "channels, height, width"),
        (lambda: F.channel_shuffle(IMAGE, 3), "multiple of 3"),
    ],
)
def test_what_does_not_fit_is_named(refused, told) -> None:
    with pytest.raises(ValueError, match=told):
        refused()
