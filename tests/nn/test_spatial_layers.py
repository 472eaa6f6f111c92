"""Layers over spatial axes read PyTorch's weights and give PyTorch's outputs and gradients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.beside_torch import Case, check_compiled_float32, check_eager_float64

import retrograd as rg
from retrograd import nn

SIGNAL, IMAGE, VOLUME = (3, 4, 9), (2, 4, 7, 6), (2, 4, 5, 4, 6)

CASES = {
    "Conv1d": Case(lambda n: n.Conv1d(4, 6, 3, stride=2, padding=1), [SIGNAL]),
    "Conv1d same": Case(
        lambda n: n.Conv1d(4, 6, 4, padding="same", dilation=2, bias=False), [SIGNAL]
    ),
    "Conv1d reflect": Case(
        lambda n: n.Conv1d(4, 2, 3, padding=2, padding_mode="reflect"), [SIGNAL]
    ),
    "Conv2d": Case(lambda n: n.Conv2d(4, 6, 3, padding=1), [IMAGE]),
    "Conv2d of all": Case(
        lambda n: n.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2),
        [IMAGE],
    ),
    "Conv2d without batch": Case(lambda n: n.Conv2d(4, 6, 3), [IMAGE[1:]]),
    "Conv2d circular": Case(
        lambda n: n.Conv2d(4, 2, (3, 4), padding="same", padding_mode="circular"), [IMAGE]
    ),
    "Conv3d": Case(lambda n: n.Conv3d(4, 3, 3, padding=(1, 0, 1)), [VOLUME]),
    "ConvTranspose1d": Case(
        lambda n: n.ConvTranspose1d(4, 6, 3, stride=2, padding=1, output_padding=1), [SIGNAL]
    ),
    "ConvTranspose2d": Case(
        lambda n: n.ConvTranspose2d(4, 6, 3, stride=2, groups=2, dilation=2), [IMAGE]
    ),
    "ConvTranspose2d of a size": Case(
        lambda n: n.ConvTranspose2d(4, 2, 3, stride=2, bias=False),
        [IMAGE],
        call=lambda layer, x: layer(x, output_size=(16, 14)),
    ),
    "ConvTranspose3d": Case(lambda n: n.ConvTranspose3d(4, 3, 2, stride=2), [VOLUME]),
    "MaxPool1d": Case(lambda n: n.MaxPool1d(3, stride=2, padding=1), [SIGNAL]),
    "MaxPool2d": Case(lambda n: n.MaxPool2d(2), [(2, 4, 6, 8)]),
    "MaxPool2d of all": Case(
        lambda n: n.MaxPool2d((3, 2), 2, padding=1, dilation=(1, 2), ceil_mode=True), [IMAGE]
    ),
    "MaxPool2d indices": Case(lambda n: n.MaxPool2d(2, return_indices=True), [IMAGE]),
    "MaxPool3d": Case(lambda n: n.MaxPool3d(2), [VOLUME]),
    "AvgPool1d": Case(lambda n: n.AvgPool1d(3, 2, 1, count_include_pad=False), [SIGNAL]),
    "AvgPool2d": Case(lambda n: n.AvgPool2d(3, 2, padding=1, ceil_mode=True), [IMAGE]),
    "AvgPool2d divided": Case(lambda n: n.AvgPool2d(2, divisor_override=3), [IMAGE]),
    "AvgPool3d": Case(lambda n: n.AvgPool3d(2), [VOLUME]),
    "AdaptiveAvgPool1d": Case(lambda n: n.AdaptiveAvgPool1d(4), [SIGNAL]),
    "AdaptiveAvgPool2d": Case(lambda n: n.AdaptiveAvgPool2d((3, None)), [IMAGE]),
    "AdaptiveAvgPool3d": Case(lambda n: n.AdaptiveAvgPool3d(1), [VOLUME]),
    "AdaptiveMaxPool1d": Case(lambda n: n.AdaptiveMaxPool1d(4), [SIGNAL]),
    "AdaptiveMaxPool2d": Case(lambda n: n.AdaptiveMaxPool2d((3, 2)), [IMAGE]),
    "AdaptiveMaxPool3d": Case(lambda n: n.AdaptiveMaxPool3d(2), [VOLUME]),
    "BatchNorm2d": Case(lambda n: n.BatchNorm2d(4, momentum=0.3), [IMAGE]),
    "BatchNorm2d in evaluation": Case(lambda n: n.BatchNorm2d(4), [IMAGE], training=False),
    "BatchNorm3d": Case(lambda n: n.BatchNorm3d(4, momentum=None), [VOLUME]),
    "GroupNorm": Case(lambda n: n.GroupNorm(2, 4), [IMAGE]),
    "GroupNorm of vectors": Case(lambda n: n.GroupNorm(2, 4, eps=1e-3), [(3, 4)]),
    "InstanceNorm1d": Case(lambda n: n.InstanceNorm1d(4), [SIGNAL]),
    "InstanceNorm2d": Case(
        lambda n: n.InstanceNorm2d(4, affine=True, track_running_stats=True), [IMAGE]
    ),
    "InstanceNorm2d in evaluation": Case(
        lambda n: n.InstanceNorm2d(4, track_running_stats=True), [IMAGE], training=False
    ),
    "InstanceNorm3d": Case(lambda n: n.InstanceNorm3d(4, affine=True), [VOLUME]),
    "RMSNorm": Case(lambda n: n.RMSNorm(6), [IMAGE]),
    "RMSNorm of two axes": Case(lambda n: n.RMSNorm((7, 6), eps=1e-3), [IMAGE]),
    "Upsample nearest": Case(lambda n: n.Upsample(scale_factor=2), [IMAGE]),
    "Upsample bilinear": Case(
        lambda n: n.Upsample(size=(9, 11), mode="bilinear", align_corners=True), [IMAGE]
    ),
}

TABLE = [pytest.param(case, id=name) for name, case in CASES.items()]


@pytest.mark.parametrize("case", TABLE)
def test_eager_float64_is_torchs_to_1e_10(case: Case, tmp_path: Path) -> None:
    check_eager_float64(case, tmp_path)


@pytest.mark.parametrize("case", TABLE)
def test_compiled_float32_is_torchs_to_float32_tolerance(case: Case, tmp_path: Path) -> None:
    check_compiled_float32(case, tmp_path)


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


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
        (lambda: nn.GroupNorm(2, 3), "num_channels 3 must be a multiple of num_groups, found 2"),
        (lambda: nn.Conv2d(3, 4, 3)(floats(2, 4, 5, 5)), "has 4 channels"),
        (lambda: nn.BatchNorm2d(3)(floats(2, 3)), r"takes \(n, c, height, width\)"),
        (lambda: nn.GroupNorm(2, 4)(floats(2, 3, 5)), "expected 4 channels on axis 1"),
        (lambda: nn.InstanceNorm1d(3)(floats(2, 3, 1)), "more than one element a channel"),
        (lambda: nn.InstanceNorm2d(3)(floats(2, 3)), r"found \(2, 3\)"),
        (lambda: nn.RMSNorm(3)(floats(2, 4)), r"expected an input of shape \(\.\.\., 3\)"),
        (
            lambda: nn.ConvTranspose1d(2, 2, 3, stride=2)(floats(1, 2, 4), output_size=(12,)),
            r"\(9,\) to \(10,\), found output_size=\(12,\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()


# Dropout of channels and layers -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "shape", "kept"),
    [
        (nn.Dropout1d(0.3), (64, 32, 5), (64, 32)),
        (nn.Dropout2d(0.3), (64, 32, 3, 2), (64, 32)),
        (nn.Dropout2d(0.3), (512, 3, 2), (512,)),
        (nn.Dropout3d(0.3), (64, 32, 2, 2, 2), (64, 32)),
        (nn.StochasticDepth(0.3), (2048, 3, 2), (2048,)),
    ],
)
def test_whole_slices_are_dropped_and_the_others_scaled(layer, shape, kept) -> None:
    out = layer(np.ones(shape, np.float32)).numpy().reshape(*kept, -1)
    assert (out == out[..., :1]).all()
    each = out[..., 0]
    assert set(np.unique(each).tolist()) == {0.0, float(np.float32(1 / 0.7))}
    assert (each == 0).mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / each.size))


def test_stochastic_depth_by_batch_drops_all_or_nothing() -> None:
    layer = nn.StochasticDepth(0.5, "batch")
    seen = {tuple(np.unique(layer(np.ones((4, 3), np.float32)).numpy())) for _ in range(30)}
    assert seen == {(0.0,), (2.0,)}


def test_channel_dropout_does_nothing_in_evaluation_and_refuses_other_axes() -> None:
    x = floats(2, 3, 4, 4)
    for layer in (nn.Dropout2d(0.9), nn.StochasticDepth(0.9)):
        np.testing.assert_array_equal(layer.eval()(x).numpy(), x)
    with pytest.raises(ValueError, match="channels, 2 spatial"):
        nn.Dropout2d()(floats(3, 4))
    with pytest.raises(ValueError, match="between 0 and 1, found 2"):
        nn.StochasticDepth(2)
    with pytest.raises(ValueError, match="'row' or 'batch', found 'col'"):
        nn.StochasticDepth(0.1, "col")


def test_channel_dropout_draws_the_same_compiled() -> None:
    layer, x = nn.Dropout2d(0.5), floats(8, 6, 3, 3)
    eager = layer(x).numpy()
    rg.manual_seed(0)
    np.testing.assert_array_equal(rg.compile(lambda x: layer(x))(x).numpy(), eager)
