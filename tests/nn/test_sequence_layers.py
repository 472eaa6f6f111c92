"""Layers over sequences read PyTorch's weights and give PyTorch's outputs and gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.beside_torch import Case, check_compiled_float32, check_eager_float64
from support.programs import equations

import retrograd as rg
from retrograd import nn

LENGTHS = np.array([4, 7, 1])


def packed(layer: Any, x: torch.Tensor, *state: torch.Tensor) -> Any:
    """PyTorch's way to variable lengths."""
    sequences = torch.nn.utils.rnn.pack_padded_sequence(
        x, torch.tensor(LENGTHS), enforce_sorted=False, batch_first=layer.batch_first
    )
    out, last = layer(sequences, *([state if len(state) > 1 else state[0]] if state else []))
    out, _ = torch.nn.utils.rnn.pad_packed_sequence(out, batch_first=layer.batch_first)
    return out, last


def lengths(layer: Any, x: Any, *state: Any) -> Any:
    return layer(x, *([state if len(state) > 1 else state[0]] if state else []), lengths=LENGTHS)


def with_states(layer: Any, x: Any, *state: Any) -> Any:
    return layer(x, state if len(state) > 1 else state[0])


X, STATE = (7, 3, 5), (4, 3, 6)

RECURRENT = {
    "RNN": Case(lambda n: n.RNN(5, 6), [X]),
    "RNN relu": Case(lambda n: n.RNN(5, 6, nonlinearity="relu", bias=False), [X]),
    "RNN of lengths": Case(
        lambda n: n.RNN(5, 6, 2, bidirectional=True), [X, STATE], lengths, packed
    ),
    "LSTM": Case(lambda n: n.LSTM(5, 6), [X]),
    "LSTM of all": Case(
        lambda n: n.LSTM(5, 6, 2, bidirectional=True), [X, STATE, STATE], with_states
    ),
    "LSTM of lengths": Case(
        lambda n: n.LSTM(5, 6, 2, bidirectional=True, batch_first=True),
        [(3, 7, 5), STATE, STATE],
        lengths,
        packed,
    ),
    "GRU": Case(lambda n: n.GRU(5, 6), [X]),
    "GRU of all": Case(
        lambda n: n.GRU(5, 6, 2, batch_first=True, bidirectional=True, bias=False),
        [(3, 7, 5), STATE],
        with_states,
    ),
    "GRU of lengths": Case(
        lambda n: n.GRU(5, 6, 2, bidirectional=True), [X, STATE], lengths, packed
    ),
    "GRU without batch": Case(lambda n: n.GRU(5, 6, 2), [(7, 5), (2, 6)], with_states),
}

# True keeps a key out. Every query keeps a key, because PyTorch gives NaN otherwise.
PADDING = np.arange(6) >= np.array([[6], [3], [5]])
FUTURE = np.arange(6) > np.arange(4)[:, None] + 2
SQUARE = np.arange(6) > np.arange(6)[:, None]
ADDED = np.random.default_rng(7).standard_normal((6, 4, 6))
QUERY, KEY = (4, 3, 8), (6, 3, 8)


def attending(**masks: np.ndarray) -> dict[str, Any]:
    """The call with these masks, for us and for PyTorch."""

    def call(layer: Any, *xs: Any) -> Any:
        return layer(*xs, **masks)

    def call_torch(layer: Any, *xs: Any) -> Any:
        there = {name: torch.tensor(mask) for name, mask in masks.items()}
        there = {n: m if m.dtype == torch.bool else m.to(xs[0].dtype) for n, m in there.items()}
        return layer(*xs, **there)

    return {"call": call, "call_torch": call_torch}


def itself(layer: Any, x: Any) -> Any:
    return layer(x, x, x)


def encoder_layer(**options: Any) -> Any:
    return lambda n: n.TransformerEncoderLayer(8, 2, 16, dropout=0.0, **options)


