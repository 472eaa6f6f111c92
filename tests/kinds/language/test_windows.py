"""Windows ask for every character once, and the loss over them is the cross-entropy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd.kinds.language.windows import NextCharacter, TextWindows
from retrograd.tensor import Tensor


def text(length: int) -> Any:
    """Codes that tell their places."""
    return np.arange(length, dtype=np.int32)


@pytest.mark.parametrize("length", [2, 3, 9, 10, 11, 64, 65, 66, 200])
@pytest.mark.parametrize("context", [2, 5, 8, 64])
def test_each_character_is_measured_once_after_half_a_window(length: int, context: int) -> None:
    asked = []
    for (inputs,), target in TextWindows(text(length), context).parts(3):
        assert inputs.shape == target.shape == (len(inputs), context)
        assert len(inputs) <= 3
        row, place = np.nonzero(target >= 0)
        np.testing.assert_array_equal(target[row, place], inputs[row, place] + 1)
        is_first = inputs[row, 0] == 0
        assert (is_first | (place >= context - context // 2)).all()
        asked += target[row, place].tolist()
    assert sorted(asked) == list(range(1, length))


@pytest.mark.parametrize("length", [21, 100, 1003])
def test_an_epoch_goes_through_the_text_once_in_another_order_each_time(length: int) -> None:
    windows = TextWindows(text(length), 10)
    starts = []
    for epoch in range(2):
        calls = [call.arrays[0] for call in windows.calls(1, np.random.default_rng(epoch))]
        one = np.concatenate(calls).ravel()
        assert windows.steps(1) == len(windows) - 1
        # A few steps are left out, so that the calls are of one size.
        assert 0.95 * windows.steps(1) <= len(one) <= windows.steps(1)
        assert one.min() >= 0
        assert one.max() + 10 < length
        assert set(np.diff(np.sort(one)).tolist()) <= {10, 20}
        starts.append(one.tolist())
    if length > 100:
        assert starts[0] != starts[1]


def test_windows_begin_at_a_place_drawn_anew_each_epoch() -> None:
    windows = TextWindows(text(205), 10)
    begins = set()
    for epoch in range(40):
        (call,) = windows.calls(19, np.random.default_rng(epoch))
        begins |= set((call.arrays[0] % 10).ravel().tolist())
    assert begins == set(range(10))


def test_a_batch_is_gathered_within_the_compiled_step() -> None:
    windows = TextWindows(text(50) % 7, 6)
    gather = rg.compile(lambda starts: windows.batch(None, starts))
    ((inputs,), target) = gather(np.array([0, 13, 30], np.int32))
    for row, start in enumerate([0, 13, 30]):
        np.testing.assert_array_equal(inputs.numpy()[row], np.arange(start, start + 6) % 7)
        np.testing.assert_array_equal(target.numpy()[row], np.arange(start + 1, start + 7) % 7)


def test_loss_and_score_are_torchs_cross_entropy(rng: np.random.Generator) -> None:
    logits = rng.normal(0, 3, (4, 6, 5)).astype(np.float32)
    target = rng.integers(0, 5, (4, 6))
    flat = torch.tensor(logits).reshape(-1, 5)
    expected = torch.nn.functional.cross_entropy(flat, torch.tensor(target).ravel()).item()
    loss = NextCharacter().loss(Tensor(logits), Tensor(target))
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    target[:, :2] = -100
    expected = torch.nn.functional.cross_entropy(flat, torch.tensor(target).ravel()).item()
    assert NextCharacter().score(logits, target) == pytest.approx(expected, rel=1e-6)


def test_score_survives_logits_that_overflow_exp() -> None:
    logits = np.array([[[1000.0, 0.0], [0.0, -1000.0]]], np.float32)
    assert NextCharacter().score(logits, np.array([[0, 0]])) == 0
