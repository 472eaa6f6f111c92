"""Tensor: what it is made from, how it prints, its operators, and the way back to Python."""

from __future__ import annotations

import copy
import operator
import pickle

import numpy as np
import pytest

import retrograd as rg

# Made from ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (1.5, "float32"),
        ([1.0, 2], "float32"),
        ([[1.0], [2.0]], "float32"),
        (3, "int64"),
        ([1, 2], "int64"),
        (True, "bool"),
        ([True, False], "bool"),
        ([], "float32"),
        (np.float32(1), "float32"),
        (np.float64(1), "float64"),
        ([np.float64(1)], "float64"),
        (np.arange(3), "int64"),
        (np.arange(3, dtype="int8"), "int8"),
        (np.ones(2), "float64"),
        (np.ones(2, "float16"), "float16"),
        (rg.Tensor([1.0]), "float32"),
        ((1.0, 2.0), "float32"),
    ],
)
def test_python_numbers_become_float32_or_int64_and_arrays_keep_their_dtype(values, dtype) -> None:
    tensor = rg.Tensor(values)
    assert tensor.dtype == dtype
    assert tensor.shape == np.shape(values if not isinstance(values, rg.Tensor) else values.data)
    assert type(tensor.data) is np.ndarray


@pytest.mark.parametrize("values", [1, [1, 2], np.arange(2), 1.5, True])
def test_dtype_may_be_asked_for(values) -> None:
    assert rg.Tensor(values, dtype="float64").dtype == np.float64
    assert rg.Parameter(values, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (1j, "complex numbers are out of scope: found complex128.*two real arrays"),
        (np.ones(2, np.complex64), "complex numbers are out of scope: found complex64"),
        ("abc", "expected numbers, found values of dtype <U3"),
        (["a"], "expected numbers"),
        (None, "expected numbers, found values of dtype object"),
        ([1, None], "expected numbers"),
        (np.array(["2020-01-01"], "M8[D]"), "expected numbers, found values of dtype datetime64"),
        ({"a": 1}, "expected numbers"),
    ],
)
def test_values_that_are_not_real_numbers_are_refused(values, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        rg.Tensor(values)


@pytest.mark.parametrize("values", [1, [1, 2], True, np.arange(3)])
def test_integers_that_require_a_gradient_are_refused(values) -> None:
    with pytest.raises(
        TypeError, match=r"only floating-point tensors can require a gradient.*float32"
    ):
        rg.Tensor(values, requires_grad=True)
    with pytest.raises(TypeError, match="only floating-point"):
        rg.Parameter(values)


# What it says about itself ------------------------------------------------------------------------


def test_shape_and_size() -> None:
    x = rg.Tensor(np.ones((2, 3)))
    assert (x.shape, x.ndim, x.dim(), x.numel(), len(x)) == ((2, 3), 2, 2, 6, 2)
    assert (x.size(), x.size(1), x.size(-2)) == ((2, 3), 3, 2)


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (rg.Tensor([1.0, 2.5]), "Tensor([1. , 2.5])"),
        (rg.Tensor(3), "Tensor(3, dtype=int64)"),
        (rg.Tensor([[1.0], [2.0]]), "Tensor([[1.],\n        [2.]])"),
        (
            rg.Tensor(np.ones(1), requires_grad=True),
            "Tensor([1.], dtype=float64, requires_grad=True)",
        ),
        (rg.Parameter([[1.0], [2.0]]), "Parameter([[1.],\n           [2.]], requires_grad=True)"),
        (rg.Buffer([True]), "Buffer([ True], dtype=bool)"),
    ],
)
def test_repr(tensor: rg.Tensor, expected: str) -> None:
    assert repr(tensor) == expected


def test_requires_grad_is_set_on_leaves_only() -> None:
    x = rg.Tensor([1.0])
    assert x.requires_grad_().requires_grad
    y = x * 2
    assert (x.is_leaf, y.is_leaf) == (True, False)
    with pytest.raises(RuntimeError, match=r"leaves only; use \.detach\(\)"):
        y.requires_grad = False
    x.requires_grad = False
    assert not (x * 2).requires_grad


