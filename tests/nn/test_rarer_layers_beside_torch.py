"""The layers that are imported when asked for give PyTorch's outputs and gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.beside_torch import Case, check_compiled_float32, check_eager_float64

import retrograd as rg
from retrograd import nn

ROWS, SIGNAL, IMAGE, VOLUME = (3, 6), (3, 4, 9), (2, 4, 6, 8), (2, 3, 4, 5, 6)
SRC, TGT = (5, 2, 8), (4, 2, 8)
SIZES = {"d_model": 8, "nhead": 2, "dim_feedforward": 16, "dropout": 0.0}
FUTURE = np.triu(np.ones((4, 4), bool), 1)


def unpooled(axes: int, shape: tuple[int, ...], **options: Any) -> Case:
    """Max pooling, and its maxima laid back."""
    name = f"max_pool{axes}d"
    return Case(
        lambda n: getattr(n, f"MaxUnpool{axes}d")(2),
        [shape],
        lambda m, x: m(*getattr(nn.functional, name)(x, 2, return_indices=True), **options),
        lambda m, x: m(*getattr(torch.nn.functional, name)(x, 2, return_indices=True), **options),
    )


def masked(layer: Any, *xs: Any) -> Any:
    here = isinstance(layer, nn.Module)
    return layer(*xs, tgt_mask=FUTURE if here else torch.tensor(FUTURE))


CASES = {
    "CELU": Case(lambda n: n.CELU(0.5, inplace=False), [ROWS]),
    "GLU": Case(lambda n: n.GLU(1), [SIGNAL]),
    "Hardshrink": Case(lambda n: n.Hardshrink(0.4), [ROWS]),
    "Hardsigmoid": Case(lambda n: n.Hardsigmoid(), [ROWS]),
    "Hardswish": Case(lambda n: n.Hardswish(), [ROWS]),
    "LogSigmoid": Case(lambda n: n.LogSigmoid(), [ROWS]),
    "PReLU": Case(lambda n: n.PReLU(), [ROWS]),
    "PReLU by channel": Case(lambda n: n.PReLU(4, init=0.1), [IMAGE]),
    "RReLU in evaluation": Case(lambda n: n.RReLU(0.1, 0.4), [ROWS], training=False),
    "Softmax2d": Case(lambda n: n.Softmax2d(), [IMAGE]),
    "Softmin": Case(lambda n: n.Softmin(dim=1), [SIGNAL]),
    "Softshrink": Case(lambda n: n.Softshrink(0.4), [ROWS]),
    "Softsign": Case(lambda n: n.Softsign(), [ROWS]),
    "Tanhshrink": Case(lambda n: n.Tanhshrink(), [ROWS]),
    "Threshold": Case(lambda n: n.Threshold(0.1, -2.0), [ROWS]),
    "ConstantPad1d": Case(lambda n: n.ConstantPad1d(2, 0.5), [SIGNAL]),
    "ConstantPad2d": Case(lambda n: n.ConstantPad2d((1, 2, 0, 3), -1.0), [IMAGE]),
    "ConstantPad3d": Case(lambda n: n.ConstantPad3d(1, 2.0), [VOLUME]),
    "ZeroPad1d": Case(lambda n: n.ZeroPad1d((1, 0)), [SIGNAL[1:]]),
    "ZeroPad2d": Case(lambda n: n.ZeroPad2d((1, 0, 2, 1)), [IMAGE]),
    "ZeroPad3d": Case(lambda n: n.ZeroPad3d(1), [VOLUME]),
    "ReflectionPad1d": Case(lambda n: n.ReflectionPad1d((2, 3)), [SIGNAL]),
    "ReflectionPad2d": Case(lambda n: n.ReflectionPad2d(2), [IMAGE]),
    "ReflectionPad3d": Case(lambda n: n.ReflectionPad3d(1), [VOLUME]),
    "ReplicationPad1d": Case(lambda n: n.ReplicationPad1d(2), [SIGNAL]),
    "ReplicationPad2d": Case(lambda n: n.ReplicationPad2d((1, 2, 3, 0)), [IMAGE]),
    "ReplicationPad3d": Case(lambda n: n.ReplicationPad3d(2), [VOLUME]),
    "CircularPad1d": Case(lambda n: n.CircularPad1d((2, 1)), [SIGNAL]),
    "CircularPad2d": Case(lambda n: n.CircularPad2d(2), [IMAGE]),
    "CircularPad3d": Case(lambda n: n.CircularPad3d(1), [VOLUME]),
    "RNNCell": Case(lambda n: n.RNNCell(6, 5, nonlinearity="relu"), [ROWS, (3, 5)]),
    "RNNCell from 0": Case(lambda n: n.RNNCell(6, 5, bias=False), [ROWS]),
    "LSTMCell": Case(
        lambda n: n.LSTMCell(6, 5), [ROWS, (3, 5), (3, 5)], lambda m, x, h, c: m(x, (h, c))
    ),
    "LSTMCell without batch": Case(lambda n: n.LSTMCell(6, 5), [(6,)]),
    "GRUCell": Case(lambda n: n.GRUCell(6, 5), [ROWS, (3, 5)]),
    "GRUCell without batch": Case(lambda n: n.GRUCell(6, 5), [(6,), (5,)]),
    "Unflatten": Case(lambda n: n.Unflatten(1, (2, -1)), [ROWS]),
    "Unfold": Case(lambda n: n.Unfold((2, 3), dilation=1, padding=1, stride=2), [IMAGE]),
    "Fold": Case(lambda n: n.Fold((5, 6), (2, 2)), [(2, 8, 20)]),
    "PixelShuffle": Case(lambda n: n.PixelShuffle(2), [IMAGE]),
    "PixelUnshuffle": Case(lambda n: n.PixelUnshuffle(2), [IMAGE]),
    "ChannelShuffle": Case(lambda n: n.ChannelShuffle(2), [IMAGE]),
    "MaxUnpool1d": unpooled(1, SIGNAL, output_size=[9]),
    "MaxUnpool2d": unpooled(2, IMAGE),
    "MaxUnpool2d of a size": unpooled(2, (2, 3, 5, 7), output_size=(2, 3, 5, 7)),
    "MaxUnpool3d": unpooled(3, (2, 3, 4, 4, 6)),
    "LPPool1d": Case(lambda n: n.LPPool1d(3, 2), [SIGNAL]),
    "LPPool2d": Case(lambda n: n.LPPool2d(2, (2, 3), stride=2), [IMAGE]),
    "Bilinear": Case(lambda n: n.Bilinear(6, 5, 4), [ROWS, (3, 5)]),
    "Bilinear without bias": Case(
        lambda n: n.Bilinear(6, 5, 4, bias=False), [(2, 3, 6), (2, 3, 5)]
    ),
    "TransformerDecoderLayer": Case(lambda n: n.TransformerDecoderLayer(**SIZES), [TGT, SRC]),
    "TransformerDecoderLayer norm first": Case(
        lambda n: n.TransformerDecoderLayer(**SIZES, norm_first=True, activation="gelu"),
        [TGT, SRC],
        masked,
    ),
    "TransformerDecoder": Case(
        lambda n: n.TransformerDecoder(n.TransformerDecoderLayer(**SIZES), 2, n.LayerNorm(8)),
        [TGT, SRC],
        masked,
    ),
    "Transformer": Case(
        lambda n: n.Transformer(**SIZES, num_encoder_layers=1, num_decoder_layers=2),
        [SRC, TGT],
        masked,
    ),
    "Transformer batch first": Case(
        lambda n: n.Transformer(
            **SIZES, num_encoder_layers=1, num_decoder_layers=1, batch_first=True, norm_first=True
        ),
        [(2, 5, 8), (2, 4, 8)],
    ),
}
COMPILED = (
    "Hardsigmoid",
    "PReLU by channel",
    "LSTMCell",
    "MaxUnpool2d",
    "Bilinear",
    "Transformer",
    "Fold",
)


# PyTorch's slope of it is 1 / 6 in float32.
EXACT = {name: case for name, case in CASES.items() if name != "Hardsigmoid"}
without_advice = pytest.mark.filterwarnings("ignore:enable_nested_tensor:UserWarning")


@without_advice
@pytest.mark.parametrize("case", EXACT.values(), ids=EXACT)
def test_eager_float64_is_torchs_to_1e_10(case: Case, tmp_path: Path) -> None:
    check_eager_float64(case, tmp_path)


@without_advice
@pytest.mark.parametrize("name", COMPILED)
def test_compiled_float32_is_torchs_to_float32_tolerance(name: str, tmp_path: Path) -> None:
    check_compiled_float32(CASES[name], tmp_path)


def test_every_rarer_layer_is_here() -> None:
    from retrograd.nn.later import LATER

    tried = {name.partition(" ")[0] for name in CASES}
    containers = {"ParameterDict", "ParameterList"}
    assert set(LATER) - tried - containers == {"LPPool3d"}
    assert set(LATER) <= set(nn.__all__)


def test_the_mask_of_the_future_is_torchs() -> None:
    ours = nn.Transformer.generate_square_subsequent_mask(3).numpy()
    theirs = torch.nn.Transformer.generate_square_subsequent_mask(3).numpy()
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: nn.GLU()(x[:, :5]), "glu: axis -1 must have an even size, found 5"),
        (lambda x: nn.PReLU(4)(x), "expected 1 weight or one for each of 6 channels, found 4"),
        (lambda x: nn.Softmax2d()(x), r"Softmax2d: expected \(n, c, height, width\)"),
        (lambda x: nn.ZeroPad2d((1, 2)), "expected one width or 4"),
        (lambda x: nn.ZeroPad2d(1)(x), "found an input of shape"),
        (lambda x: nn.LSTMCell(5, 2)(x), r"LSTMCell: expected \(n, 5\) or \(5,\)"),
        (lambda x: nn.GRUCell(6, 2)(x, x), r"expected 1 states of shape \(3, 2\)"),
        (lambda x: nn.RNNCell(6, 2, nonlinearity="elu"), "must be tanh or relu"),
        (lambda x: nn.Softshrink(-1.0), "lambd must be at least 0"),
        (lambda x: nn.Transformer(8, 2, 1, 1, 8)(x, x), "must end with d_model = 8"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(rg.ones(3, 6))


def test_a_drawn_class_is_one_and_has_the_soft_ones_slope() -> None:
    rg.manual_seed(0)
    logits = rg.tensor([[0.0, 2.0]]).expand(4000, 2)
    hard = nn.functional.gumbel_softmax(logits, hard=True).numpy()
    assert set(np.unique(hard.round(5))) == {0.0, 1.0}
    share = 1 / (1 + np.exp(-2))
    assert hard[:, 1].mean() == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / 4000))
    x = rg.zeros(3, requires_grad=True)
    (nn.functional.gumbel_softmax(x, tau=0.5, hard=True) * rg.arange(3)).sum().backward()
    assert float(x.grad.abs().sum()) > 0
    assert float(x.grad.sum()) == pytest.approx(0, abs=1e-5)


def test_alpha_dropout_keeps_mean_and_variance_and_rrelu_its_slopes() -> None:
    rg.manual_seed(0)
    n = 200_000
    x = rg.randn(n)
    for layer in (nn.AlphaDropout(0.3), nn.FeatureAlphaDropout(0.3)):
        out = layer(x.reshape(-1, 1)).numpy()
        assert out.mean() == pytest.approx(0, abs=5 / np.sqrt(n))
        assert out.var() == pytest.approx(1, abs=0.03)
        assert layer.eval()(x) is x
    whole = nn.FeatureAlphaDropout(0.5)(rg.randn(40, 5, 9)).numpy()
    dropped = whole.std(-1) < 1e-6
    assert 0.3 < dropped.mean() < 0.7
    slopes = (nn.RReLU()(rg.full((n,), -1.0))).numpy()
    assert -1 / 3 <= slopes.min() < slopes.max() <= -1 / 8
    assert slopes.mean() == pytest.approx(-11 / 48, abs=0.001)
