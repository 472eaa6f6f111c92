"""grad, value_and_grad, vjp, hvp, jacobian and checkpoint, against JAX's and against formulas."""

from __future__ import annotations

import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import retrograd as rg
from retrograd.autodiff.tape import reached

POINT = np.array([0.3, -0.8, 1.4])
MATRIX = np.linspace(-1.0, 1.5, 9).reshape(3, 3)


def curve(x):
    """Written once: with operators and methods that JAX's arrays and our tensors share."""
    return (x * x * x).sum() * x[1] + (x * MATRIX.sum()).sum() / (1 + (x * x).sum())


def field(x):
    return (MATRIX * x).sum(1) * x[0] + x * x


@pytest.fixture
def x64():
    with jax.enable_x64(True):
        yield


# grad and value_and_grad --------------------------------------------------------------------------


@pytest.mark.usefixtures("x64")
def test_grad_nested_to_the_third_order_is_jaxs() -> None:
    def first(grad, f):
        return lambda x: (grad(f)(x) * np.array([1.0, 2.0, 3.0])).sum()

    for order in (1, 2, 3):
        ours, theirs = curve, curve
        for _ in range(order - 1):
            ours, theirs = first(rg.grad, ours), first(jax.grad, theirs)
        np.testing.assert_allclose(
            rg.grad(ours)(POINT).numpy(), jax.jit(jax.grad(theirs))(POINT), rtol=1e-10
        )


def test_grad_of_one_number_to_the_fourth_order() -> None:
    f = lambda x: x**5  # noqa: E731  # nested below
    for expected in (5 * 2.0**4, 20 * 2.0**3, 60 * 2.0**2, 120 * 2.0):
        f = rg.grad(f)
        assert f(2.0).item() == expected


def test_value_and_grad_gives_both() -> None:
    value, slope = rg.value_and_grad(lambda x: (x**2).sum())(POINT)
    assert value.item() == pytest.approx((POINT**2).sum())
    np.testing.assert_allclose(slope.numpy(), 2 * POINT)
    assert not value.requires_grad  # nothing outside could differentiate it, so nothing is held


def test_argnums_choose_one_argument_or_several() -> None:
    def f(a, b, c):
        return (a * b * b * c).sum()

    a, b, c = 2.0, 3.0, 5.0
    assert rg.grad(f, 1)(a, b, c).item() == 2 * a * b * c
    by_a, by_c = rg.grad(f, (0, 2))(a, b, c)
    assert (by_a.item(), by_c.item()) == (b * b * c, a * b * b)
    assert rg.grad(f, -1)(a, b, c).item() == a * b * b
    (alone,) = rg.grad(f, (2,))(a, b, c)
    assert alone.item() == a * b * b


