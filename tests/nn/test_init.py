"""Initial weights have the variance that their formula says, and change nothing else."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn
from retrograd.autodiff.hooks import hooks
from retrograd.nn import init

OUT, IN, KERNEL = 90, 60, (3, 2)
FAN_IN, FAN_OUT = IN * 6, OUT * 6


def weight() -> rg.Parameter:
    return rg.Parameter(np.zeros((OUT, IN, *KERNEL), np.float32))


VARIANCES = {
    "xavier_uniform_": (init.xavier_uniform_, {"gain": 3.0}, 9 * 2 / (FAN_IN + FAN_OUT)),
    "xavier_normal_": (init.xavier_normal_, {}, 2 / (FAN_IN + FAN_OUT)),
    "kaiming_uniform_": (init.kaiming_uniform_, {"nonlinearity": "relu"}, 2 / FAN_IN),
    "kaiming_uniform_ sloped": (init.kaiming_uniform_, {"a": 2.0}, 2 / 5 / FAN_IN),
    "kaiming_normal_": (init.kaiming_normal_, {"mode": "fan_out"}, 2 / FAN_OUT),
    "lecun_normal_": (init.lecun_normal_, {}, 1 / FAN_IN),
    "uniform_": (init.uniform_, {"a": -1.0, "b": 3.0}, 16 / 12),
    "normal_": (init.normal_, {"mean": 1.0, "std": 0.2}, 0.04),
}


@pytest.mark.parametrize("name", VARIANCES)
def test_the_variance_is_the_formulas(name: str) -> None:
    initialize, options, variance = VARIANCES[name]
    parameter = weight()
    assert initialize(parameter, **options) is parameter
    values = parameter.numpy()
    assert values.dtype == np.float32
    # 32,400 draws: the variance of a normal sample is known to 4 standard deviations of 0.8 %.
    assert values.var() == pytest.approx(variance, rel=0.032)
    if "uniform" in name:
        bound = math.sqrt(3 * variance)
        assert np.abs(values - values.mean()).max() <= bound * 1.02
        assert np.abs(values - values.mean()).max() >= bound * 0.98


@pytest.mark.parametrize(
    ("nonlinearity", "param"),
    [("linear", None), ("sigmoid", None), ("tanh", None), ("relu", None), ("leaky_relu", None),
     ("leaky_relu", 0.3), ("selu", None)],
)  # fmt: skip
def test_gains_are_torchs(nonlinearity: str, param: float | None) -> None:
    expected = torch.nn.init.calculate_gain(nonlinearity, param)
    assert init.calculate_gain(nonlinearity, param) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(5, 8), (8, 5), (4, 3, 2, 2)])
def test_orthogonal_rows_or_columns_stand_at_right_angles(shape: tuple[int, ...]) -> None:
    parameter = rg.Parameter(np.zeros(shape))
    flat = init.orthogonal_(parameter, gain=2.0).numpy().reshape(shape[0], -1)
    short = flat if len(flat) <= flat.shape[1] else flat.T
    np.testing.assert_allclose(short @ short.T, 4 * np.eye(len(short)), atol=1e-12)


def test_orthogonal_matrices_are_drawn_evenly() -> None:
    # In an even draw of rotations and reflections of the plane the mean matrix is 0: QR alone,
    # without its signs mended, would leave the diagonal at -2/π.
    draws = [init.orthogonal_(rg.Parameter(np.zeros((2, 2)))).numpy() for _ in range(2000)]
    assert np.abs(np.mean(draws, axis=0)).max() < 0.08


def test_constants() -> None:
    parameter = weight()
    assert (init.ones_(parameter).numpy() == 1).all()
    assert (init.constant_(parameter, 0.3).numpy() == np.float32(0.3)).all()
    assert (init.zeros_(parameter).numpy() == 0).all()


def test_the_seed_decides_the_numbers_and_a_generator_goes_before_it() -> None:
    def draw(**options: Any) -> list[float]:
        return init.normal_(rg.Parameter(np.zeros(3)), **options).numpy().tolist()

    rg.manual_seed(3)
    first, second = draw(), draw()
    rg.manual_seed(3)
    assert draw() == first != second
    assert draw(generator=np.random.default_rng(5)) == draw(generator=np.random.default_rng(5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: init.xavier_normal_(rg.Parameter(np.zeros(3))),
            r"\(out, in, \.\.\.\), found \(3,\)",
        ),
        (lambda: init.orthogonal_(rg.Parameter(np.zeros(3))), r"found \(3,\)"),
        (lambda: init.kaiming_normal_(weight(), mode="in"), "'fan_in' or 'fan_out', found 'in'"),
        (lambda: init.calculate_gain("gelu"), "no gain is known for 'gelu'"),
    ],
)
def test_what_has_no_meaning_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def deep() -> nn.Sequential:
    layers = [layer for _ in range(6) for layer in (nn.Linear(30, 30), nn.Tanh())]
    return nn.Sequential(
        nn.Embedding(9, 3), nn.Flatten(), *layers, nn.Dropout(0.9), nn.Linear(30, 7)
    )


def test_lsuv_leaves_each_layer_with_unit_variance() -> None:
    model, batch = deep(), np.random.default_rng(0).integers(0, 9, (300, 10))
    table = model[0].weight.numpy().copy()
    assert init.lsuv_(model, batch, tol=0.02) is model
    np.testing.assert_array_equal(model[0].weight.numpy(), table)
    variances: list[float] = []

    def note(module: nn.Module, inputs: Any, output: Any) -> Any:
        if isinstance(module, nn.Linear):
            variances.append(float(output.numpy().var()))
        return output

    assert all(module.training for module in model.modules())
    with hooks(module=note):
        model.eval()(batch)
    np.testing.assert_allclose(variances, 1, atol=0.02)
    hidden = model[2].weight.numpy()
    scale = np.square(hidden[0]).sum()
    np.testing.assert_allclose(hidden @ hidden.T, scale * np.eye(30), atol=1e-5)
    assert not model[2].bias.numpy().any()


def test_lsuv_names_the_layer_that_no_scale_can_mend() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    with pytest.raises(ValueError, match=r"Linear\(in_features=3.*same number everywhere"):
        init.lsuv_(model, np.zeros((5, 3), np.float32))
    assert model.training
