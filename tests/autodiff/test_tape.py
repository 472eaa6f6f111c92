"""The record of a forward pass and the walk back over it: correct, iterative, and freed at once."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import retrograd as rg
from retrograd import ops
from retrograd.autodiff.tape import Leaf, reached


@pytest.fixture
def no_garbage_collector():
    """With it off, only what no cycle holds together is freed."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def leaf(*values: float, dtype: str = "float64") -> rg.Tensor:
    return rg.Tensor(np.array(values, dtype), requires_grad=True)


# The walk -----------------------------------------------------------------------------------------


def test_a_chain_of_100_000_operations_runs_backward_and_is_freed() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y * 1.00001
    y.backward()
    assert x.grad.item() == pytest.approx(1.00001**100_000, rel=1e-9)
    node = weakref.ref(y._node)
    del y  # a recursive deallocation would overflow the C stack
    assert node() is None


def test_in_a_diamond_the_gradients_add() -> None:
    x = leaf(0.7)
    left, right = rg.tanh(x), x * x
    (left * right + right).backward()
    # d/dx [tanh(x) x² + x²]
    expected = (1 - np.tanh(0.7) ** 2) * 0.49 + 2 * 0.7 * np.tanh(0.7) + 2 * 0.7
    np.testing.assert_allclose(x.grad.numpy(), [expected], rtol=1e-14)


def test_a_stack_of_diamonds_is_walked_in_linear_time() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(200):  # 2^200 paths
        y = 0.5 * y + 0.5 * y
    y.backward()
    assert x.grad.item() == 1.0


def test_an_operand_used_twice_receives_both_cotangents() -> None:
    x = leaf(3.0)
    (x * x).backward()
    assert x.grad.item() == 6.0


def test_gradients_accumulate_into_grad() -> None:
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    (x * 3).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [5.0, 7.0])


def test_leaves_that_share_a_cotangent_do_not_share_grad() -> None:
    a, b = leaf(1.0), leaf(2.0)
    (a + b).backward()
    a.grad.data = a.grad.data * 10  # as clipping does
    assert (a.grad.item(), b.grad.item()) == (10.0, 1.0)


def test_a_cotangent_is_summed_to_the_shape_of_its_operand() -> None:
    x, y = rg.Tensor(np.ones((2, 1)), requires_grad=True), leaf(1.0, 2.0, 3.0)
    ((x + y) * np.arange(6.0).reshape(2, 3)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[3.0], [12.0]])
    np.testing.assert_array_equal(y.grad.numpy(), [3.0, 5.0, 7.0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_gradient_has_the_dtype_of_its_leaf(dtype: str) -> None:
    x = leaf(1.0, 2.0, dtype=dtype)
    (x * np.array([1.0, 2.0])).sum().backward()  # float64 enters on the way
    assert x.grad.dtype == dtype
    x.grad = None
    rg.relu(x).sum().backward()
    assert x.grad.dtype == dtype


def test_several_outputs_receive_their_own_cotangents() -> None:
    x = leaf(1.0, 2.0, 3.0)
    first, unused, last = rg.split(x, 1)
    (first * 2 + last * 5).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 0.0, 5.0])
    assert unused.requires_grad


# What backward accepts ----------------------------------------------------------------------------


def test_backward_of_many_numbers_asks_for_a_gradient() -> None:
    with pytest.raises(RuntimeError, match=r"shape \(2,\).*gradient="):
        (leaf(1.0, 2.0) * 2).backward()


def test_a_gradient_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(3,\), expected this tensor's shape \(2,\)"):
        (leaf(1.0, 2.0) * 2).backward(np.ones(3))


@pytest.mark.parametrize("given", [[1.0, 10.0], np.array([1.0, 10.0]), rg.Tensor([1.0, 10.0])])
def test_backward_starts_from_the_gradient_given(given: object) -> None:
    x = leaf(1.0, 2.0)
    (x * x).backward(gradient=given)
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 40.0])
    assert x.grad.dtype == np.float64


def test_a_single_element_of_any_shape_needs_no_gradient() -> None:
    x = leaf(3.0)
    (x.reshape(1, 1) ** 2).backward()
    assert x.grad.item() == 6.0


def test_backward_of_a_constant_says_that_nothing_was_recorded() -> None:
    with pytest.raises(RuntimeError, match=r"requires_grad=True.*no_grad"):
        rg.Tensor(1.0).backward()


def test_backward_of_a_leaf_itself() -> None:
    x = leaf(1.0)
    given = rg.Tensor(np.array([2.0]))
    x.backward(given)
    assert x.grad.item() == 2.0
    assert x.grad is not given


def test_backward_twice_says_what_to_do() -> None:
    y = rg.exp(leaf(1.0))
    y.backward()
    with pytest.raises(RuntimeError, match=r"second time through exp.*retain_graph=True"):
        y.backward()


def test_a_second_walk_through_a_shared_part_says_what_to_do() -> None:
    shared = rg.exp(leaf(1.0))
    (shared * 2).backward()
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        (shared * 3).backward()


def test_retain_graph_allows_a_second_walk() -> None:
    x = leaf(2.0)
    y = x**3
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 24.0