ATTENTION = {
    "MultiheadAttention": Case(lambda n: n.MultiheadAttention(8, 2), [QUERY, KEY, KEY]),
    "MultiheadAttention of itself": Case(lambda n: n.MultiheadAttention(8, 2), [KEY], itself),
    "MultiheadAttention batch first": Case(
        lambda n: n.MultiheadAttention(8, 4, batch_first=True, bias=False), [(3, 6, 8)], itself
    ),
    "MultiheadAttention without batch": Case(
        lambda n: n.MultiheadAttention(8, 2), [(4, 8), (6, 8), (6, 8)]
    ),
    "MultiheadAttention of other sizes": Case(
        lambda n: n.MultiheadAttention(8, 2, kdim=5, vdim=3), [QUERY, (6, 3, 5), (6, 3, 3)]
    ),
    "MultiheadAttention masked": Case(
        lambda n: n.MultiheadAttention(8, 2),
        [QUERY, KEY, KEY],
        **attending(key_padding_mask=PADDING, attn_mask=FUTURE),
    ),
    "MultiheadAttention biased by head": Case(
        lambda n: n.MultiheadAttention(8, 2),
        [QUERY, KEY, KEY],
        **attending(attn_mask=ADDED),
    ),
    "MultiheadAttention biased and padded": Case(
        lambda n: n.MultiheadAttention(8, 2),
        [QUERY, KEY, KEY],
        **attending(key_padding_mask=np.where(PADDING, -np.inf, 0.3), attn_mask=ADDED),
    ),
    "MultiheadAttention without weights": Case(
        lambda n: n.MultiheadAttention(8, 2),
        [QUERY, KEY, KEY],
        lambda layer, *xs: layer(*xs, need_weights=False),
    ),
    "MultiheadAttention weights by head": Case(
        lambda n: n.MultiheadAttention(8, 2),
        [QUERY, KEY, KEY],
        lambda layer, *xs: layer(*xs, average_attn_weights=False),
    ),
    "TransformerEncoderLayer": Case(encoder_layer(), [(6, 3, 8)]),
    "TransformerEncoderLayer norm first": Case(
        encoder_layer(norm_first=True, batch_first=True, activation="gelu"), [(3, 6, 8)]
    ),
    "TransformerEncoderLayer masked": Case(
        encoder_layer(norm_first=True, bias=False),
        [(6, 3, 8)],
        **attending(src_mask=SQUARE, src_key_padding_mask=PADDING),
    ),
    "TransformerEncoder": Case(
        lambda n: n.TransformerEncoder(encoder_layer(batch_first=True)(n), 2, n.LayerNorm(8)),
        [(3, 6, 8)],
        **attending(mask=SQUARE),
    ),
}

CASES = [pytest.param(case, id=name) for name, case in {**RECURRENT, **ATTENTION}.items()]