def test_a_tensor_is_hashed_by_identity() -> None:
    x, twin = rg.Tensor([1.0]), rg.Tensor([1.0])
    assert {x: 1, twin: 2}[x] == 1
    assert hash(x) != hash(twin)


def test_variables_are_kinds_of_tensor() -> None:
    for kind in (rg.Parameter, rg.Buffer, rg.Slot):
        variable = kind([1.0])
        assert isinstance(variable, rg.Variable)
        assert isinstance(variable, rg.Tensor)
        assert variable.requires_grad == (kind is rg.Parameter)


# Operators ----------------------------------------------------------------------------------------

A, B = np.array([[1.5, -2.0, 3.0]]), np.array([[0.5], [2.0]])
ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("sign", ARITHMETIC + COMPARISONS, ids=lambda sign: sign.__name__)
def test_operators_take_tensors_arrays_and_numbers_on_either_side(sign) -> None:
    with np.errstate(invalid="ignore"):
        expected = sign(A, B)
        with_number, from_number = sign(A, 2.0), sign(2.0, A)
    for left, right in ((rg.Tensor(A), rg.Tensor(B)), (rg.Tensor(A), B), (A, rg.Tensor(B))):
        found = sign(left, right)
        assert isinstance(found, rg.Tensor)
        np.testing.assert_array_equal(found.numpy(), expected)
    np.testing.assert_array_equal(sign(rg.Tensor(A), 2.0).numpy(), with_number)
    np.testing.assert_array_equal(sign(2.0, rg.Tensor(A)).numpy(), from_number)
    found = sign(np.float64(2.0), rg.Tensor(A))
    assert isinstance(found, rg.Tensor)
    np.testing.assert_array_equal(found.numpy(), from_number)


@pytest.mark.parametrize("sign", ARITHMETIC, ids=lambda sign: sign.__name__)
def test_an_array_on_the_left_receives_no_gradient_and_the_tensor_does(sign) -> None:
    rg.check_gradients(lambda x: sign(B, x), np.abs(A))
    rg.check_gradients(lambda x: sign(2.0, x), np.abs(A))
    rg.check_gradients(lambda x: sign(x, B), np.abs(A))
    rg.check_gradients(lambda x: sign(x, 2), np.abs(A))


def test_a_python_number_leaves_float32_alone() -> None:
    x = rg.Tensor([1.0, 2.0])
    for found in (x + 1, 1.5 - x, x * 2.0, 1 / x, x**2, 2.0**x, -x, abs(x), x > 1.5, ~(x > 1)):
        assert found.dtype in (np.float32, bool)


def test_products_of_matrices_take_arrays_on_either_side() -> None:
    left, right = rg.Tensor(np.ones((2, 3))), np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal((left @ right).numpy(), np.ones((2, 3)) @ right)
    np.testing.assert_array_equal(
        (np.ones((2, 3)) @ rg.Tensor(right)).numpy(), np.ones((2, 3)) @ right
    )


def test_masks_combine_with_arrays_on_either_side() -> None:
    x, mask = rg.Tensor([1.0, 2.0, 3.0]), np.array([True, True, False])
    for found in ((x > 1) & mask, mask & (x > 1)):
        np.testing.assert_array_equal(found.numpy(), [False, True, False])
    for found in ((x > 2) | mask, mask | (x > 2)):
        np.testing.assert_array_equal(found.numpy(), [True, True, True])
    np.testing.assert_array_equal((~(x > 1)).numpy(), [True, False, False])


def test_methods_are_the_operations_of_their_names() -> None:
    x = rg.Tensor(np.arange(1.0, 7.0).reshape(2, 3))
    np.testing.assert_array_equal(x.T.numpy(), x.numpy().T)
    np.testing.assert_array_equal(x.reshape(3, 2).mT.numpy(), x.numpy().reshape(3, 2).T)
    np.testing.assert_array_equal(x.reshape(-1).numpy(), x.reshape((6,)).numpy())
    np.testing.assert_array_equal(x.sum(0).numpy(), x.sum(axis=0).numpy())
    np.testing.assert_array_equal(x.max(1).indices.numpy(), [2, 2])
    np.testing.assert_array_equal(x.permute(1, 0).numpy(), x.permute((1, 0)).numpy())
    np.testing.assert_array_equal(
        x.where(x > 2, 0.0).numpy(), np.where(x.numpy() > 2, x.numpy(), 0)
    )
    assert x.view(6).shape == (6,)