def test_an_argument_on_which_nothing_depends_has_a_gradient_of_zeros() -> None:
    slope = rg.grad(lambda a, b: (a * a).sum(), 1)(rg.Tensor(POINT), np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(slope.numpy(), np.zeros((2, 2)))
    assert slope.dtype == np.float32


def test_has_aux_hands_the_rest_through() -> None:
    def f(x):
        return (x * x).sum(), {"doubled": x * 2}

    slope, aux = rg.grad(f, has_aux=True)(POINT)
    np.testing.assert_allclose(slope.numpy(), 2 * POINT)
    np.testing.assert_allclose(aux["doubled"].numpy(), 2 * POINT)
    (value, aux), slope = rg.value_and_grad(f, has_aux=True)(POINT)
    assert value.item() == pytest.approx((POINT**2).sum())
    np.testing.assert_allclose(slope.numpy(), 2 * POINT)
    assert "doubled" in aux


def test_keywords_reach_the_function() -> None:
    assert rg.grad(lambda x, *, power: x**power)(2.0, power=3).item() == 12.0


def test_grad_of_many_numbers_names_the_function_and_the_way_out() -> None:
    def two_numbers(x):
        return x * 2

    with pytest.raises(
        ValueError, match=r"two_numbers must return one number, found \(3,\).*jacobian"
    ):
        rg.grad(two_numbers)(POINT)


def test_grad_of_an_integer_is_refused() -> None:
    with pytest.raises(TypeError, match=r"only floating-point tensors.*int64.*float32"):
        rg.grad(lambda x: x * 2)(3)


def test_grad_leaves_grad_alone() -> None:
    x = rg.Tensor(POINT, requires_grad=True)
    weight = rg.Parameter(POINT)
    rg.grad(lambda z: (z * weight * x).sum())(x)
    assert x.grad is None
    assert weight.grad is None


def test_transforms_differentiate_within_no_grad() -> None:
    x = rg.Tensor(POINT)
    with rg.no_grad():
        value, slope = rg.value_and_grad(lambda z: (z**3).sum())(x)
        _, product = rg.hvp(lambda z: (z**3).sum(), x, np.ones(3))
        output, pull = rg.vjp(lambda z: z**3, x)
        matrix = rg.jacobian(lambda z: z**3, x)
    np.testing.assert_allclose(slope.numpy(), 3 * POINT**2)
    np.testing.assert_allclose(product.numpy(), 6 * POINT)
    np.testing.assert_allclose(pull(np.ones(3))[0].numpy(), 3 * POINT**2)
    np.testing.assert_allclose(matrix.numpy(), np.diag(3 * POINT**2))
    assert not any(t.requires_grad for t in (value, slope, product, output, matrix))


def test_a_gradient_penalty_reaches_the_parameters() -> None:
    # f(x) = tanh(x · w): ∇f = (1 - f²) w, penalty = ‖∇f‖²
    weight, x = rg.Parameter(np.array([0.4, -0.7, 0.2])), rg.Tensor(POINT)
    gradient = rg.grad(lambda z: rg.tanh((z * weight).sum()))(x)
    (gradient**2).sum().backward()

    def penalty(w):
        return ((1 - np.tanh(POINT @ w) ** 2) ** 2) * (w @ w)

    expected = [
        (penalty(weight.numpy() + step) - penalty(weight.numpy() - step)) / 2e-6
        for step in 1e-6 * np.eye(3)
    ]
    np.testing.assert_allclose(weight.grad.numpy(), expected, rtol=1e-7)


# vjp, hvp, jacobian -------------------------------------------------------------------------------


@pytest.mark.usefixtures("x64")
def test_vjp_is_jaxs() -> None:
    cotangent = np.array([1.0, -2.0, 0.5])
    output, pull = rg.vjp(field, POINT)
    expected, jax_pull = jax.vjp(field, jnp.asarray(POINT))
    np.testing.assert_allclose(output.numpy(), expected, rtol=1e-12)
    for _ in range(2):  # it may be pulled more than once
        (found,) = pull(cotangent)
        np.testing.assert_allclose(found.numpy(), jax_pull(cotangent)[0], rtol=1e-12)


def test_vjp_of_several_primals_gives_one_each() -> None:
    _, pull = rg.vjp(lambda a, b: a * b, POINT, 2 * POINT)
    by_a, by_b = pull(np.ones(3))
    np.testing.assert_allclose(by_a.numpy(), 2 * POINT)
    np.testing.assert_allclose(by_b.numpy(), POINT)


def test_vjp_refuses_a_cotangent_of_another_shape() -> None:
    _, pull = rg.vjp(field, POINT)
    with pytest.raises(ValueError, match=r"shape \(2,\), expected this tensor's shape \(3,\)"):
        pull(np.ones(2))


@pytest.mark.usefixtures("x64")
def test_hvp_is_jaxs() -> None:
    vector = np.array([1.0, -2.0, 0.5])
    value, product = rg.hvp(curve, POINT, vector)
    expected = jax.jit(lambda x: jax.jvp(jax.grad(curve), (x,), (jnp.asarray(vector),))[1])(POINT)
    assert value.item() == pytest.approx(float(curve(POINT)))
    np.testing.assert_allclose(product.numpy(), expected, rtol=1e-10)


def test_hvp_of_several_inputs() -> None:
    # f = a² b: the Hessian is [[2b, 2a], [2a, 0]]
    point, vector = (np.array([3.0]), np.array([5.0])), (np.array([1.0]), np.array([10.0]))
    value, (first, second) = rg.hvp(lambda a, b: (a * a * b).sum(), point, vector)
    assert (value.item(), first.item(), second.item()) == (45.0, 70.0, 6.0)


def test_hvp_of_a_linear_function_is_zero() -> None:
    _, product = rg.hvp(lambda x: (x * 3).sum(), POINT, np.ones(3))
    np.testing.assert_array_equal(product.numpy(), np.zeros(3))


@pytest.mark.usefixtures("x64")
def test_jacobian_is_jaxs() -> None:
    expected = jax.jit(jax.jacrev(field))(POINT)
    np.testing.assert_allclose(rg.jacobian(field, POINT).numpy(), expected, rtol=1e-12)


def test_jacobian_has_the_outputs_shape_before_the_inputs() -> None:
    first, second = rg.jacobian(
        lambda a, b: a.reshape(3, 1) * b.reshape(1, 2), (POINT, np.array([2.0, 3.0]))
    )
    assert first.shape == (3, 2, 3)
    assert second.shape == (3, 2, 2)
    np.testing.assert_allclose(first.numpy(), np.eye(3)[:, None, :] * np.array([2.0, 3.0])[:, None])
    np.testing.assert_allclose(second.numpy(), POINT[:, None, None] * np.eye(2))


def test_jacobian_of_nothing_is_empty() -> None:
    found = rg.jacobian(lambda x: x[:0], POINT)
    assert found.shape == (0, 3)
    assert found.dtype == np.float64


def test_jacobian_of_a_gradient_is_the_hessian() -> None:
    hessian = rg.jacobian(rg.grad(lambda x: (x**3).sum() + x[0] * x[1]), POINT)
    expected = np.diag(6 * POINT)
    expected[0, 1] = expected[1, 0] = 1.0
    np.testing.assert_allclose(hessian.numpy(), expected, atol=1e-14)


def test_transforms_run_compiled() -> None:
    @rg.compile
    def everything(x):
        return (
            rg.grad(curve)(x),
            rg.hvp(curve, x, np.ones(3))[1],
            rg.jacobian(field, x),
            rg.vjp(field, x)[1](np.ones(3))[0],
        )

    eager = everything.function(rg.Tensor(POINT))
    for found, expected in zip(everything(rg.Tensor(POINT)), eager, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)


# checkpoint ---------------------------------------------------------------------------------------


def block(x, weight):
    for _ in range(4):
        x = rg.tanh(rg.matmul(x, weight)) + x
    return x


def network(x, weight, wrap):
    for _ in range(3):
        x = wrap(block, x, weight)
    return (x * x).sum()


def plainly(function, *args):
    return function(*args)


def test_checkpoint_gives_the_same_gradients() -> None:
    gradients = []
    for wrap in (plainly, rg.checkpoint):
        x, weight = (rg.Tensor(m, requires_grad=True) for m in (MATRIX, MATRIX.T.copy()))
        network(x, weight, wrap).backward()
        gradients.append((x.grad.numpy(), weight.grad.numpy()))
    np.testing.assert_allclose(gradients[1][0], gradients[0][0], rtol=1e-12)
    np.testing.assert_allclose(gradients[1][1], gradients[0][1], rtol=1e-12)


def test_checkpoint_reaches_parameters_that_are_no_arguments() -> None:
    weight = rg.Parameter(MATRIX)
    rg.checkpoint(lambda x: rg.exp(x * weight), rg.Tensor(MATRIX)).sum().backward()
    np.testing.assert_allclose(weight.grad.numpy(), MATRIX * np.exp(MATRIX**2))


def test_checkpoint_passes_the_second_order() -> None:
    def f(x):
        return rg.checkpoint(lambda z: rg.exp(rg.tanh(z) * z), x).sum()

    rg.check_gradients(f, POINT)


def test_checkpoint_can_be_nested() -> None:
    def f(x):
        return rg.checkpoint(lambda z: rg.checkpoint(rg.exp, rg.tanh(z)) * z, x)

    rg.check_gradients(f, POINT)


def kept_bytes(output) -> int:
    nodes = [node for node in reached(output._node) if hasattr(node, "saved")]
    arrays = [a for node in nodes for a in (*node.saved, node.out) if isinstance(a, np.ndarray)]
    return sum({id(array): array.nbytes for array in arrays}.values())


def test_checkpoint_keeps_fewer_values() -> None:
    x, weight = (rg.Tensor(MATRIX, requires_grad=True) for _ in range(2))
    plain, wrapped = (kept_bytes(network(x, weight, wrap)) for wrap in (plainly, rg.checkpoint))
    assert wrapped * 4 < plain


def test_checkpoint_takes_less_memory() -> None:
    x, weight = np.zeros((64, 64)), rg.Tensor(np.zeros((64, 64)), requires_grad=True)
    held = []
    for wrap in (plainly, rg.checkpoint):
        tracemalloc.start()
        output = network(x, weight, wrap)
        held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        del output
    assert held[1] * 2 < held[0]


def test_checkpoint_draws_the_same_random_numbers_again() -> None:
    def noisy(x):
        return x * x * rg.random.bernoulli(0.5, x.shape, "float64")

    x = rg.Tensor(np.ones(50), requires_grad=True)
    following = []
    for wrap in (plainly, rg.checkpoint):
        rg.manual_seed(7)
        output = wrap(noisy, x)
        before = rg.random.default_key.data.copy()
        output.sum().backward()
        # d(x² m)/dx = 2 x m at x = 1, whatever mask m was drawn
        np.testing.assert_array_equal(x.grad.numpy(), 2 * output.numpy())
        assert 0 < output.numpy().sum() < 50
        np.testing.assert_array_equal(rg.random.default_key.data, before)
        following.append(rg.random.uniform((3,)).numpy())
        x.grad = None
    np.testing.assert_array_equal(following[0], following[1])


def test_checkpoint_within_a_compiled_step() -> None:
    weight = rg.Parameter(MATRIX)

    def step(x, wrap):
        weight.grad = None

        def noisy(z):
            return block(z, weight) * rg.random.bernoulli(0.5, (3, 3), "float64")

        loss = (wrap(noisy, x) ** 2).sum()
        loss.backward()
        return loss, weight.grad * 1.0

    results = []
    for run in (step, rg.compile(step)):
        for wrap in (plainly, rg.checkpoint):
            rg.manual_seed(3)
            loss, gradient = run(rg.Tensor(MATRIX), wrap)
            results.append((loss.item(), gradient.numpy()))
    for loss, gradient in results[1:]:
        assert loss == pytest.approx(results[0][0], rel=1e-12)
        np.testing.assert_allclose(gradient, results[0][1], rtol=1e-11)


def test_checkpoint_is_not_optimized_away_when_compiled() -> None:
    # Without a barrier XLA would notice that the second forward pass equals the first.
    def compiled_tanhs(wrap) -> int:
        def loss(x):
            return wrap(lambda z: rg.tanh(rg.tanh(z) * 2), x).sum()

        step = rg.compile(lambda x: rg.value_and_grad(loss)(x))
        step(rg.Tensor(np.ones(1000, np.float32)))
        (program,) = next(iter(step.programs.values()))
        return program.run.as_text().count(" tanh(")

    assert compiled_tanhs(rg.checkpoint) > compiled_tanhs(plainly)


def test_checkpoint_of_something_else_than_a_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match="checkpoint: expected one tensor, found tuple"):
        rg.checkpoint(lambda x: (x, x), rg.Tensor([1.0]))


