"""Hooks: one stack that nests, and those of a tensor beside PyTorch's."""

from __future__ import annotations

import copy
import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import retrograd as rg
from retrograd import nn, optim
from retrograd.autodiff.hooks import hooks


@pytest.fixture
def no_garbage_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


# The stack ----------------------------------------------------------------------------------------


def test_nested_listeners_are_each_told_the_outermost_first() -> None:
    told: list[tuple[str, str]] = []

    def named(who: str) -> Any:
        return lambda applied, operands, attributes, output: told.append((who, applied.name))

    with hooks(operation=named("outer")):
        with hooks(operation=named("inner")):
            rg.exp(rg.Tensor([1.0]))
        rg.log(rg.Tensor([1.0]))
    assert told == [("outer", "exp"), ("inner", "exp"), ("outer", "log")]
    assert hooks.active == ()


def test_the_stack_is_as_it_was_after_an_error_in_a_hook_or_in_the_block() -> None:
    def fails(*_: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), hooks(), hooks(operation=fails):
        rg.exp(rg.Tensor([1.0]))
    assert hooks.active == ()


def test_what_a_hook_computes_is_not_reported_and_takes_the_outputs_place() -> None:
    seen: list[str] = []

    def doubled(applied: Any, operands: Any, attributes: Any, output: Any) -> Any:
        seen.append(applied.name)
        return output * 2

    with hooks(operation=doubled), hooks(operation=doubled):
        out = rg.exp(rg.Tensor([0.0]))
    assert seen == ["exp", "exp"]
    assert out.item() == 4


def test_nobody_listens_in_a_muted_block_or_in_another_thread() -> None:
    seen: list[str] = []

    def note(applied: Any, *_: Any) -> None:
        seen.append(applied.name)

    with hooks(operation=note):
        with hooks.muted():
            rg.exp(rg.Tensor([1.0]))
        thread = threading.Thread(target=lambda: rg.exp(rg.Tensor([1.0])))
        thread.start()
        thread.join()
        rg.log(rg.Tensor([1.0]))
    assert seen == ["log"]