# To and from Python -------------------------------------------------------------------------------


def test_a_single_number_becomes_pythons() -> None:
    x = rg.Tensor(2.5, requires_grad=True)
    assert (x.item(), float(x), int(x), bool(x)) == (2.5, 2.5, 2, True)
    assert [10, 20, 30][rg.Tensor(1)] == 20
    assert rg.Tensor([[1, 2]]).tolist() == [[1, 2]]


def test_many_numbers_are_no_truth_value() -> None:
    with pytest.raises(ValueError, match="ambiguous"):
        bool(rg.Tensor([1.0, 2.0]))


def test_a_fraction_is_no_index() -> None:
    with pytest.raises((TypeError, AttributeError)):
        [10, 20][rg.Tensor(1.0)]


def test_numpy_sees_the_values() -> None:
    x = rg.Tensor([1.0, 2.0], requires_grad=True)
    assert np.asarray(x) is x.data
    assert np.asarray(x, np.float64).dtype == np.float64
    assert np.array(x) is not x.data
    np.testing.assert_array_equal(np.stack([x.detach()] * 2), [[1, 2], [1, 2]])


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.concatenate([x, x]), lambda x: np.stack((x, x)), np.sum, np.mean, np.dot,
        lambda x: np.where([True, False], x, 0), lambda x: np.clip(x, 0, 1),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [rg.Parameter, lambda v: rg.Tensor(v, requires_grad=True) * 1])
def test_numpys_functions_refuse_to_lose_a_gradient(call, kind) -> None:
    x = kind([1.0, 2.0])
    with pytest.raises((RuntimeError, TypeError), match=r"detach\(\)|missing"):
        call(x)


def test_numpys_functions_take_what_has_no_gradient() -> None:
    x = rg.Tensor([1.0, 2.0])
    assert np.sum(x) == 3.0
    assert np.concatenate([x, [3.0]]).tolist() == [1.0, 2.0, 3.0]
    weight = rg.Parameter([[1.0, 2.0]])
    assert (np.shape(weight), np.ndim(weight), np.size(weight)) == ((1, 2), 2, 2)
    assert np.zeros_like(weight).tolist() == [[0.0, 0.0]]
    with pytest.raises(RuntimeError, match=r"use rg.concatenate, or pass x.detach\(\)"):
        np.concatenate([weight, weight])


def test_iteration_goes_along_the_first_axis_and_is_recorded() -> None:
    x = rg.Tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    rows = list(x)
    assert [row.shape for row in rows] == [(2,)] * 3
    (rows[0] + 2 * rows[2]).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[1, 1], [0, 0], [2, 2]])


@pytest.mark.parametrize("use", [len, iter, list])
def test_a_single_number_has_no_length(use) -> None:
    with pytest.raises(TypeError, match="no length"):
        use(rg.Tensor(1.0))


def test_assignment_to_an_element_names_the_way_out() -> None:
    x = rg.Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"cannot be changed in place.*where\(condition, a, b\)"):
        x[0] = 3.0


def test_in_place_operators_make_a_new_tensor() -> None:
    x = y = rg.Tensor([1.0])
    y += 1
    assert (x.item(), y.item()) == (1.0, 2.0)