def test_create_graph_differentiates_the_gradient() -> None:
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    slope, x.grad = x.grad, None
    assert slope.requires_grad
    slope.backward()
    assert x.grad.item() == 12.0  # 6x


# What is recorded ---------------------------------------------------------------------------------


def test_no_grad_records_nothing_and_ends_with_its_block() -> None:
    x = leaf(1.0)
    with rg.no_grad():
        assert not (x * 2).requires_grad
        with pytest.raises(ZeroDivisionError), rg.no_grad():
            raise ZeroDivisionError
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_decorates_a_function() -> None:
    @rg.no_grad()
    def double(x: rg.Tensor) -> rg.Tensor:
        return x * 2

    x = leaf(1.0)
    assert not double(x).requires_grad
    assert not double(x).requires_grad
    assert (x * 2).requires_grad


def test_detach_cuts_the_graph() -> None:
    x = leaf(3.0)
    y = x * x
    assert not y.detach().requires_grad
    (y.detach() * x).backward()
    assert x.grad.item() == 9.0


def test_constants_are_not_recorded() -> None:
    assert (rg.Tensor([1.0]) * 2)._node is None


def test_an_integer_result_carries_no_gradient() -> None:
    x = leaf(1.5, 2.5)
    assert not x.astype("int64").requires_grad
    assert not rg.argmax(x).requires_grad
    assert not (x > 2).requires_grad


@pytest.mark.parametrize(
    ("build", "kept"),
    [
        (lambda x, y: x + y, [None, None]),
        (lambda x, y: x * y, ["x", "y"]),
        (lambda x, y: x * y.detach(), [None, "y"]),  # only d/dx is asked for, which needs y
        (lambda x, y: x.detach() * y, ["x", None]),
        (lambda x, y: x * 2.0, [None, 2.0]),
        (lambda x, y: rg.exp(x), [None]),  # needs its own result
        (lambda x, y: rg.square(x), ["x"]),
        (lambda x, y: ops.linear(y.detach().reshape(1, 2), x.reshape(1, 2)), ["y", None, None]),
        (lambda x, y: rg.where(np.array([True, False]), x, y), ["mask", None, None]),
        (lambda x, y: x.sum(), [None]),
        (lambda x, y: x[0], [None]),
    ],
)
def test_only_the_values_that_a_rule_names_are_kept(build, kept) -> None:
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    node = build(x, y)._node
    for value, name in zip(node.saved, kept, strict=True):
        if name is None or isinstance(name, float):
            assert value == name
        elif name != "mask":
            assert np.array_equal(np.ravel(value), {"x": x, "y": y}[name].numpy())


def test_a_result_is_kept_only_if_a_rule_names_it() -> None:
    x = leaf(1.0)
    assert rg.exp(x)._node.out is not None
    assert rg.log(x)._node.out is None


def test_backward_drops_the_kept_values() -> None:
    y = rg.exp(leaf(1.0) * 2)
    nodes = [node for node in reached(y._node) if type(node) is not Leaf]
    y.backward()
    assert len(nodes) == 2
    assert all(node.saved is None and node.out is None for node in nodes)


# Freed without the garbage collector --------------------------------------------------------------


def scalar_of(x: rg.Tensor) -> rg.Tensor:
    return (rg.exp(x) * rg.tanh(x)).sum()


def through_several_outputs(x: rg.Tensor) -> rg.Tensor:
    first, second = rg.split(rg.exp(x), 1)
    return (first * second).sum()


def through_a_checkpoint(x: rg.Tensor) -> rg.Tensor:
    return rg.checkpoint(lambda z: scalar_of(z) * 2, rg.exp(x)) * 3


@pytest.mark.parametrize("build", [scalar_of, through_several_outputs, through_a_checkpoint])
@pytest.mark.parametrize("mode", ["forward", "backward", "create_graph", "abandoned leaf"])
@pytest.mark.usefixtures("no_garbage_collector")
def test_a_graph_that_nobody_holds_is_freed(build, mode: str) -> None:
    x = leaf(0.5, -0.5)
    y = build(x)
    watched = [weakref.ref(node) for node in reached(y._node) if type(node) is not Leaf]
    inner = rg.exp(x)
    watched += [weakref.ref(inner._node), weakref.ref(inner.data)]
    tied = (inner * y).sum()
    watched.append(weakref.ref(tied._node))
    if mode == "create_graph":
        tied.backward(create_graph=True)
        watched += [weakref.ref(node) for node in reached(x.grad._node) if type(node) is not Leaf]
        x.grad = None
    elif mode == "backward":
        tied.backward()
    elif mode == "abandoned leaf":
        watched.append(weakref.ref(x._node))
        del x
    del y, inner, tied
    assert len(watched) > 5
    assert [each() for each in watched] == [None] * len(watched)


@pytest.mark.usefixtures("no_garbage_collector")
def test_a_failed_forward_pass_leaves_nothing_behind() -> None:
    x = leaf(1.0, 2.0)
    y = rg.exp(x)
    node = weakref.ref(y._node)
    with pytest.raises(ValueError, match="broadcast"):
        y + np.ones(3)
    del y
    assert node() is None
