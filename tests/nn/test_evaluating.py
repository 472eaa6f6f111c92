"""Whatever looks at a model in evaluation mode leaves each module in the mode it was in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.small_tables import houses, prepared

import retrograd as rg
from retrograd import nn
from retrograd.diagnosis.probes.operations import operations
from retrograd.kinds.images.pictures import attributed
from retrograd.kinds.table.importance import column_reasons
from retrograd.kinds.table.walkthrough import walk_through
from retrograd.nn import init
from retrograd.training.predictor import Predictor

RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int64)


def fine_tuned(*behind: nn.Module) -> nn.Sequential:
    """A network in training whose statistics are frozen."""
    model = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2), *behind
    ).train()
    model[1].eval()
    return model


def modes(model: nn.Module) -> list[bool]:
    return [module.training for module in model.modules()]


class Fails(nn.Module):
    def forward(self, x: Any) -> Any:
        raise ZeroDivisionError


class InEvaluation(nn.Module):
    """Asks that it is looked at in evaluation mode."""

    def forward(self, x: Any) -> Any:
        assert not self.training
        return x


PLACES: dict[str, Callable[[nn.Module], Any]] = {
    "Predictor": lambda model: Predictor(model)((X,)),
    "operations": lambda model: operations(model, (X,)),
    "lsuv_": lambda model: init.lsuv_(model, rg.Tensor(X)),
    "pictures": lambda model: attributed(
        nn.Sequential(nn.Flatten(), model), X.reshape(64, 1, 2, 2), np.zeros((1, 2, 2)), Y
    ),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_each_module_is_evaluated_and_gets_its_own_mode_back(place: Any) -> None:
    model = fine_tuned(InEvaluation())
    before = modes(model)
    place(model)
    assert modes(model) == before


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_also_after_an_error(place: Any) -> None:
    model = fine_tuned(Fails())
    before = modes(model)
    with pytest.raises(ZeroDivisionError):
        place(model)
    assert modes(model) == before


def test_evaluating_gives_the_model_and_its_modes_back() -> None:
    model = fine_tuned()
    before = modes(model)
    with nn.evaluating(model) as same:
        assert same is model
        assert not any(modes(model))
    assert modes(model) == before


def test_a_diagnosis_leaves_frozen_statistics_frozen() -> None:
    model = fine_tuned()
    before = modes(model)
    rg.diagnose(model, (X, Y), loss=nn.cross_entropy)
    assert modes(model) == before


def test_explaining_a_table_leaves_the_networks_modes() -> None:
    table = houses(60)
    run = prepared(table, "price", epochs=1)
    network = run.model.network.train()
    list(network.modules())[1].eval()
    before = modes(network)
    assert len(set(before)) == 2
    column_reasons(run.model, run.split.validation, np.array([0, 7]))
    assert modes(network) == before
    walk_through(run.model, table, 1, max_steps=2)
    assert modes(network) == before