@pytest.mark.parametrize("make", [rg.Parameter, lambda x: rg.Tensor(x, requires_grad=True)])
@pytest.mark.parametrize("run", [lambda f: f, rg.compile], ids=["eager", "compiled"])
def test_a_leaf_is_changed_in_place_where_nothing_is_recorded(make, run) -> None:
    weight = make([8.0, 5.0])
    if not isinstance(weight, rg.Variable) and run is rg.compile:
        return

    @run
    def descend():
        w = weight
        w.grad = None
        (w * w).sum().backward()
        with rg.no_grad():
            w -= 0.25 * w.grad
            w += 1
            w *= 2.0
            w /= 4
            w **= 2
            w //= 2
            w %= 3
        return w is weight

    assert descend()
    # w - w/2, and so on
    np.testing.assert_array_equal(weight.numpy(), (((np.array([4, 2.5]) + 1) / 2) ** 2 // 2) % 3)
    assert (weight.dtype, weight.requires_grad) == (np.float32, True)


def test_a_leaf_is_not_changed_in_place_while_gradients_are_recorded() -> None:
    weight, held = rg.Parameter([1.0]), rg.Buffer([1.0])
    with pytest.raises(RuntimeError, match=r"a Parameter cannot be changed in place.*no_grad\(\)"):
        weight -= 0.1
    with pytest.raises(RuntimeError, match="a Buffer cannot be changed in place"):
        held += weight
    held += 1
    assert held.item() == 2.0
    with pytest.raises(ValueError, match=r"shape \(1,\) cannot take contents of shape \(2,\)"):
        held += np.ones(2)


@pytest.mark.parametrize("given", ["tensor", "operand", "index"])
def test_a_buffer_that_is_refilled_does_not_change_gradients(given: str) -> None:
    weight = rg.Parameter([2.0, 3.0])
    array, places = np.array([5.0, 7.0], np.float32), np.array([0, 1])
    if given == "tensor":
        loss = (weight * rg.Tensor(array)).sum()
    elif given == "operand":
        loss = (weight * array).sum()
    else:
        loss = (weight[places] * array.copy()).sum()
    array[:] = 0
    places[:] = 0
    loss.backward()
    np.testing.assert_array_equal(weight.grad.numpy(), [5.0, 7.0])


def test_a_parameter_does_not_follow_the_array_it_was_made_of() -> None:
    array = np.ones(2, np.float32)
    weight = rg.Parameter(array)
    array[:] = 7
    np.testing.assert_array_equal(weight.numpy(), [1.0, 1.0])


def test_sizes_are_no_values() -> None:
    with pytest.raises(TypeError, match=r"Tensor takes values.*rg.zeros\(shape"):
        rg.Tensor(2, 3)


def test_lists_of_tensors_are_stacked_with_their_gradients() -> None:
    x = rg.Tensor([1.0, 2.0], requires_grad=True)
    rg.sum([x * 2, (x * 3)]).backward()
    np.testing.assert_array_equal(x.grad.numpy(), [5.0, 5.0])


@pytest.mark.parametrize(
    "thing", [rg.Tensor([1.0, 2.0], requires_grad=True), rg.Parameter([1.0]), rg.Buffer([1.0])]
)
def test_a_leaf_is_pickled_with_its_gradient(thing) -> None:
    thing.grad = rg.Tensor(np.full(thing.shape, 5.0, np.float32))
    twin = pickle.loads(pickle.dumps(thing))
    assert type(twin) is type(thing)
    assert (twin.requires_grad, twin.grad.tolist()) == (thing.requires_grad, thing.grad.tolist())
    np.testing.assert_array_equal(twin.numpy(), thing.numpy())
    with pytest.raises(RuntimeError, match="only leaves can be pickled"):
        pickle.dumps(rg.Parameter([1.0]) * 2)


def test_what_a_compiled_step_left_behind_is_pickled() -> None:
    weight = rg.Parameter(np.ones(3, np.float32))
    out = rg.compile(lambda: [setattr(weight, "data", weight.data * 2), weight.detach()][1])()
    assert pickle.loads(pickle.dumps([weight, out]))[0].tolist() == [2.0] * 3


def test_a_deep_copy_of_a_leaf_is_a_leaf_with_its_own_gradient() -> None:
    x = rg.Tensor(np.array([1.0]), requires_grad=True)
    x.grad = rg.Tensor(np.array([5.0]))
    twin = copy.deepcopy(x)
    (twin * 3).sum().backward()
    assert (x.grad.item(), twin.grad.item()) == (5.0, 8.0)
    with pytest.raises(RuntimeError, match=r"only leaves.*\.detach\(\)"):
        copy.deepcopy(x * 2)


def test_a_deep_copy_keeps_what_is_one_thing_one_thing() -> None:
    weight = rg.Parameter([1.0])
    first, second = copy.deepcopy([weight, weight])
    assert first is second
