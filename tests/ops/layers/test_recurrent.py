"""Recurrent cells along time against the same formulas in JAX: eagerly, compiled, and twice."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import retrograd as rg
from retrograd.ops.layers.recurrent import ElmanStep, GRUStep, LSTMStep, recur


@pytest.fixture(autouse=True)
def quick_compilation():
    """Compiling takes all the time here, running none."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


LENGTH, BATCH, HIDDEN = 4, 3, 2
SEEN = np.arange(LENGTH)[:, None, None] < np.array([4, 2, 1])[:, None]  # (t, n, 1)


def rnn(a: Any, b: Any, h: Any) -> Any:
    return (jnp.tanh(a + b),)


def rectified(a: Any, b: Any, h: Any) -> Any:
    return (jnp.maximum(a + b, 0),)


def lstm(a: Any, b: Any, h: Any, c: Any) -> Any:
    i, f, g, o = jnp.split(a + b, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru(a: Any, b: Any, h: Any) -> Any:
    (a_r, a_z, a_n), (b_r, b_z, b_n) = jnp.split(a, 3, axis=-1), jnp.split(b, 3, axis=-1)
    z = jax.nn.sigmoid(a_z + b_z)
    return ((1 - z) * jnp.tanh(a_n + jax.nn.sigmoid(a_r + b_r) * b_n) + z * h,)


CELLS = {
    "rnn": (ElmanStep(), rnn),
    "rectified": (ElmanStep("relu"), rectified),
    "lstm": (LSTMStep(), lstm),
    "gru": (GRUStep(), gru),
}
WAYS = {
    "plain": {},
    "without bias": {"bias": False},
    "of lengths": {"mask": SEEN},
    "backwards": {"reverse": True, "bias": False},
    "backwards of lengths": {"mask": SEEN, "reverse": True},
}


def operands(cell: Any, rng: np.random.Generator, bias: bool = True) -> list[np.ndarray]:
    """The input's part, the states, the weight and the bias."""
    gates = cell.gates * HIDDEN
    shapes = [(LENGTH, BATCH, gates), *[(BATCH, HIDDEN)] * cell.states, (gates, HIDDEN)]
    return [rng.normal(size=shape) for shape in [*shapes, *([(gates,)] if bias else [])]]


def by_jax(formula: Any, xs: list[Any], bias: bool, mask: Any, reverse: bool) -> Any:
    """The outputs and the last states, one step after the other."""
    projected, *states = xs[: -2 if bias else -1]
    weight, added = (xs[-2], xs[-1]) if bias else (xs[-1], 0)
    outputs: list[Any] = [None] * LENGTH
    for t in reversed(range(LENGTH)) if reverse else range(LENGTH):
        new = formula(projected[t], states[0] @ weight.T + added, *states)
        if mask is not None:
            new = [jnp.where(mask[t], b, a) for a, b in zip(states, new, strict=True)]
        states = list(new)
        outputs[t] = states[0]
    return [jnp.stack(outputs), *states]


def ours(cell: Any, xs: list[Any], bias: bool, mask: Any, reverse: bool) -> Any:
    states = xs[1 : 1 + cell.states]
    weight, *rest = xs[1 + cell.states :]
    outputs, last = recur(cell, xs[0], states, weight, *rest, mask=mask, reverse=reverse)
    return [outputs, *last]


def weighed(library: Any, results: list[Any]) -> Any:
    """A number in which every element of every result, squared, has a weight of its own."""
    rng = np.random.default_rng(1)
    return sum(library.sum(x * x * rng.uniform(0.5, 1.5, x.shape)) for x in results)


def expected(formula: Any, xs: list[np.ndarray], **way: Any) -> list[np.ndarray]:
    """The results, the gradient of each operand, and the gradients of those, weighed."""

    def loss(*xs: Any) -> Any:
        results = by_jax(formula, list(xs), **way)
        return weighed(jnp, results), results

    def slopes(*xs: Any) -> Any:
        found, results = jax.grad(loss, range(len(xs)), has_aux=True)(*xs)
        return weighed(jnp, found), [*results, *found]

    with jax.enable_x64(True):
        second, before = jax.jit(jax.grad(slopes, range(len(xs)), has_aux=True))(*xs)
    return [np.asarray(x) for x in [*before, *second]]


def results_and_gradients(cell: Any, xs: list[Any], order: int, **way: Any) -> list[Any]:
    places = tuple(range(len(xs)))

    def loss(*xs: Any) -> Any:
        results = ours(cell, list(xs), **way)
        return weighed(rg, results), results

    def slopes(*xs: Any) -> Any:
        found, results = rg.grad(loss, places, has_aux=True)(*xs)
        return weighed(rg, found), [*results, *found]

    if order == 1:
        return slopes(*xs)[1]
    second, before = rg.grad(slopes, places, has_aux=True)(*xs)
    return [*before, *second]


@pytest.mark.parametrize("way", WAYS)
def test_results_and_gradients_are_those_of_the_formulas(
    way: str, rng: np.random.Generator
) -> None:
    options = {"bias": True, "mask": None, "reverse": False} | WAYS[way]
    given = {name: operands(cell, rng, options["bias"]) for name, (cell, _) in CELLS.items()}
    right = {name: expected(CELLS[name][1], xs, **options) for name, xs in given.items()}

    def all_cells(given: dict[str, list[Any]], order: int) -> dict[str, list[Any]]:
        return {
            name: results_and_gradients(CELLS[name][0], xs, order, **options)
            for name, xs in given.items()
        }

    tensors = {name: [rg.Tensor(x) for x in xs] for name, xs in given.items()}
    runs = [all_cells(tensors, 2), rg.compile(lambda given: all_cells(given, 1))(tensors)]
    if way == "backwards of lengths":  # the one that has everything
        runs.append(rg.compile(lambda given: all_cells(given, 2))(tensors))
    for run in runs:
        for name, found in run.items():
            for mine, theirs in zip(found, right[name], strict=False):
                np.testing.assert_allclose(mine.numpy(), theirs, rtol=1e-9, atol=1e-11)


def test_a_compiled_loop_gives_each_operand_its_gradient_or_none(rng: np.random.Generator) -> None:
    xs = [rg.Tensor(x) for x in operands(LSTMStep(), rng)]

    def last_cell(*xs: Any) -> Any:
        return rg.sum(ours(LSTMStep(), list(xs), True, None, False)[2])

    for i in range(len(xs)):  # only the last cell state is used, and only one operand is asked for

        def of_one(x: Any, i: int = i) -> Any:
            return rg.grad(lambda x: last_cell(*xs[:i], x, *xs[i + 1 :]))(x)

        eager, compiled = of_one(xs[i]), rg.compile(of_one)(xs[i])
        np.testing.assert_allclose(compiled.numpy(), eager.numpy(), rtol=1e-10)


def test_a_loop_begins_with_the_first_step_unless_told(rng: np.random.Generator) -> None:
    projected, h, weight = operands(GRUStep(), rng, bias=False)
    outputs, last = recur(GRUStep(), rg.Tensor(projected), [rg.Tensor(h)], rg.Tensor(weight))
    right = by_jax(gru, [projected, h, weight], False, None, False)
    for mine, each in zip([outputs, *last], right, strict=True):
        np.testing.assert_allclose(mine.numpy(), each, rtol=1e-5)


def test_a_compiled_loop_without_a_gradient_keeps_no_graph(rng: np.random.Generator) -> None:
    xs = [rg.Parameter(x) for x in operands(LSTMStep(), rng)]
    needed = []

    def step(*xs: Any) -> Any:
        with rg.no_grad():
            results = ours(LSTMStep(), list(xs), True, None, False)
        needed.append([each.requires_grad for each in results])
        return results

    eager, compiled = step(*xs), rg.compile(step)(*xs)
    for mine, right in zip(compiled, eager, strict=True):
        np.testing.assert_allclose(mine.numpy(), right.numpy(), rtol=1e-10)
    assert needed == [[False] * 3] * len(needed)


def test_a_compiled_loop_is_one_whatever_its_length() -> None:
    def program(length: int) -> str:
        def run(projected: Any) -> Any:
            xs = [projected, jnp.zeros((BATCH, HIDDEN)), jnp.ones((HIDDEN, HIDDEN))]
            results = ours(ElmanStep(), [rg.Tensor(x) for x in xs], False, None, False)
            return results[0].data

        return str(jax.make_jaxpr(run)(jnp.ones((length, BATCH, HIDDEN))))

    assert program(5).count("tanh") == program(50).count("tanh")


def test_a_loop_whose_values_were_given_up_says_so(rng: np.random.Generator) -> None:
    xs = [jnp.asarray(x) for x in operands(ElmanStep(), rng)]

    def twice() -> None:
        leaves = [rg.Tensor(x, requires_grad=True) for x in xs]
        total = rg.sum(ours(ElmanStep(), leaves, True, None, False)[0])
        total.backward()
        total.backward()

    with pytest.raises(RuntimeError, match="a second time"):
        rg.compile(twice)()
