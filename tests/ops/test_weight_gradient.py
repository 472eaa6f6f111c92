"""A convolution's gradient by its weight in a compiled step, which sums over parts of the batch."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd.nn import functional as F

CONVOLVE = import_module("retrograd.ops.spatial.convolution_primitive")
CASES = [
    # input, weight, options
    ((5, 3, 9), (4, 3, 3), {"padding": 2}),
    ((4, 2, 11), (3, 2, 2), {"stride": 3, "dilation": 2}),
    ((6, 3, 8, 7), (4, 3, 3, 2), {"padding": (1, 0)}),
    ((4, 2, 9, 8), (3, 2, 3, 3), {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 2)}),
    ((2, 2, 5, 6, 7), (3, 2, 2, 3, 1), {"stride": (1, 2, 3), "padding": (1, 0, 2)}),
]


def gradient(x: np.ndarray, weight: np.ndarray, options: dict) -> np.ndarray:
    conv = getattr(F, f"conv{x.ndim - 2}d")

    @rg.compile
    def step(x: rg.Tensor, weight: rg.Tensor) -> rg.Tensor:
        return rg.grad(lambda w: (conv(x, w, **options) ** 2).sum())(weight)

    return np.asarray(step(x, weight).numpy())


def pytorchs(x: np.ndarray, weight: np.ndarray, options: dict) -> np.ndarray:
    w = torch.tensor(weight, requires_grad=True)
    conv = getattr(torch.nn.functional, f"conv{x.ndim - 2}d")
    (conv(torch.tensor(x), w, **options) ** 2).sum().backward()
    return w.grad.numpy()


@pytest.mark.parametrize("part", [1, 2000, 4 << 20], ids=["one", "some", "whole"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case[2]))
def test_it_is_pytorchs_however_many_parts_are_summed(
    case: tuple, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CONVOLVE, "_PART", part)
    rng = np.random.default_rng(0)
    x, weight = (rng.standard_normal(shape) for shape in case[:2])
    found = gradient(x, weight, case[2])
    np.testing.assert_allclose(found, pytorchs(x, weight, case[2]), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("room", "part"), [(0, 1), (2, 2), (3, 3), (5, 4)])
def test_a_part_has_as_many_examples_as_fit(
    room: int, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rows of one example: 2 channels, 3 of the kernel, 6 places, 8 bytes each.
    monkeypatch.setattr(CONVOLVE, "_PART", room * 2 * 3 * 6 * 8)
    sizes = []
    laid_out = CONVOLVE._laid_out

    def spied(xp, x, at, counts):
        sizes.append(x.shape)
        return laid_out(xp, x, at, counts)

    monkeypatch.setattr(CONVOLVE, "_laid_out", spied)
    rng = np.random.default_rng(0)
    gradient(rng.standard_normal((12, 2, 8)), rng.standard_normal((5, 2, 3)), {})
    assert sizes == [(2, part, 8)]


def test_half_precision_is_summed_in_single() -> None:
    # Each example adds 1 to a sum of 4096, which float16 could no longer count beyond 2048.
    x, weight = np.ones((4096, 1, 2), np.float16), np.ones((1, 1, 2), np.float16)

    @rg.compile
    def step(x: rg.Tensor, weight: rg.Tensor) -> rg.Tensor:
        return rg.grad(lambda w: F.conv1d(x, w).sum())(weight)

    found = step(x, weight)
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found.numpy(), np.full((1, 1, 2), 4096, np.float16))


def test_several_outputs_for_each_channel_of_its_own() -> None:
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, 3, 6)), rng.standard_normal((6, 1, 3))
    conv = rg.compile(lambda x, w: F.conv1d(x, w, groups=3))
    theirs = torch.nn.functional.conv1d(torch.tensor(x), torch.tensor(weight), groups=3)
    np.testing.assert_allclose(conv(x, weight).numpy(), theirs.numpy(), rtol=1e-12, atol=1e-12)
