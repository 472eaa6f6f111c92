"""check_gradients finds a wrong rule, of either order, and names the worst element."""

from __future__ import annotations

import numpy as np
import pytest

import retrograd as rg
from retrograd import ops

X = np.array([[0.5, -1.0, 2.0], [0.25, 1.5, -0.75]])


def squared_with(rule):
    @rg.primitive
    def squared(xp, x):
        return x * x

    squared.pullbacks(x=rule)
    return squared


def test_right_rules_pass() -> None:
    rg.check_gradients(squared_with(lambda g, x: g * 2 * x), X)


def test_a_rule_wrong_everywhere_is_named_with_its_worst_element() -> None:
    squared = squared_with(lambda g, x: g * 3 * x)
    # The error is |x| times a weight between 0.5 and 1.5, the same at every call.
    weights = np.random.default_rng(0).uniform(0.5, 1.5, X.shape)
    worst = np.unravel_index(np.abs(X * weights).argmax(), X.shape)
    with pytest.raises(rg.GradientError) as caught:
        rg.check_gradients(squared, X)
    message = str(caught.value)
    assert "squared: the gradient with respect to input 0 is wrong at index (1, 1)" in message
    assert worst == (1, 1)
    assert f"{3 * X[worst] * weights[worst]:.10g} by the backward pass" in message
    assert f"{2 * X[worst] * weights[worst]:.7g}"[:-1] in message
    assert "6 of 6 elements are off" in message


def test_a_rule_wrong_in_one_element_is_found() -> None:
    wrong = np.zeros(X.shape)
    wrong[1, 2] = 1e-3
    squared = squared_with(lambda g, x: g * (2 * x + wrong))
    with pytest.raises(rg.GradientError, match=r"index \(1, 2\).*1 of 6 elements are off"):
        rg.check_gradients(squared, X)


def test_the_wrong_input_is_named() -> None:
    with pytest.raises(rg.GradientError, match="with respect to input 1"):
        rg.check_gradients(lambda x, y: x * y.detach() + x, X, X + 3)


def test_a_rule_right_at_first_and_wrong_at_second_order_is_found() -> None:
    # The value of the rule is right, but it hides its dependence on x.
    squared = squared_with(lambda g, x: g * 2 * x.detach())
    rg.check_gradients(squared, X, order=1)
    with pytest.raises(rg.GradientError, match="squared: the second-order gradient with respect"):
        rg.check_gradients(squared, X)


def test_a_missing_gradient_is_found() -> None:
    with pytest.raises(rg.GradientError, match="0 by the backward pass"):
        rg.check_gradients(lambda x: x.detach() * 2, X)


def test_a_nan_gradient_is_found() -> None:
    with pytest.raises(rg.GradientError, match="nan by the backward pass"):
        rg.check_gradients(squared_with(lambda g, x: g * np.nan), X)


def test_several_results_and_inputs_are_all_checked() -> None:
    rg.check_gradients(lambda x, y: (x * y, ops.exp(y)), X, X + 0.5)
    with pytest.raises(rg.GradientError):
        rg.check_gradients(lambda x, y: (x * y, ops.exp(y.detach())), X, X + 0.5)
    with pytest.raises(rg.GradientError):
        rg.check_gradients(lambda x, y: [x * y, ops.exp(y.detach())], X, X + 0.5)


def test_integers_are_passed_through_and_float32_is_checked_in_float64() -> None:
    rg.check_gradients(lambda x, i: x[i] ** 2, X.astype(np.float32), np.array([0, 1, 1]))


def test_tensors_are_inputs_like_arrays() -> None:
    rg.check_gradients(lambda x: x**3, rg.Tensor(X, requires_grad=True))


def test_a_function_that_returns_no_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match=r"expected a tensor or a tuple of tensors.*found ndarray"):
        rg.check_gradients(lambda x: x.numpy(), X)


def test_another_order_is_refused() -> None:
    with pytest.raises(ValueError, match="order must be 1 or 2, found 3"):
        rg.check_gradients(ops.exp, X, order=3)