def test_checkpoint_without_gradients_only_computes() -> None:
    output = rg.checkpoint(rg.exp, rg.Tensor([0.0]))
    assert output.item() == 1.0
    assert not output.requires_grad


def test_a_pullback_is_differentiated_in_its_cotangent() -> None:
    """It is linear: the slope of u · cos(x) in u is cos(x); so are products Jv built."""
    x, u = np.array([0.3, 0.7]), np.array([1.0, 1.0])

    def pulled(u, x):
        return rg.sum(rg.vjp(rg.sin, x)[1](u)[0])

    for run in (lambda f: f, rg.compile):
        found = run(rg.grad(pulled))(rg.Tensor(u), rg.Tensor(x))
        assert not found.requires_grad
        np.testing.assert_allclose(found.numpy(), np.cos(x))
        of_u, of_x = run(rg.grad(pulled, (0, 1)))(rg.Tensor(u), rg.Tensor(x))
        np.testing.assert_allclose(of_u.numpy(), np.cos(x))
        np.testing.assert_allclose(of_x.numpy(), -np.sin(x))


def test_a_product_with_the_jacobian_by_two_pullbacks() -> None:
    x, v = POINT, np.array([1.0, -2.0, 0.5])
    pull = rg.vjp(field, rg.Tensor(x))[1]
    product = rg.vjp(lambda u: pull(u)[0], rg.Tensor(np.zeros(3)))[1](rg.Tensor(v))[0]
    np.testing.assert_allclose(product.numpy(), jax.jvp(field, (x,), (v,))[1], rtol=1e-5)


