"""Which way a compiled convolution runs on a CPU, and its slopes in parts."""

from __future__ import annotations

from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd.autodiff.primitive import REGISTRY
from retrograd.nn import functional as F

CONVOLVE = import_module("retrograd.ops.spatial.convolution_primitive")
WINDOWS = import_module("retrograd.ops.spatial.windows")

# x, weight, stride, groups
WAYS = {
    "by_xla": [
        ((2, 3, 8), (4, 3, 3), 1, 1),
        ((2, 4, 8, 8), (4, 4, 3, 3), 1, 1),
        ((1, 2, 6, 6, 6), (4, 2, 3, 3, 3), 1, 1),  # into more channels: too many columns
        ((1, 2, 600), (2, 1, 129), 2, 2),  # too many products
        ((1, 2, 387), (2, 1, 130), 2, 2),
    ],
    "by_output": [  # a weight's gradient: no more outputs than positions in the kernel
        ((3, 2, 8, 8), (4, 2, 6, 6), 1, 1),
        ((1, 1, 5), (1, 1, 3), 1, 1),
        ((2, 2, 6, 6, 6), (3, 2, 4, 4, 4), 1, 1),
    ],
    "by_columns": [
        ((2, 4, 8, 8), (4, 2, 3, 3), 1, 2),
        ((2, 16, 4, 4), (16, 2, 2, 2), 1, 8),
        ((1, 4, 6, 6, 6), (2, 4, 3, 3, 3), 1, 1),
    ],
    "by_position": [
        ((2, 3, 8, 8), (3, 1, 3, 3), 1, 3),  # each channel by itself
        ((2, 4, 8, 8), (8, 2, 3, 3), 1, 2),
        ((2, 4, 9, 9), (4, 2, 3, 3), 2, 2),
        ((2, 4, 3), (4, 2, 2), 1, 2),
        ((1, 2, 600), (2, 1, 128), 2, 2),
        ((1, 2, 384), (2, 1, 129), 2, 2),
    ],
}


@pytest.mark.parametrize(
    ("x", "weight", "stride", "groups", "way"),
    [(*case, way) for way, cases in WAYS.items() for case in cases],
)
def test_the_way_is_the_one_that_was_measured_to_be_quickest(x, weight, stride, groups, way):
    axes = len(x) - 2
    one = (1,) * axes
    at = WINDOWS.Windows(weight[2:], (stride,) * axes, ((0, 0),) * axes, one)
    found = CONVOLVE._for_xla(np.empty(x), np.empty(weight), at, one, groups)
    assert found is getattr(CONVOLVE, f"_{way}")


def test_zeros_between_elements_count_as_input() -> None:
    # 3 elements with 9 zeros between each two are 21, so that 19 windows of 3 fit.
    at = WINDOWS.Windows((3,), (1,), ((0, 0),), (1,))
    found = CONVOLVE._for_xla(np.empty((1, 2, 3)), np.empty((2, 2, 3)), at, (10,), 1)
    assert found is CONVOLVE._by_xla


def test_another_device_runs_xlas_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jax.default_backend", lambda: "gpu")
    at = WINDOWS.Windows((3,), (1,), ((0, 0),), (1,))
    assert CONVOLVE._for_xla(np.empty((1, 1, 5)), np.empty((1, 1, 3)), at, (1,), 1) is (
        CONVOLVE._by_xla
    )


def forward(xp, x, weight, stride: int, spacing: int, groups: int):
    return REGISTRY["convolve"].forward(
        xp,
        x,
        weight,
        stride=(stride,),
        padding=((0, 0),),
        spacing=(spacing,),
        dilation=(1,),
        groups=groups,
    )


@pytest.mark.parametrize(
    ("x", "weight", "stride", "groups", "expected"),
    [
        ((2, 3, 8), (4, 3, 3), 1, 1, (1, 0)),
        ((2, 4, 9), (4, 2, 3), 2, 2, (0, 3)),  # 3 positions and 4 outputs
        ((2, 4, 6), (4, 2, 5), 1, 2, (0, 2)),  # 5 positions and 2 outputs
    ],
)
def test_a_program_holds_xlas_own_or_as_few_products_as_can_be(
    x, weight, stride, groups, expected
) -> None:
    traced = jax.make_jaxpr(lambda x, weight: forward(jnp, x, weight, stride, 1, groups))
    program = str(traced(np.ones(x), np.ones(weight)))
    found = (program.count("= conv_general_dilated["), program.count("= dot_general["))
    assert found == expected


@pytest.mark.parametrize(
    ("stride", "spacing", "way"),
    [(1, 1, "by_patches"), (2, 1, "by_patches"), (2, 2, "by_patches"), (1, 2, "by_columns")],
)
def test_eagerly_no_zero_between_elements_is_multiplied(
    stride: int, spacing: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("by_patches", "by_columns"):
        monkeypatch.setattr(CONVOLVE, f"_{each}", lambda *given, each=each: each)
    assert forward(np, np.ones((1, 1, 5)), np.ones((1, 1, 3)), stride, spacing, 1) == way


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
