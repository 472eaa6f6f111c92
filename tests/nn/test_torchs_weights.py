"""Layers read PyTorch's weights and give PyTorch's outputs and gradients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support.beside_torch import Case, check_compiled_float32, check_eager_float64

SIGNAL, IMAGE, VOLUME = (3, 4, 9), (2, 4, 7, 6), (2, 4, 5, 4, 6)

SPATIAL = {
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

CASES = [
    pytest.param(case, id=name) for name, case in {**SPATIAL, **RECURRENT, **ATTENTION}.items()
]


@pytest.mark.parametrize("case", CASES)
def test_eager_float64_is_torchs_to_1e_10(case: Case, tmp_path: Path) -> None:
    check_eager_float64(case, tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_compiled_float32_is_torchs_to_float32_tolerance(case: Case, tmp_path: Path) -> None:
    check_compiled_float32(case, tmp_path)
