"""What users build of layers: shared weights, several inputs and outputs, frozen parts, any Python.

Each network is written once for both libraries and compared with PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from support.beside_torch import Case, check_compiled_float32, check_eager_float64

import retrograd as rg
from retrograd import nn, optim


def network(build: Callable[[Any], dict[str, Any]], run: Callable[..., Any]) -> Any:
    """A Module of either library, with the layers that `build` makes and `run` as its forward."""

    def make(n: Any) -> Any:
        class Network(n.Module):
            def __init__(self) -> None:
                super().__init__()
                for name, layer in build(n).items():
                    setattr(self, name, layer)

            def forward(self, *inputs: Any) -> Any:
                return run(self, *inputs)

        return Network()

    return make


def twice(self: Any, x: Any) -> Any:
    return self.layer(self.layer(x).tanh())


def as_convolution(self: Any, x: Any) -> Any:
    """One weight in two roles: a layer's, and by itself."""
    return self.layer(x) @ self.layer.weight


def two_branches(self: Any, image: Any, sequence: Any) -> Any:
    """An image and a sequence in, a score and a vector out."""
    seen = self.pool(self.conv(image).relu() if hasattr(image, "relu") else self.conv(image))
    heard, _ = self.gru(sequence)
    both = self.join(seen.reshape(seen.shape[0], -1)) + heard[-1]
    return self.score(both), both


def by_shape(self: Any, x: Any) -> Any:
    """Python control flow on shapes: halve until it is short, with as many layers as that takes."""
    steps = 0
    while x.shape[1] > 2:
        half = x.shape[1] // 2
        x = self.layers[steps % len(self.layers)](x[:, :half] + x[:, half : 2 * half])
        steps += 1
    return x if x.shape[1] % 2 == 0 else -x


NETWORKS = {
    "a layer used twice": Case(network(lambda n: {"layer": n.Linear(4, 4)}, twice), [(3, 4)]),
    "a weight in two roles": Case(
        network(lambda n: {"layer": n.Linear(4, 6)}, as_convolution), [(3, 4)]
    ),
    "two inputs and two outputs": Case(
        network(
            lambda n: {
                "conv": n.Conv2d(2, 3, 3),
                "pool": n.AdaptiveAvgPool2d(2),
                "gru": n.GRU(4, 5),
                "join": n.Linear(12, 5),
                "score": n.Linear(5, 1),
            },
            two_branches,
        ),
        [(3, 2, 6, 6), (7, 3, 4)],
    ),
    "Python on shapes": Case(
        network(lambda n: {"layers": n.ModuleList([n.Linear(3, 3), n.LayerNorm(3)])}, by_shape),
        [(2, 13, 3)],
    ),
    "residuals of convolutions": Case(
        network(
            lambda n: {
                "first": n.Conv2d(2, 4, 3, padding=1, bias=False),
                "norm": n.BatchNorm2d(4),
                "second": n.Conv2d(4, 2, 3, padding=1),
                "pool": n.MaxPool2d(2),
            },
            lambda self, x: self.pool(x + self.second(self.norm(self.first(x)))),
        ),
        [(2, 2, 6, 6)],
    ),
}

CASES = [pytest.param(case, id=name) for name, case in NETWORKS.items()]


@pytest.mark.parametrize("case", CASES)
def test_eager_float64_is_torchs_to_1e_10(case: Case, tmp_path: Any) -> None:
    check_eager_float64(case, tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_compiled_float32_is_torchs_to_float32_tolerance(case: Case, tmp_path: Any) -> None:
    check_compiled_float32(case, tmp_path)


def test_another_length_takes_another_path_through_the_same_compiled_step() -> None:
    model = NETWORKS["Python on shapes"].layer(nn)
    step = rg.compile(lambda x: model(x))
    for length in (13, 6, 3, 13):
        x = np.random.default_rng(length).standard_normal((2, length, 3)).astype("f")
        np.testing.assert_allclose(step(x).numpy(), model(x).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("compiled", [False, True])
def test_frozen_layers_stay_and_pass_gradients_on_as_in_torch(compiled: bool) -> None:
    def build(n: Any) -> Any:
        model = n.Sequential(
            n.Conv1d(2, 4, 3), n.ReLU(), n.Conv1d(4, 4, 3), n.Flatten(), n.Linear(16, 2)
        )
        model[2].requires_grad_(False)
        return model

    torch.manual_seed(0)
    theirs, ours = build(torch.nn), build(nn)
    ours.load_state_dict(theirs.state_dict())
    before = ours.state_dict()
    x = np.random.default_rng(0).standard_normal((5, 2, 8)).astype("f")
    sgd = torch.optim.SGD([p for p in theirs.parameters() if p.requires_grad], lr=0.1)
    optimizer = optim.SGD([p for p in ours.parameters() if p.requires_grad], lr=0.1)

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = (ours(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    run = rg.compile(step) if compiled else step
    for _ in range(3):
        run(x)
        sgd.zero_grad()
        (theirs(torch.tensor(x)) ** 2).mean().backward()
        sgd.step()
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), rtol=1e-4, atol=1e-6)
        same = np.array_equal(ours.state_dict()[name], before[name])
        assert same == name.startswith("2."), name


def test_unfreezing_between_steps_trains_the_layer_from_then_on() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    model[0].requires_grad_(False)
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    @rg.compile
    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = (model(x) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    x = np.random.default_rng(0).standard_normal((5, 3)).astype("f")
    before = model[0].weight.numpy().copy()
    step(x)
    np.testing.assert_array_equal(model[0].weight.numpy(), before)
    model.requires_grad_()
    step(x)
    assert (model[0].weight.numpy() != before).all()