def test_a_step_is_told_in_the_order_in_which_it_happens() -> None:
    model = nn.Sequential(nn.Linear(2, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    told: list[str] = []
    events = ("enter", "module", "backward", "pull", "clip", "update", "step")
    with hooks(**{event: lambda *_, event=event: told.append(event) for event in events}):
        loss = model(np.ones((3, 2), np.float32)).sum()
        loss.backward()
        optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    pulls = told.count("pull")
    assert pulls >= 2
    expected = ["enter", "enter", "module", "module", "backward", *["pull"] * pulls]
    assert told == [*expected, "clip", "update", "update", "step"]


def test_a_pull_hook_sees_the_vector_jacobian_product_of_each_edge() -> None:
    x, y = rg.Tensor([2.0], requires_grad=True), rg.Tensor([3.0], requires_grad=True)
    pulled: list[list[float]] = []
    with hooks(pull=lambda node, g, pairs: pulled.append([each.item() for _, each in pairs])):
        (x * y).backward()
    assert pulled == [[3.0, 2.0]]


def test_a_compiled_step_is_traced_anew_for_other_listeners() -> None:
    seen: list[str] = []

    def note(applied: Any, *_: Any) -> None:
        seen.append(applied.name)

    step = rg.compile(lambda x: rg.exp(x))
    step(np.ones(2, np.float32))
    with hooks(operation=note):
        step(np.ones(2, np.float32))
    assert "exp" in seen
    seen.clear()
    step(np.ones(2, np.float32))
    with hooks(operation=note):
        step(np.ones(2, np.float32))  # the program that is there
    assert seen == []


# Hooks on tensors, beside PyTorch -----------------------------------------------------------------


def pass_through(library: Any, leaf: Any, log: list[Any], where: str, answer: Any) -> Any:
    """One backward pass with a hook on the leaf or on an inner tensor that is used twice."""
    inner = leaf * 3.0
    tensor = leaf if where == "leaf" else inner

    def hook(gradient: Any) -> Any:
        log.append(np.array(gradient.detach().numpy()))
        return answer(gradient)

    handle = tensor.register_hook(hook)
    (inner * inner + inner).sum().backward()
    return handle


ANSWERS = {
    "nothing": lambda g: None,
    "twice": lambda g: g * 2,
    "zero": lambda g: g * 0,
}


@pytest.mark.parametrize("where", ["leaf", "inner"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_hook_sees_and_changes_the_gradient_as_in_pytorch(where: str, answer: Any) -> None:
    values = np.array([1.0, -2.0], np.float32)
    mine, theirs = rg.Tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    logs: tuple[list[Any], list[Any]] = ([], [])
    for _ in range(2):  # the second adds to .grad
        handles = [
            pass_through(library, leaf, log, where, answer)
            for library, leaf, log in zip((rg, torch), (mine, theirs), logs, strict=True)
        ]
    np.testing.assert_array_equal(logs[0], logs[1])
    np.testing.assert_array_equal(mine.grad.numpy(), theirs.grad.numpy())
    for handle in handles:
        handle.remove()
        handle.remove()  # nothing happens


def test_hooks_run_in_their_order_until_they_are_removed_as_in_pytorch() -> None:
    found = []
    for make in (rg.Tensor, torch.tensor):
        x = make([1.0], requires_grad=True)
        first = x.register_hook(lambda g: g + 1)
        x.register_hook(lambda g: g * 10)
        (x * 2.0).sum().backward()
        first.remove()
        (x * 2.0).sum().backward()
        found.append(x.grad.numpy().item())
    assert found == [30.0 + 20.0] * 2


def test_a_hook_is_part_of_a_gradient_of_a_gradient_as_in_pytorch() -> None:
    def twice(x: Any) -> Any:
        y = x * x
        y.register_hook(lambda g: g * g)
        return (y * x).sum()

    x, z = rg.Tensor([2.0], requires_grad=True), torch.tensor([2.0], requires_grad=True)
    twice(x).backward(create_graph=True)
    slope, x.grad = x.grad, None
    slope.sum().backward()
    (expected,) = torch.autograd.grad(twice(z), z, create_graph=True)
    (curvature,) = torch.autograd.grad(expected.sum(), z)
    assert (slope.item(), x.grad.item()) == (expected.item(), curvature.item())


def test_each_result_of_an_operation_with_several_has_its_own_hook() -> None:
    found = []
    for make, split in ((rg.Tensor, rg.split), (torch.tensor, torch.split)):
        x = make([1.0, 2.0], requires_grad=True)
        first, second = split(x, 1)
        first.register_hook(lambda g: g * 5)
        (first * 2 + second * 3).sum().backward()
        found.append(x.grad.numpy().tolist())
    assert found == [[10.0, 3.0]] * 2


def test_hooks_in_a_compiled_step_are_part_of_it() -> None:
    w = rg.Parameter(np.array([1.0, -2.0], np.float32))

    @rg.compile
    def step(x: Any) -> Any:
        w.grad = None
        inner = w * x
        inner.register_hook(lambda g: g * 2)
        (inner * inner).sum().backward()
        return w.grad

    x = np.array([3.0, 4.0], np.float32)
    plain = np.asarray(step(x))
    np.testing.assert_allclose(plain, 4 * w.numpy() * x * x, rtol=1e-6)
    handle = w.register_hook(lambda g: g + 1)  # registered later: the step is traced anew
    np.testing.assert_allclose(np.asarray(step(x)), plain + 1, rtol=1e-6)
    handle.remove()
    np.testing.assert_array_equal(np.asarray(step(x)), plain)


def test_a_hook_moves_with_a_parameter_to_another_dtype() -> None:
    layer = nn.Linear(1, 1)
    handle = layer.weight.register_hook(lambda g: g * 0)
    layer.to("float64")
    layer(np.ones((1, 1))).sum().backward()
    assert layer.weight.grad.item() == 0
    handle.remove()
    layer.zero_grad()
    layer(np.ones((1, 1))).sum().backward()
    assert layer.weight.grad.item() == 1


def test_a_hook_keeps_no_graph_alive(no_garbage_collector: None) -> None:
    x = rg.Tensor([1.0], requires_grad=True)
    y = rg.exp(x)
    handle = y.register_hook(lambda g: g)
    node = weakref.ref(y._node)
    del y
    assert node() is None
    handle.remove()


def test_a_hook_where_no_gradient_flows_is_refused() -> None:
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        rg.Tensor([1.0]).register_hook(lambda g: g)


@pytest.mark.parametrize("answer", [3.0, np.ones(1), rg.Tensor([1.0, 2.0])])
def test_a_hook_that_returns_something_else_is_named(answer: Any) -> None:
    x = rg.Tensor([1.0], requires_grad=True)
    x.register_hook(lambda g: answer)
    with pytest.raises(ValueError, match=r"register_hook.*shape \(1,\)"):
        (x * 2).backward()


# Hooks on modules, beside PyTorch -----------------------------------------------------------------


class Doubled:
    """The same network in both libraries, with hooks that log and change what passes."""

    def __init__(self, library: Any) -> None:
        self.model = library.Sequential(library.Linear(2, 2), library.Tanh())
        self.log: list[str] = []

    def register(self) -> list[Any]:
        linear, tanh = self.model[0], self.model[1]
        return [
            linear.register_forward_pre_hook(lambda module, args: (args[0] * 2,)),
            linear.register_forward_pre_hook(lambda module, args: args[0] + 1),
            tanh.register_forward_pre_hook(lambda module, args: self.log.append(len(args))),
            tanh.register_forward_hook(lambda module, args, output: output * args[0]),
            tanh.register_forward_hook(lambda module, args, output: output + 1),
            self.model.register_forward_hook(lambda *_: self.log.append("whole")),
        ]


@pytest.mark.parametrize("compiled", [False, True])
def test_module_hooks_change_inputs_and_outputs_as_in_pytorch(compiled: bool) -> None:
    mine, theirs = Doubled(nn), Doubled(torch.nn)
    mine.model.load_state_dict({k: v.numpy() for k, v in theirs.model.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    run = rg.compile(lambda x: mine.model(x)) if compiled else lambda x: mine.model(rg.Tensor(x))
    before = run(x).numpy()
    handles, others = mine.register(), theirs.register()
    for removed in range(len(handles) + 1):
        expected = theirs.model(torch.from_numpy(x)).detach().numpy()
        np.testing.assert_allclose(run(x).numpy(), expected, rtol=1e-5, atol=1e-6)
        if removed < len(handles):
            handles[removed].remove()
            others[removed].remove()
    np.testing.assert_array_equal(run(x).numpy(), before)
    if not compiled:
        assert mine.log == theirs.log


def test_a_copied_module_keeps_its_hooks() -> None:
    layer = nn.Linear(1, 1)
    layer.register_forward_hook(lambda module, args, output: output * 0)
    assert copy.deepcopy(layer)(np.ones((1, 1), np.float32)).item() == 0


def test_a_hook_in_a_compiled_repeat_is_part_of_its_loop() -> None:
    model, x = nn.Repeat(lambda: nn.Linear(2, 2), 3), np.ones((1, 2), np.float32)
    model.block.register_forward_hook(lambda module, args, output: output * 2)
    np.testing.assert_allclose(rg.compile(lambda x: model(x))(x), model(x).numpy(), rtol=1e-5)