@pytest.mark.parametrize("case", CASES)
def test_eager_float64_is_torchs_to_1e_10(case: Case, tmp_path: Path) -> None:
    check_eager_float64(case, tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_compiled_float32_is_torchs_to_float32_tolerance(case: Case, tmp_path: Path) -> None:
    check_compiled_float32(case, tmp_path)


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


# Recurrent ----------------------------------------------------------------------------------------


def test_a_compiled_recurrent_layer_is_one_loop_each_way_whatever_the_length() -> None:
    layer = nn.GRU(3, 4)

    def gradient(x: Any) -> Any:
        layer.zero_grad()
        layer(x)[0].sum().backward()
        return [parameter.grad for parameter in layer.parameters()]

    short, long = (equations(gradient, floats(time, 2, 3)) for time in (5, 50))
    assert short == long
    assert short["scan"] == 2


def test_gradients_of_gradients_pass_through_a_compiled_recurrent_layer() -> None:
    layer, x = nn.LSTM(3, 4).to("float64"), floats(5, 2, 3).astype("float64")

    def penalty(x: Any) -> Any:
        layer.zero_grad()
        x = rg.Tensor(x, requires_grad=True)
        (layer(x)[0] ** 2).sum().backward(create_graph=True)
        slope = x.grad
        layer.zero_grad()
        (slope**2).sum().backward()
        return [parameter.grad for parameter in layer.parameters()]

    for eager, compiled in zip(penalty(x), rg.compile(penalty)(x), strict=True):
        assert np.abs(eager.numpy()).max() > 1e-3
        np.testing.assert_allclose(compiled.numpy(), eager.numpy(), rtol=1e-9, atol=1e-12)


def test_dropout_acts_between_layers_and_only_in_training() -> None:
    x = floats(4, 64, 3)
    one = nn.GRU(3, 8, 1, dropout=0.5)
    np.testing.assert_array_equal(one(x)[0].numpy(), one.eval()(x)[0].numpy())
    two = nn.GRU(3, 8, 2, dropout=0.5)
    assert (two(x)[0].numpy() != two.eval()(x)[0].numpy()).any()
    two.train()
    rg.manual_seed(1)
    eager = two(x)[0].numpy()
    rg.manual_seed(1)
    compiled = rg.compile(lambda x: two(x)[0])(x).numpy()
    np.testing.assert_allclose(compiled, eager, rtol=1e-5, atol=1e-6)


def test_what_stands_beyond_a_length_has_no_influence() -> None:
    layer, x = nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True), floats(3, 6, 3)
    short = np.array([2, 6, 0])
    changed = np.where(np.arange(6)[None, :, None] < short[:, None, None], x, 1e3)
    for run in (layer, rg.compile(lambda x, lengths: layer(x, lengths=lengths))):
        (out, (h, c)), (other, (h2, c2)) = (
            run(x, lengths=short),
            run(changed.astype("float32"), lengths=short),
        )
        np.testing.assert_array_equal(out.numpy(), other.numpy())
        np.testing.assert_array_equal(h.numpy(), h2.numpy())
        np.testing.assert_array_equal(c.numpy(), c2.numpy())
        assert not out.numpy()[0, 2:].any()
        assert not h.numpy()[:, 2].any()


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (lambda: nn.GRU(3, 4)(floats(5, 2, 4)), r"\(time, n, in\).*in = 3, found.*\(5, 2, 4\)"),
        (lambda: nn.GRU(3, 4)(floats(5, 2, 3), floats(1, 3, 4)), r"shape \(1, 2, 4\), found"),
        (lambda: nn.LSTM(3, 4)(floats(5, 2, 3), [floats(1, 2, 4)]), "expected 2 first states"),
        (lambda: nn.GRU(3, 4)(floats(5, 2, 3), lengths=np.array([1])), r"the shape \(2,\)"),
        (lambda: nn.RNN(3, 4, nonlinearity="sin"), "tanh or relu, found 'sin'"),
        (lambda: nn.GRU(3, 0), "at least 1, found 0"),
        (lambda: nn.GRU(3, 4, dropout=1.5), "between 0 and 1, found 1.5"),
        (lambda: nn.MultiheadAttention(8, 3), "multiple of num_heads, found 3"),
        (
            lambda: nn.MultiheadAttention(8, 2)(floats(4, 1, 8), floats(4, 1, 6), floats(4, 1, 6)),
            "end with 8, 8 and 8",
        ),
        (
            lambda: nn.MultiheadAttention(8, 2)(*[floats(4, 2, 8)] * 3, attn_mask=floats(4, 3)),
            r"attn_mask must have the shape \(4, 4\) or \(4, 4, 4\), found \(4, 3\)",
        ),
        (lambda: nn.TransformerEncoderLayer(8, 2, activation="cos"), "found 'cos'"),
        (lambda: nn.LearnedPositions(4, 8)(floats(2, 5, 8)), "5 is longer than max_length, 4"),
        (lambda: nn.RotaryPositions(5), "an even number, found 5"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(run: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        run()


def test_a_length_beyond_the_sequence_is_refused() -> None:
    with pytest.raises(IndexError, match="a length must be from 0 to 5, found 6"):
        nn.GRU(3, 4)(floats(5, 2, 3), lengths=np.array([1, 6]))


# Attention ----------------------------------------------------------------------------------------


def test_a_query_without_keys_gets_the_bias_alone_and_no_nan() -> None:
    layer, x = nn.MultiheadAttention(8, 2, batch_first=True), floats(2, 3, 8)
    out, weights = layer(x, x, x, key_padding_mask=np.array([[True] * 3, [False] * 3]))
    np.testing.assert_array_equal(out.numpy()[0], np.tile(layer.out_proj.bias.numpy(), (3, 1)))
    assert not weights.numpy()[0].any()
    np.testing.assert_allclose(weights.numpy()[1].sum(-1), 1, rtol=1e-6)


def test_is_causal_alone_is_the_causal_mask() -> None:
    layer, x = nn.MultiheadAttention(8, 2, batch_first=True), floats(2, 5, 8)
    masked = layer(x, x, x, attn_mask=~np.tri(5, dtype=bool))
    causal = layer(x, x, x, is_causal=True)
    padded = layer(x, x, x, is_causal=True, key_padding_mask=np.zeros((2, 5), bool))
    for found in (causal, padded):
        for mine, other in zip(found, masked, strict=True):
            np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)


def test_attention_weights_are_dropped_in_training_only() -> None:
    layer, x = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True), floats(2, 16, 8)
    dropped = layer(x, x, x, average_attn_weights=False)[1].numpy()
    assert 0.4 < (dropped == 0).mean() < 0.6
    assert (layer.eval()(x, x, x)[1].numpy() > 0).all()
    layer.train()
    same = [rg.manual_seed(0) or layer(x, x, x, need_weights=w)[0].numpy() for w in (True, False)]
    np.testing.assert_allclose(*same, rtol=1e-6)


# Positions ----------------------------------------------------------------------------------------


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
