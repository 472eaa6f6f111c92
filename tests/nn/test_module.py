"""A module collects what is assigned to it, changes all of it at once, and prints itself."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from support.networks import floats, small_network

import retrograd as rg
from retrograd import nn, optim
from retrograd.autodiff.hooks import hooks


class Twins(nn.Module):
    """Two names for one layer, and a scale of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = self.first
        self.scale = rg.Parameter(np.ones(3, np.float32))
        self.register_buffer("offset", np.zeros(3, np.float32))
        self.register_buffer("absent", None)

    def forward(self, x: Any) -> Any:
        return self.second(self.first(x)) * self.scale + self.offset


# What belongs to a module -------------------------------------------------------------------------


def test_a_shared_parameter_comes_once_but_is_saved_under_both_names() -> None:
    model = Twins()
    assert [name for name, _ in model.named_parameters()] == [
        "scale",
        "first.weight",
        "first.bias",
    ]
    assert len(list(model.parameters())) == 3
    assert list(model.state_dict()) == [
        "scale",
        "offset",
        "first.weight",
        "first.bias",
        "second.weight",
        "second.bias",
    ]


def test_a_shared_parameter_gathers_the_gradients_of_both_uses() -> None:
    model, x = Twins().to("float64"), floats(5, 3).astype(np.float64)
    twin = torch.nn.Linear(3, 3, dtype=torch.float64)
    state = {
        name: torch.from_numpy(model.state_dict()[f"first.{name}"]) for name in ("weight", "bias")
    }
    twin.load_state_dict(state)
    model(x).sum().backward()
    twin(twin(torch.from_numpy(x))).sum().backward()
    np.testing.assert_allclose(model.first.weight.grad.numpy(), twin.weight.grad.numpy())


def test_walking_a_model_visits_what_torch_visits() -> None:
    ours, theirs = small_network(nn), small_network(torch.nn)

    def names(pairs: Any) -> list[str]:
        return [name for name, _ in pairs]

    assert names(ours.named_modules()) == names(theirs.named_modules())
    assert names(ours.named_children()) == names(theirs.named_children())
    assert names(ours.named_buffers()) == names(theirs.named_buffers())
    assert names(ours.named_parameters("net")) == names(theirs.named_parameters("net"))
    assert names(ours.named_parameters(recurse=False)) == []
    assert [type(m).__name__ for m in ours.modules()] == [
        type(m).__name__ for m in theirs.modules()
    ]


def test_apply_goes_from_the_inside_out() -> None:
    seen: list[str] = []
    small_network(nn).apply(lambda module: seen.append(type(module).__name__))
    expected: list[str] = []
    small_network(torch.nn).apply(lambda module: expected.append(type(module).__name__))
    assert seen == expected


def test_parameters_before_init_are_refused() -> None:
    class Hasty(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(2, 2)
            super().__init__()

    with pytest.raises(AttributeError, match=r"Hasty: call super\(\).__init__\(\) before.*layer"):
        Hasty()


def test_a_plain_tensor_cannot_take_a_parameters_place() -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(TypeError, match=r"weight is a Parameter.*module.weight.data = array"):
        layer.weight = rg.Tensor(floats(2, 2))
    layer.weight = rg.Parameter(floats(2, 2))
    layer.bias = None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]


@pytest.mark.parametrize("container", [list, tuple, lambda layers: dict(enumerate(layers))])
def test_modules_in_a_plain_container_are_refused(container: Any) -> None:
    module = nn.Module()
    with pytest.raises(TypeError, match=r"not found by parameters.*ModuleList"):
        module.layers = container([nn.Linear(2, 2)])
    module.sizes = container([1, 2])


def test_a_module_without_forward_says_what_to_write() -> None:
    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty has no forward\(\)"):
        Empty()(1)


# Changing all of it -------------------------------------------------------------------------------


def test_train_and_eval_reach_every_module() -> None:
    model = small_network(nn)
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    model.train()
    assert all(module.training for module in model.modules())


def test_a_compiled_step_follows_the_mode() -> None:
    model, x = nn.Sequential(nn.Dropout(0.5)), np.ones((100, 10), np.float32)
    run = rg.compile(lambda x: model(x))
    assert set(np.unique(run(x).numpy())) == {0.0, 2.0}
    model.eval()
    assert set(np.unique(run(x).numpy())) == {1.0}
    model.train()
    assert set(np.unique(run(x).numpy())) == {0.0, 2.0}


@pytest.mark.parametrize("compiled", [False, True])
def test_frozen_parameters_receive_no_gradient(compiled: bool) -> None:
    model, x = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)), floats(5, 3)

    def backward(x: Any) -> None:
        model.zero_grad()
        model(x).sum().backward()

    run = rg.compile(backward) if compiled else backward
    run(x)
    assert all(parameter.grad is not None for parameter in model.parameters())
    model[0].requires_grad_(False)
    run(x)
    assert [name for name, p in model.named_parameters() if p.grad is None] == [
        "0.weight",
        "0.bias",
    ]
    model.requires_grad_()
    run(x)
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_to_changes_what_is_floating_and_gradients_follow() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    model(floats(4, 3)).sum().backward()
    model[0].bias.requires_grad = False
    assert model.to(np.float64) is model
    assert {name: str(value.dtype) for name, value in model.state_dict().items()} == {
        "0.weight": "float64",
        "0.bias": "float64",
        "1.weight": "float64",
        "1.bias": "float64",
        "1.running_mean": "float64",
        "1.running_var": "float64",
        "1.num_batches_tracked": "int64",
    }
    assert not model[0].bias.requires_grad
    assert model[0].weight.grad is None
    model(floats(4, 3).astype(np.float64)).sum().backward()
    assert model[0].weight.grad.dtype == np.float64
    with pytest.raises(TypeError, match="cannot become int32"):
        model.astype("int32")


