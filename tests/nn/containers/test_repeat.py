"""`Repeat` is its blocks one after another, in one loop whose program does not grow with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from support.programs import equations

import retrograd as rg
from retrograd import nn, optim
from retrograd.autodiff.hooks import hooks

Array = np.ndarray[Any, Any]


def floats(*shape: int, dtype: str = "float32") -> Array:
    return np.random.default_rng(0).standard_normal(shape).astype(dtype)


class Block(nn.Module):
    """Has all that a block may have: weights, running statistics, random numbers, another input."""

    def __init__(self, drop: float = 0.25) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(6)
        self.inner = nn.Linear(6, 6)
        self.drop = nn.Dropout(drop)

    def forward(self, x: Any, shift: Any = 0.0) -> Any:
        return x + self.drop(self.inner(self.norm(x) + shift).tanh())


class Unrolled(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(n))

    def forward(self, x: Any, shift: Any = 0.0) -> Any:
        for block in self.blocks:
            x = block(x, shift)
        return x


class Repeated(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.blocks = nn.Repeat(Block, n)

    def forward(self, x: Any, shift: Any = 0.0) -> Any:
        return self.blocks(x, shift)


def gradients(model: nn.Module, compiled: bool) -> tuple[list[Array], dict[str, Array]]:
    """The loss and the input's gradients, and those of the parameters as a state would name them.

    The inputs are such that the blocks' second argument has a gradient too.
    """

    def run(x: Any, shift: Any) -> Any:
        model.zero_grad()
        x, shift = rg.Tensor(x, requires_grad=True), rg.Tensor(shift, requires_grad=True)
        loss = (model(x, shift) ** 2).sum()
        loss.backward()
        return [loss, x.grad, shift.grad], [p.grad for p in model.parameters()]

    rg.manual_seed(5)
    x = floats(8, 6, dtype="float64")
    first, grads = (rg.compile(run) if compiled else run)(x, 0.1 * x[0])
    names = [name for name, _ in model.named_parameters()]
    return [each.numpy() for each in first], {
        name: grad.numpy() for name, grad in zip(names, grads, strict=True)
    }


@pytest.mark.parametrize("compiled", [False, True])
def test_it_equals_the_blocks_in_a_list_with_buffers_random_numbers_and_gradients(
    compiled: bool,
) -> None:
    unrolled, repeated = Unrolled(3).to("float64"), Repeated(3).to("float64")
    state = unrolled.state_dict()
    assert list(repeated.state_dict()) == list(state)
    repeated.load_state_dict(state)
    expected, their_grads = gradients(unrolled, compiled=False)
    key = rg.random.default_key.numpy().copy()
    found, our_grads = gradients(repeated, compiled)
    np.testing.assert_array_equal(rg.random.default_key.numpy(), key)
    for mine, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-10, atol=1e-10)
    for name, grad in our_grads.items():
        rest = name.removeprefix("blocks.block.")
        stacked = np.stack([their_grads[f"blocks.{i}.{rest}"] for i in range(3)])
        np.testing.assert_allclose(grad, stacked, rtol=1e-10, atol=1e-10, err_msg=name)
    after = unrolled.state_dict()
    assert (after["blocks.2.norm.running_mean"] != state["blocks.2.norm.running_mean"]).any()
    for name, value in repeated.state_dict().items():
        np.testing.assert_allclose(value, after[name], rtol=1e-10, atol=1e-10, err_msg=name)


def test_a_torch_encoder_loads_into_it_and_gives_torchs_outputs_and_gradients(
    tmp_path: Any,
) -> None:
    torch.manual_seed(0)

    def layer(n: Any) -> Any:
        return n.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, norm_first=True)

    theirs = torch.nn.ModuleList(layer(torch.nn) for _ in range(3)).double()
    safetensors.torch.save_file(theirs.state_dict(), tmp_path / "layers.safetensors")
    ours = nn.Repeat(lambda: layer(nn), 3).to("float64")
    ours.load_state_dict(safetensors.numpy.load_file(tmp_path / "layers.safetensors"))
    x = floats(2, 5, 8, dtype="float64")
    y = torch.tensor(x)
    for block in theirs:
        y = block(y)
    (y**2).sum().backward()

    def run(x: Any) -> Any:
        ours.zero_grad()
        out = ours(x)
        (out**2).sum().backward()
        return out, [p.grad for p in ours.parameters()]

    named = [dict(block.named_parameters()) for block in theirs]
    for step in (run, rg.compile(run)):
        out, grads = step(x)
        np.testing.assert_allclose(out.numpy(), y.detach().numpy(), rtol=1e-10, atol=1e-10)
        for (name, _), grad in zip(ours.block.named_parameters(), grads, strict=True):
            expected = np.stack([each[name].grad.numpy() for each in named])
            np.testing.assert_allclose(grad.numpy(), expected, rtol=1e-9, atol=1e-10)


def test_its_program_is_as_long_for_24_blocks_as_for_12() -> None:
    def step_of(depth: int) -> Any:
        model = nn.Repeat(lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), depth)
        optimizer = optim.Adam(model.parameters())

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return step

    half, full = (equations(step_of(n), floats(2, 4, 8)) for n in (12, 24))
    assert half["scan"] == full["scan"] == 2  # forward and backward
    # Not quite equal: how many of a step's Variables travel in one array depends on their sizes.
    assert sum(full.values()) <= 1.05 * sum(half.values())


def test_an_observer_sees_every_block_in_a_compiled_step() -> None:
    model, x = nn.Repeat(lambda: nn.Linear(3, 3), 4), floats(2, 3)
    seen: list[str] = []

    def watch(module: nn.Module, inputs: Any, output: Any) -> Any:
        seen.append(type(module).__name__)
        return output

    step = rg.compile(lambda x: model(x))
    expected = step(x).numpy()
    with hooks(module=watch):
        watched = step(x).numpy()
    assert seen[-5:] == ["Linear"] * 4 + ["Repeat"]
    np.testing.assert_allclose(watched, expected, rtol=1e-6)


def test_blocks_draw_their_own_weights_from_a_function_and_share_those_of_a_module() -> None:
    drawn = nn.Repeat(lambda: nn.Linear(3, 3), 2).state_dict()
    assert (drawn["0.weight"] != drawn["1.weight"]).all()
    given = nn.Linear(3, 3)
    copied = nn.Repeat(given, 2)
    for i in range(2):
        np.testing.assert_array_equal(copied.state_dict()[f"{i}.weight"], given.weight.numpy())
    assert given.weight.shape == (3, 3)


def test_freezing_types_modes_and_sharing_reach_the_blocks() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.up = nn.Linear(4, 4, bias=False), nn.Linear(4, 4)
            self.up.weight = self.down.weight

        def forward(self, x: Any) -> Any:
            return self.up(self.down(x).tanh())

    model, x = nn.Repeat(Tied, 3), floats(2, 4)
    assert [p.shape for p in model.parameters()] == [(3, 4, 4), (3, 4)]
    assert sorted(model.state_dict())[:3] == ["0.down.weight", "0.up.bias", "0.up.weight"]
    model.block.up.bias.requires_grad = False

    def step(x: Any) -> Any:
        model.zero_grad()
        model(x).sum().backward()
        return [p.grad for p in model.parameters()]

    for (mine, none), (other, still) in [(step(x), rg.compile(step)(x))]:
        assert none is None
        assert still is None
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-5)
    assert not model.eval().block.up.training
    assert model.to("float64").state_dict()["2.up.bias"].dtype == np.float64


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: nn.Repeat(nn.ReLU(), 0), "n must be at least 1, found 0"),
        (
            lambda: nn.Repeat(iter([nn.Linear(2, 2), nn.Linear(2, 3)]).__next__, 2),
            r"(?s)block 0 is.*out_features=2.*block 1 is.*out_features=3",
        ),
        (lambda: nn.Repeat(nn.Repeat(nn.Linear(2, 2), 2), 2), "cannot contain a Repeat"),
    ],
)
def test_blocks_that_are_not_equal_are_refused(make: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()


def test_a_block_that_changes_the_shape_is_refused_when_compiled() -> None:
    model = nn.Repeat(nn.Flatten(), 2)
    with pytest.raises(ValueError, match=r"float32\[2, 3, 4\].*float32\[2, 12\]"):
        rg.compile(lambda x: model(x))(floats(2, 3, 4))


def test_blocks_without_parameters_run_as_often() -> None:
    class Double(nn.Module):
        def forward(self, x: Any) -> Any:
            return 2 * x

    model, x = nn.Repeat(Double, 5), floats(3)
    np.testing.assert_array_equal(model(x).numpy(), 32 * x)
    np.testing.assert_array_equal(rg.compile(lambda x: model(x))(x).numpy(), 32 * x)
