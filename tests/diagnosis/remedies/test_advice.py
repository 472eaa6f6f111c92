"""Advice for one program: what fits it comes first, and says which values it takes."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import nn, optim
from retrograd.diagnosis.failures import CheckWarning

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 4)).astype(np.float32)


def test_a_softmax_over_one_output_is_told_to_be_a_sigmoid() -> None:
    def loss(output: rg.Tensor, target: rg.Tensor) -> rg.Tensor:
        p = rg.clip(output[:, 0], 1e-7, 1 - 1e-7)
        return nn.binary_cross_entropy(p, target.astype(np.float32))

    y = (X[:, 0] > 0).astype(np.int64)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.Softmax(1))
    found = {each.code: each for each in rg.diagnose(model, (X, y), loss=loss)}
    first = found["RG404"].remedies[0]
    assert first.change == "sigmoid_output"
    assert first.text.endswith("Here: Softmax -> Sigmoid at the end.")


def test_an_output_that_targets_exceed_loses_its_activation_first() -> None:
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())
    found = rg.diagnose(model, (X, 5 * X[:, :1]), loss=nn.mse_loss)
    (reach,) = [each for each in found if each.code == "RG404"]
    assert [each.change for each in reach.remedies] == [
        "remove_output_activation", "scale_target", "sigmoid_output", "widen_output",
    ]  # fmt: skip
    assert reach.remedies[0].text.endswith("Here: no Sigmoid at the end.")


def test_a_model_that_cannot_be_copied_gets_the_general_advice() -> None:
    class Stubborn(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last = nn.Linear(4, 1)
            nn.init.zeros_(self.last.weight)

        def __deepcopy__(self, memo: object) -> nn.Module:
            raise TypeError("not this one")

        def forward(self, x: rg.Tensor) -> rg.Tensor:
            return nn.functional.sigmoid(self.last(x))

    model = Stubborn()
    optimizer = optim.Adam(model.parameters())
    with pytest.warns(CheckWarning, match="not this one"):
        found = rg.diagnose(model, (X, 5 * X[:, :1]), loss=nn.mse_loss, optimizer=optimizer)
    (reach,) = [each for each in found if each.code == "RG404"]
    assert [each.change for each in reach.remedies if "Here:" in each.text] == []
