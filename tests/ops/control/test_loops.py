"""Loops and branches: the same numbers eagerly, compiled, and by `jax.grad` of `lax.scan`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import retrograd as rg
from retrograd import ops

LENGTH, BATCH, IN, HIDDEN = 6, 2, 3, 4


@pytest.fixture
def values(rng: np.random.Generator) -> dict[str, np.ndarray[Any, Any]]:
    return {
        "h": rng.normal(size=(BATCH, HIDDEN)),
        "xs": rng.normal(size=(LENGTH, BATCH, IN)),
        "w": rng.normal(size=(HIDDEN, HIDDEN)) / 2,
        "u": rng.normal(size=(IN, HIDDEN)),
    }


def recurrent(values: dict[str, Any], **options: Any) -> Any:
    """A recurrent network's loss as a step: the value, and the gradients of all it depends on."""
    w, u = rg.Parameter(values["w"]), rg.Parameter(values["u"])

    def step(h: Any, xs: Any) -> Any:
        w.grad = u.grad = None
        h, xs = (rg.Tensor(x.data, requires_grad=True) for x in (h, xs))

        def one(h: Any, x: Any) -> Any:
            h = ops.tanh(x @ u + h @ w)
            return h, {"squares": h * h, "positive": ops.where(h > 0, h, 0)}

        last, ys = rg.scan(one, h, xs, **options)
        loss = (ys["squares"] * ys["positive"]).sum() + (last * last).sum()
        loss.backward()
        return [loss, h.grad, xs.grad, w.grad, u.grad]

    return step


def by_jax(values: dict[str, Any], truncate: int | None = None) -> list[Any]:
    """The same by `jax.grad` over `lax.scan`, in float64."""

    def loss(h: Any, xs: Any, w: Any, u: Any) -> Any:
        def one(h: Any, each: Any) -> Any:
            t, x = each
            if truncate:
                h = jnp.where((t % truncate == 0) & (t > 0), jax.lax.stop_gradient(h), h)
            h = jnp.tanh(x @ u + h @ w)
            return h, h * h * jnp.where(h > 0, h, 0)

        last, ys = jax.lax.scan(one, h, (jnp.arange(LENGTH), xs))
        return ys.sum() + (last * last).sum()

    with jax.enable_x64(True):
        arguments = [jnp.asarray(values[name]) for name in ("h", "xs", "w", "u")]
        value, found = jax.value_and_grad(loss, argnums=(0, 1, 2, 3))(*arguments)
        return [np.asarray(each) for each in (value, *found)]


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("truncate", [None, 4])
@pytest.mark.parametrize("compiled", [False, True])
def test_scan_backpropagates_through_time(
    values: dict[str, Any], compiled: bool, truncate: int | None, recompute: bool
) -> None:
    step = recurrent(values, recompute=recompute, truncate=truncate)
    step = rg.compile(step) if compiled else step
    ours = step(rg.Tensor(values["h"]), rg.Tensor(values["xs"]))
    for mine, right in zip(ours, by_jax(values, truncate), strict=True):
        np.testing.assert_allclose(np.asarray(mine), right, rtol=1e-10, atol=1e-12)


def test_a_compiled_scan_is_one_loop_whatever_its_length(values: dict[str, Any]) -> None:
    def program(length: int) -> str:
        def loss(h: Any) -> Any:
            h = rg.Tensor(h, requires_grad=True)
            last, _ = rg.scan(lambda h, _: (ops.tanh(h), None), h, length=length)
            last.sum().backward()
            return h.grad.data

        return str(jax.make_jaxpr(loss)(jnp.ones(3)))

    assert program(5).count("tanh") == program(50).count("tanh")


def test_recompute_keeps_only_the_carries() -> None:
    def kept(**options: bool) -> int:
        def loss(h: Any) -> Any:
            h = rg.Tensor(h, requires_grad=True)

            def one(h: Any, _: None) -> Any:
                for _ in range(5):
                    h = ops.tanh(h)
                return h, None

            last, _ = rg.scan(one, h, length=7, **options)
            last.sum().backward()
            return h.grad.data

        forward = next(
            e for e in jax.make_jaxpr(loss)(jnp.ones(3)).eqns if e.primitive.name == "scan"
        )
        return len(forward.outvars)

    assert kept(recompute=True) == 2  # the last carry, and every step's
    assert kept() == kept(recompute=False) > 5


def test_a_weight_is_not_kept_once_a_step() -> None:
    w = np.ones((3, 3), np.float32)

    def loss(h: Any, w: Any) -> Any:
        h, w = rg.Tensor(h, requires_grad=True), rg.Tensor(w, requires_grad=True)
        last, _ = rg.scan(lambda h, _: (ops.tanh(h @ w), None), h, length=7)
        last.sum().backward()
        return w.grad.data

    jaxpr = jax.make_jaxpr(loss)(jnp.ones((2, 3)), w)
    forward = next(e for e in jaxpr.eqns if e.primitive.name == "scan")
    assert (7, 3, 3) not in [variable.aval.shape for variable in forward.outvars]


