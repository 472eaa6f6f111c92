"""A predictor gives every row's output, whatever their number, in evaluation mode."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn
from retrograd.training import predictor
from retrograd.training.predictor import Predictor


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 4, 5, 8, 11])
def test_all_rows_are_answered_in_their_order(monkeypatch, rows: int) -> None:
    monkeypatch.setattr(predictor, "ROWS_PER_CALL", 4)
    seen = []

    class Double(nn.Module):
        def forward(self, x, y):
            seen.append(x.shape[0])
            return rg.multiply(x, 2.0) + y

    x = np.arange(3 * rows, dtype=np.float32).reshape(rows, 3)
    found = Predictor(Double())((x, x[:, :1]))
    np.testing.assert_array_equal(found, x * 2 + x[:, :1])
    # Calls have a power of two of rows, at most the limit, so that few programs serve all.
    assert set(seen) == {1 if rows <= 1 else min(4, 2 ** int(np.ceil(np.log2(rows))))}


def test_a_call_takes_1024_rows() -> None:
    assert predictor.ROWS_PER_CALL == 1024


def test_evaluation_mode_holds_for_the_call_and_nothing_is_recorded() -> None:
    seen = []

    class Watch(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = rg.Parameter([1.0])

        def forward(self, x):
            out = x * self.weight
            seen.append((self.training, out.requires_grad))
            return out

    model = Watch()
    x = np.ones((2, 1), np.float32)
    for training in (True, False):
        model.train(training)
        Predictor(model)((x,))
        assert model.training is training
    assert set(seen) == {(False, False)}


def test_the_mode_comes_back_after_an_error() -> None:
    class Breaks(nn.Module):
        def forward(self, x):
            raise ValueError("broken")

    model = Breaks()
    with pytest.raises(ValueError, match="broken"):
        Predictor(model)((np.ones((2, 1), np.float32),))
    assert model.training
