"""`@primitive`: names are checked when a rule is declared; a user's own operation is a full one."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import ops
from retrograd.autodiff.primitive import REGISTRY


def cube():
    @rg.primitive
    def cube(xp, x):
        """x³."""
        return x * x * x

    cube.pullbacks(x=lambda g, x: g * 3 * x * x)
    return cube


# Declaring ----------------------------------------------------------------------------------------


def test_a_rule_that_asks_for_an_unknown_name_is_refused_when_declared() -> None:
    @rg.primitive
    def shift(xp, x, *, by=1.0):
        return x + by

    message = "shift: the rule for x asks for weight; it may ask for by, g, out, x, x_shape"
    with pytest.raises(TypeError, match=message):
        shift.pullbacks(x=lambda g, weight: g)


def test_a_rule_for_an_unknown_operand_is_refused() -> None:
    @rg.primitive
    def shift(xp, x, y):
        return x + y

    with pytest.raises(TypeError, match="shift has operands x, y; rules were given for x, z"):
        shift.pullbacks(x=lambda g: g, z=lambda g: g)


def test_a_forgotten_rule_is_refused() -> None:
    @rg.primitive
    def shift(xp, x, y):
        return x + y

    with pytest.raises(TypeError, match="has operands x, y; rules were given for x"):
        shift.pullbacks(x=lambda g: g)


def test_a_name_of_the_projects_own_is_registered_once() -> None:
    def exp(xp, x):
        return xp.exp(x)

    exp.__module__ = "retrograd.ops.again"
    with pytest.raises(TypeError, match="'exp' is already registered"):
        rg.primitive(exp)


def test_a_users_operation_may_be_defined_anew_and_have_any_name() -> None:
    before = dict(REGISTRY)
    cube()
    cube()

    @rg.primitive
    def exp(xp, x):
        return xp.exp(x)

    assert before == REGISTRY
    assert exp is not rg.exp


def test_variadic_operands_stand_alone() -> None:
    with pytest.raises(TypeError, match=r"\*rest must be the only operand"):

        @rg.primitive
        def mixed(xp, x, *rest):
            return x


def test_every_operation_has_a_rule_for_every_operand_and_a_docstring() -> None:
    for operation in REGISTRY.values():
        assert len(operation.rules) == len(operation.operands), operation
        assert operation.__doc__, operation


def test_an_operation_without_rules_says_so_when_recorded() -> None:
    @rg.primitive
    def halved(xp, x):
        return x / 2

    halved(rg.Tensor([1.0]))
    with pytest.raises(TypeError, match=r"halved has no rules yet.*halved\.pullbacks"):
        halved(rg.Tensor([1.0], requires_grad=True))


# Calling ------------------------------------------------------------------------------------------


def test_a_wrong_keyword_names_the_right_ones() -> None:
    with pytest.raises(
        TypeError, match=r"sum\(\) has no argument 'dims'; it takes x, dim, keepdim"
    ):
        ops.sum(rg.Tensor([1.0]), dims=0)


def test_a_missing_operand_is_named() -> None:
    with pytest.raises(TypeError, match=r"add\(\) is missing the argument 'y'"):
        ops.add(rg.Tensor([1.0]))


def test_too_many_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match=r"exp\(\) got too many arguments"):
        ops.exp(rg.Tensor([1.0]), 2.0)


def test_attributes_go_by_position_and_by_numpys_names() -> None:
    x = rg.Tensor(np.arange(6.0).reshape(2, 3))
    expected = x.numpy().sum(1, keepdims=True)
    for found in (
        ops.sum(x, 1, True),
        ops.sum(x, axis=1, keepdims=True),
        ops.sum(x=x, dim=1, keepdim=True),
    ):
        np.testing.assert_array_equal(found.numpy(), expected)


def test_complex_operands_are_refused() -> None:
    with pytest.raises(TypeError, match="complex numbers are out of scope: found complex128"):
        ops.add(rg.Tensor([1.0]), 1j)
    with pytest.raises(TypeError, match="complex numbers are out of scope"):
        ops.cast(rg.Tensor([1.0]), dtype=np.complex64)


def test_text_is_refused() -> None:
    with pytest.raises(TypeError, match="expected numbers, found values of dtype <U3"):
        ops.add(rg.Tensor([1.0]), "abc")


# A result's dtype is that of its floating-point operands, in both engines -------------------------

MIXED = [
    (np.float32, np.int64, np.float32),
    (np.float32, np.int32, np.float32),
    (np.float32, bool, np.float32),
    (np.float64, np.int64, np.float64),
    (np.float64, np.float32, np.float64),
    (np.float16, np.int64, np.float16),
    (np.float16, np.float32, np.float32),
    (np.int64, np.int32, np.int64),
    (np.int64, bool, np.int64),
]


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_mixed_dtypes_give_the_floating_point_one(engine: str) -> None:
    def all_pairs(pairs):
        return [(x * y, y + x, ops.maximum(x, y), ops.where(y > 0, x, y)) for x, y in pairs]

    pairs = [(rg.Tensor(np.ones(2, a)), rg.Tensor(np.ones(2, b))) for a, b, _ in MIXED]
    function = all_pairs if engine == "eager" else rg.compile(all_pairs)
    for results, (a, b, expected) in zip(function(pairs), MIXED, strict=True):
        assert {result.dtype for result in results} == {np.dtype(expected)}, (a, b)


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_integers_turn_into_float32(engine: str) -> None:
    def turn(n, flags):
        return (
            n * 0.5, n / 2, n / n, ops.exp(n), ops.mean(n), ops.mean(flags), ops.sqrt(n),
            ops.where(flags, 1.0, 0.0), ops.var(n),
        )  # fmt: skip

    function = turn if engine == "eager" else rg.compile(turn)
    results = function(rg.Tensor([1, 2]), rg.Tensor([True, False]))
    assert {result.dtype for result in results} == {np.dtype(np.float32)}


# A user's own -------------------------------------------------------------------------------------


def test_a_users_operation_has_gradients_of_both_orders_eagerly_and_compiled() -> None:
    own = cube()
    x = np.array([0.5, -2.0])
    rg.check_gradients(own, x)

    def gradient(x):
        return rg.grad(lambda x: own(x).sum())(x)

    def curvature(x):
        return rg.grad(lambda x: gradient(x).sum())(x)

    for run in (lambda f: f, rg.compile):
        np.testing.assert_allclose(run(own)(rg.Tensor(x)).numpy(), x**3)
        np.testing.assert_allclose(run(gradient)(rg.Tensor(x)).numpy(), 3 * x**2)
        np.testing.assert_allclose(run(curvature)(rg.Tensor(x)).numpy(), 6 * x)


def test_a_rule_may_ask_for_the_result_the_attributes_and_the_shapes() -> None:
    @rg.primitive
    def scaled_exp_sum(xp, x, *, rate=1.0):
        return xp.exp(rate * x).sum()

    seen = []

    def rule(g, x, out, rate, x_shape):
        seen.append((out.item(), rate, x_shape))
        return g * rate * ops.exp(rate * x)

    scaled_exp_sum.pullbacks(x=rule)
    x = rg.Tensor(np.array([0.0, 1.0]), requires_grad=True)
    scaled_exp_sum(x, rate=2.0).backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp([0.0, 2.0]))
    assert seen == [(pytest.approx(1 + np.exp(2.0)), 2.0, (2,))]


def test_an_operation_of_several_results_receives_a_list_of_cotangents() -> None:
    @rg.primitive
    def sin_cos(xp, x):
        return xp.sin(x), xp.cos(x)

    sin_cos.pullbacks(x=lambda g, out: g[0] * out[1] - g[1] * out[0])
    x = np.array([0.3, 1.2])
    rg.check_gradients(sin_cos, x)
    rg.check_gradients(lambda x: sin_cos(x)[1], x)


def test_a_variadic_operation_calls_its_rule_once_for_each_operand() -> None:
    @rg.primitive
    def total(xp, *parts):
        result = parts[0]
        for part in parts[1:]:
            result = result + part
        return result

    positions = []

    def rule(g, position):
        positions.append(position)
        return g

    total.pullbacks(parts=rule)
    a, b = (rg.Tensor(np.ones(shape), requires_grad=True) for shape in ((), (3,)))
    total(a, 2.0, b).sum().backward()
    assert positions == [0, 2]
    assert (a.grad.item(), b.grad.shape) == (3.0, (3,))


def test_an_operand_without_slope_receives_no_gradient() -> None:
    @rg.primitive
    def gated(xp, x, gate):
        return xp.where(gate > 0, x, 0)

    gated.pullbacks(x=lambda g, gate: ops.where(gate > 0, g, 0.0), gate=None)
    x, gate = (rg.Tensor(np.array([1.0, -1.0]), requires_grad=True) for _ in range(2))
    gated(x, gate).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [1.0, 0.0])
    assert gate.grad is None


def test_an_optional_operand_may_be_absent() -> None:
    @rg.primitive
    def shifted(xp, x, offset=None):
        return x if offset is None else x + offset

    shifted.pullbacks(x=lambda g: g, offset=lambda g: g)
    x = rg.Tensor(np.ones(2), requires_grad=True)
    shifted(x).sum().backward()
    shifted(x, offset=rg.Tensor(np.ones(2))).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [2.0, 2.0])


def test_a_cotangent_that_does_not_fit_its_operand_is_refused() -> None:
    @rg.primitive
    def halved(xp, x):
        return x[: x.shape[0] // 2]

    halved.pullbacks(x=lambda g: g)  # forgets to put the rest back
    x = rg.Tensor(np.ones(4), requires_grad=True)
    with pytest.raises(
        ValueError, match=r"cotangent of shape \(2,\) for an operand of shape \(4,\)"
    ):
        halved(x).sum().backward()