def test_scan_can_be_differentiated_twice_in_a_compiled_step(values: dict[str, Any]) -> None:
    def twice(h: Any) -> Any:
        def loss(h: Any) -> Any:
            last, ys = rg.scan(lambda h, _: (ops.sin(h), h * h), h, length=4)
            return (last * last).sum() + ys.sum()

        nested = rg.grad(lambda h: rg.grad(loss)(h).sum())(h)
        return rg.hvp(loss, h, h * 0 + 1)[1], nested

    h = rg.Tensor(values["h"])
    for compiled, eager in zip(rg.compile(twice)(h), twice(h), strict=True):
        np.testing.assert_allclose(compiled.numpy(), eager.numpy(), rtol=1e-10)


def test_an_input_of_a_compiled_scan_that_has_no_slope_gets_zeros() -> None:
    def step(h: Any, xs: Any) -> Any:
        unused, used = (rg.Tensor(x.data, requires_grad=True) for x in xs)
        last, _ = rg.scan(lambda h, x: (h * x[1], None), h, (unused, used))
        last.sum().backward()
        return unused.grad, used.grad

    xs = [rg.Tensor(np.ones((3, 2, 2))), rg.Tensor(np.full((3, 2), 2.0))]
    for run in (step, rg.compile(step)):
        of_unused, of_used = run(rg.Tensor(np.ones(2)), xs)
        assert of_used.numpy().tolist() == [[4, 4]] * 3
        assert of_unused is None or of_unused.numpy().tolist() == np.zeros((3, 2, 2)).tolist()


@pytest.mark.parametrize("truncate", [None, 1])
@pytest.mark.parametrize("compiled", [False, True])
def test_what_a_step_counts_or_replaces_leaves_the_gradient_to_the_rest(
    compiled: bool, truncate: int | None, rng: np.random.Generator
) -> None:
    h, xs, weights = rng.normal(size=2), rng.normal(size=(3, 2)), rng.normal(size=(3, 2))

    def step(h: Any, xs: Any) -> Any:
        h, xs = (rg.Tensor(x.data, requires_grad=True) for x in (h, xs))

        def one(carry: Any, x: Any) -> Any:
            h = carry["h"] * ops.cumsum(x, dim=0)
            after = {"h": h, "latest": x * 1.0, "count": carry["count"] + 1}
            return after, (carry["count"], h, rg.Tensor(np.array(5.0)))

        start = {"h": h, "latest": h * 0.0, "count": rg.Tensor(np.array(0))}
        last, (counts, all_h, fives) = rg.scan(one, start, xs, truncate=truncate)
        (all_h * weights).sum().backward()
        return last["latest"], last["count"], counts, fives, h.grad, xs.grad

    def loss(h: Any, xs: Any) -> Any:
        total = 0
        for t, x in enumerate(xs):
            h = (jax.lax.stop_gradient(h) if truncate and t else h) * jnp.cumsum(x)
            total += (h * weights[t]).sum()
        return total

    run = rg.compile(step) if compiled else step
    latest, count, counts, fives, *slopes = run(rg.Tensor(h), rg.Tensor(xs))
    assert (latest.numpy() == xs[-1]).all()
    assert (count.item(), counts.tolist(), fives.tolist()) == (3, [0, 1, 2], [5, 5, 5])
    with jax.enable_x64(True):
        right = jax.grad(loss, (0, 1))(jnp.asarray(h), jnp.asarray(xs))
    for mine, each in zip(slopes, right, strict=True):
        np.testing.assert_allclose(mine.numpy(), each, rtol=1e-12)


def test_scan_refuses_a_carry_that_changes() -> None:
    with pytest.raises(ValueError, match=r"a carry of float32\[2\] came back .* float32\[4\]"):
        rg.scan(lambda h, _: (ops.concatenate([h, h]), None), rg.Tensor([1.0, 2.0]), length=2)
    with pytest.raises(TypeError, match=r"scan: <lambda> returns .* expected"):
        rg.scan(lambda h, _: ((h, h), None), rg.Tensor([1.0]), length=2)
    with pytest.raises(ValueError, match="one length"):
        rg.scan(lambda h, x: (h, None), rg.Tensor([1.0]), rg.Tensor([1.0, 2.0]), length=3)


def test_a_compiled_scan_refuses_random_numbers_inside() -> None:
    def step(h: Any) -> Any:
        return rg.scan(lambda h, _: (h * rg.random.bernoulli(0.5, (2,)), None), h, length=3)[0]

    with pytest.raises(RuntimeError, match="random numbers before the loop"):
        rg.compile(step)(rg.Tensor([1.0, 2.0]))