# Watching and printing ----------------------------------------------------------------------------


def test_an_observer_sees_outputs_and_cotangents_in_both_engines() -> None:
    model, x = nn.Sequential(nn.Linear(3, 2), nn.Tanh()), floats(4, 3)

    def watch(x: Any) -> Any:
        outputs, probes = [], []

        def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> Any:
            outputs.append(output.detach())
            probes.append(rg.Tensor(np.zeros(output.shape, np.float32), requires_grad=True))
            return output + probes[-1]  # a leaf of zeros, whose gradient is the cotangent

        with hooks(module=note):
            total = model(x).sum()
        total.backward()
        return outputs, [probe.grad for probe in probes]

    outputs, cotangents = watch(x)
    linear, activated, whole = (output.numpy() for output in outputs)
    np.testing.assert_allclose(np.tanh(linear), activated, rtol=1e-6)
    np.testing.assert_array_equal(activated, whole)
    np.testing.assert_allclose(cotangents[0].numpy(), 1 - np.square(activated), rtol=1e-6)
    for mine, eager in zip(rg.compile(watch)(x), (outputs, cotangents), strict=True):
        for each, expected in zip(mine, eager, strict=True):
            np.testing.assert_allclose(each.numpy(), expected.numpy(), rtol=1e-5, atol=1e-7)


def test_a_step_compiled_without_an_observer_is_traced_anew_with_one() -> None:
    model, x, seen = nn.Sequential(nn.Linear(3, 2)), floats(4, 3), []
    run = rg.compile(lambda x: model(x))

    def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> Any:
        seen.append(type(module).__name__)
        return output * 0

    plain = run(x).numpy()
    with hooks(module=note):
        assert not run(x).numpy().any()
    assert set(seen) == {"Linear", "Sequential"}
    np.testing.assert_array_equal(run(x).numpy(), plain)


def test_a_printed_model_shows_shapes_and_counts() -> None:
    model = small_network(nn)
    model[0].requires_grad_(False)
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Linear(in_features=4, out_features=8, bias=True)"
        "  # weight (8, 4), bias (8,): 40\n"
        "  (1): BatchNorm1d(8, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)"
        "  # weight (8,), bias (8,): 16\n"
        "  (2): ReLU()\n"
        "  (3): Sequential(\n"
        "    (inner): Linear(in_features=8, out_features=8, bias=True)"
        "  # weight (8, 8), bias (8,): 72\n"
        "    (norm): LayerNorm((8,), eps=1e-05, elementwise_affine=True, bias=True)"
        "  # weight (8,), bias (8,): 16\n"
        "  )\n"
        "  (4): Linear(in_features=8, out_features=2, bias=False)  # weight (2, 8): 16\n"
        ")  # 160 parameters, 40 of them frozen"
    )


@pytest.mark.parametrize(
    "build",
    [
        small_network,
        lambda n: n.Sequential(n.Dropout(0.2), n.Flatten(), n.Embedding(5, 2, padding_idx=1)),
        lambda n: n.ModuleList([n.ELU(), n.LeakyReLU(), n.SELU(), n.GELU(), n.SiLU(), n.Mish()]),
        lambda n: n.ModuleList([n.Tanh(), n.Sigmoid(), n.Softplus(), n.Softmax(1), n.ReLU6()]),
        lambda n: n.ModuleList([n.LogSoftmax(1), n.Hardtanh(), n.Identity(), n.MSELoss()]),
    ],
)
def test_without_its_notes_a_printed_model_is_torchs(build: Any) -> None:
    ours = [line.split("  # ")[0] for line in repr(build(nn)).split("\n")]
    theirs = repr(build(torch.nn)).replace(", inplace=False", "")
    theirs = theirs.replace("affine=True, bias=True, track", "affine=True, track")
    assert ours == theirs.split("\n")


def test_a_module_and_its_optimizer_are_pickled_together() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    model[2].weight.requires_grad = False
    optimizer = optim.Adam(model[0].parameters(), lr=0.1)
    x = rg.Tensor(np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32))

    def step(model: Any, optimizer: Any) -> None:
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()

    step(model, optimizer)
    twins = pickle.loads(pickle.dumps((model, optimizer)))
    assert not twins[0][2].weight.requires_grad
    for pair in ((model, optimizer), twins):
        step(*pair)
    for mine, right in zip(
        twins[0].state_dict().values(), model.state_dict().values(), strict=True
    ):
        np.testing.assert_array_equal(mine, right)