def test_arguments_may_be_containers() -> None:
    def loss(parameters, x):
        hidden = rg.tanh(x * parameters["w"][0] + parameters["b"])
        return rg.sum(hidden * parameters["w"][1])

    parameters = {"w": [rg.Tensor([0.5]), rg.Tensor([2.0, 1.0])], "b": rg.Tensor([0.1])}
    x = rg.Tensor([1.0, -1.0])
    plain = {"w": [jnp.array([0.5]), jnp.array([2.0, 1.0])], "b": jnp.array([0.1])}
    expected = jax.grad(lambda p: jnp.sum(jnp.tanh(jnp.array([1.0, -1.0]) * p["w"][0] + p["b"])
                                          * p["w"][1]))(plain)  # fmt: skip
    for run in (lambda f: f, rg.compile):
        value, found = run(rg.value_and_grad(loss))(parameters, x)
        assert value.item() == pytest.approx(loss(parameters, x).item(), rel=1e-6)
        for mine, right in zip(
            jax.tree.leaves(jax.tree.map(lambda t: t.numpy(), found)), jax.tree.leaves(expected),
            strict=True,
        ):  # fmt: skip
            np.testing.assert_allclose(mine, right, rtol=1e-5)
        (pulled,) = rg.vjp(lambda p: loss(p, x), parameters)[1](None)
        np.testing.assert_allclose(pulled["b"].numpy(), expected["b"], rtol=1e-5)
    assert rg.grad(lambda p: rg.sum(p * p))([1.0, 2.0]).tolist() == [2.0, 4.0]