def one_way_or_the_other(p: Any, a: Any, b: Any) -> Any:
    return rg.cond(p > 0, lambda: {"a": a, "b": b}, lambda: {"b": b, "a": a})


ORDERS = {
    "scan": lambda p, a, b: rg.scan(
        lambda c, _: ({"b": c["b"], "a": c["a"]}, {"b": c["b"]}), {"a": a, "b": b}, length=3
    )[0],
    "while_loop": lambda p, a, b: rg.while_loop(
        lambda c: c["a"] < p, lambda c: {"b": c["b"], "a": c["a"] + 0}, {"a": a, "b": b}, 3
    ),
    "cond": one_way_or_the_other,
}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", ORDERS)
def test_the_order_of_the_names_in_a_dict_does_not_matter(name: str, compiled: bool) -> None:
    run = rg.compile(ORDERS[name]) if compiled else ORDERS[name]
    for p in (-3.0, 3.0):
        found = run(rg.Tensor(p), rg.Tensor(1.0), rg.Tensor(2.0))
        assert {key: value.item() for key, value in found.items()} == {"a": 1, "b": 2}


RUNS = {
    "scan": lambda x: rg.scan(lambda h, _: (h * 2, None), x, length=2)[0],
    "cond": lambda x: rg.cond(x.sum() > 0, lambda x: x * 4, lambda x: x, x),
}


@pytest.mark.parametrize("name", RUNS)
def test_what_is_compiled_needs_a_gradient_only_where_its_operands_do(name: str) -> None:
    needed = []

    def step(x: Any) -> Any:
        y = RUNS[name](x)
        needed.append(y.requires_grad)
        z = RUNS[name](rg.Tensor(x.data, requires_grad=True))
        needed.append(z.requires_grad)
        return y, z

    assert [each.tolist() for each in rg.compile(step)(rg.Tensor([1.0]))] == [[4], [4]]
    assert needed[:2] == [False, True]


@pytest.mark.parametrize("compiled", [False, True])
def test_while_loop_has_the_gradient_of_the_steps_it_took(compiled: bool) -> None:
    def step(x: Any) -> Any:
        x = rg.Tensor(x.data, requires_grad=True)
        y = rg.while_loop(lambda c: c < 100, lambda c: 2 * c + 1, x, max_steps=12)
        y.backward()
        return y, x.grad

    y, slope = (rg.compile(step) if compiled else step)(rg.Tensor(1.0))
    assert (y.item(), slope.item()) == (127.0, 64.0)  # six steps of 2 c + 1


@pytest.mark.parametrize("compiled", [False, True])
def test_while_loop_takes_no_more_steps_than_told(compiled: bool) -> None:
    def step(x: Any) -> Any:
        return rg.while_loop(lambda c: c < 100, lambda c: 2 * c, x, max_steps=3)

    assert (rg.compile(step) if compiled else step)(rg.Tensor(1.0)).item() == 8


def test_while_loop_needs_no_bound_unless_compiled() -> None:
    def step(x: Any) -> Any:
        return rg.while_loop(lambda c: c < 100, lambda c: 2 * c + 1, x)

    assert step(rg.Tensor(1.0)).item() == 127
    with pytest.raises(ValueError, match="max_steps"):
        rg.compile(step)(rg.Tensor(1.0))


def test_a_compiled_while_loop_may_begin_with_a_constant() -> None:
    def step(bound: Any) -> Any:
        return rg.while_loop(lambda c: c < bound, lambda c: 2 * c, rg.Tensor(1.0), max_steps=9)

    assert rg.compile(step)(rg.Tensor(100.0)).item() == 128


def test_while_loop_refuses_a_body_that_changes_the_arrangement() -> None:
    def grow(c: Any) -> Any:
        return c, c

    with pytest.raises(TypeError, match="while_loop: grow returns"):
        rg.compile(lambda x: rg.while_loop(lambda c: c < 9, grow, x, max_steps=2))(rg.Tensor(1.0))


@pytest.mark.parametrize("recompute", [False, True])
def test_gradients_reach_what_a_compiled_step_takes_from_around_it(recompute: bool) -> None:
    def step(x: Any) -> Any:
        x = rg.Tensor(x.data, requires_grad=True)
        twice = x * 2  # computed outside, used inside
        y = rg.cond(x.sum() > 0, lambda z: (twice * z * x).sum(), lambda z: z.sum(), x)
        last, _ = rg.scan(lambda h, _: (h + twice * x, None), x, length=3, recompute=recompute)
        (y + last.sum()).backward()
        return x.grad

    x = rg.Tensor(np.array([1.0, 2.0]))
    # d/dx of 2 x³ + x + 3 · 2 x²
    assert rg.compile(step)(x).numpy().tolist() == step(x).numpy().tolist() == [19.0, 49.0]
