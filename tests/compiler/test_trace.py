"""Variables and compiled steps: nothing is lost, overwritten, or read where memory was reused."""

from __future__ import annotations

import copy
import signal

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.compiled_steps import Training, aligned, programs

import retrograd as rg
from retrograd.errors import TraceError

# A failing trace ----------------------------------------------------------------------------------


class Mistake(Exception):
    pass


def test_a_failing_trace_leaves_everything_as_it_was() -> None:
    training = Training()
    frozen = rg.Parameter([1.0], requires_grad=False)
    training.parameters[0].grad = kept = rg.Tensor(np.ones((5, 3), np.float32))

    def fail(x, y, how):
        training.step(x, y)
        frozen.data = frozen.data * 2
        training.parameters[1].grad = training.parameters[1] * 2
        if how == "control flow":
            return float(training.loss(x, y))
        raise Mistake

    step = rg.compile(fail)
    before = training.state()
    for how, error in (("control flow", TraceError), ("mistake", Mistake)):
        with pytest.raises(error):
            step(*training.batch(), how)
        for found, expected in zip(training.state(), before, strict=True):
            np.testing.assert_array_equal(found, expected)
        assert frozen.item() == 1.0
        assert training.parameters[0].grad is kept
        assert [p.grad for p in training.parameters[1:]] == [None] * 3
        assert programs(step) == 0


def test_a_failing_trace_does_not_disturb_a_compiled_step() -> None:
    training, plain = Training("float32"), Training("float32")
    step = rg.compile(training.step)

    def fail(x, y):
        training.step(x, y)
        raise Mistake

    for _ in range(3):
        rg.manual_seed(0)
        step(*training.batch())
        with pytest.raises(Mistake):
            rg.compile(fail)(*training.batch())
        rg.manual_seed(0)
        plain.step(*plain.batch())
    for found, expected in zip(training.state(), plain.state(), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert programs(step) == 1


@pytest.mark.parametrize("count", [2, 6])
def test_ctrl_c_during_a_step_loses_nothing(count: int) -> None:
    buffers = [rg.Buffer(np.ones(3, np.float32)) for _ in range(count)]
    step = rg.compile(lambda: [setattr(b, "data", b.data * 2) for b in buffers])
    step()
    ((program,),) = step.programs.values()

    def run_with_ctrl_c(*arrays):
        results = program.run(*arrays)
        signal.raise_signal(signal.SIGINT)  # when the old arrays are gone
        return results

    step.programs[next(iter(step.programs))] = [program._replace(run=run_with_ctrl_c)]
    with pytest.raises(KeyboardInterrupt):
        step()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    for buffer in buffers:
        np.testing.assert_array_equal(buffer.data, np.full(3, 4.0))


def test_ctrl_c_during_a_step_waits_for_what_the_device_computes() -> None:
    """An interpreter that ends meanwhile crashes; `retrograd fix` did so in half of the cases."""
    held = rg.Buffer(np.eye(1200, dtype=np.float32))

    @rg.compile
    def step():
        for _ in range(8):
            held.data = held.data @ held.data
        return None

    step()
    ((program,),) = step.programs.values()
    under_way = []

    def run_with_ctrl_c(*arrays):
        results = program.run(*arrays)
        under_way.append(not results[2][0].is_ready())
        signal.raise_signal(signal.SIGINT)
        return results

    step.programs[next(iter(step.programs))] = [program._replace(run=run_with_ctrl_c)]
    with pytest.raises(KeyboardInterrupt):
        step()
    assert under_way == [True]
    assert held._held.is_ready()


def test_ctrl_c_during_compilation_waits_for_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that ends meanwhile crashes as well."""
    compiled = []
    xla = jax.stages.Lowered.compile

    def with_ctrl_c(lowered):
        signal.raise_signal(signal.SIGINT)
        compiled.append(xla(lowered))
        return compiled[-1]

    monkeypatch.setattr(jax.stages.Lowered, "compile", with_ctrl_c)
    step = rg.compile(lambda x: x * 2)
    with pytest.raises(KeyboardInterrupt):
        step(rg.Tensor([1.0]))
    assert len(compiled) == 1
    monkeypatch.undo()
    assert step(rg.Tensor([1.0])).numpy() == 2


# Memory that a step reuses ------------------------------------------------------------------------

# Several small ones travel in one array; large ones, few ones and other dtypes go by themselves.
KINDS = {
    "small": (6, (4,), np.float32),
    "large": (2, (40_000,), np.float32),
    "float64": (5, (4,), np.float64),
    "one": (1, (64,), np.float32),
}


def doubling(variables):
    @rg.compile
    def step():
        for variable in variables:
            variable.data = variable.data * 2
        return [variable.detach() for variable in variables], [v.data for v in variables]

    return step


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("read_first", [False, True])
def test_what_was_taken_before_a_step_stays_as_it_was(kind: str, read_first: bool) -> None:
    count, shape, dtype = KINDS[kind]
    users = [aligned(np.full(shape, i + 1, dtype)) for i in range(count)]
    variables = [rg.Buffer(array) for array in users]
    step, look = doubling(variables), rg.compile(lambda: [variable * 1 for variable in variables])
    taken = []
    for doublings in range(4):
        factor = 2**doublings
        if read_first:
            look()
        taken += [(np.asarray(v), factor, i) for i, v in enumerate(variables)]
        taken += [(v.data, factor, i) for i, v in enumerate(variables)]
        taken += [(v.detach(), factor, i) for i, v in enumerate(variables)]
        results, raw = step()
        taken += [(t, 2 * factor, i) for i, t in enumerate(results)]
        taken += [(a, 2 * factor, i) for i, a in enumerate(raw)]
    for i, array in enumerate(users):  # never overwritten
        np.testing.assert_array_equal(array, np.full(shape, i + 1, dtype))
    for value, factor, i in taken:
        np.testing.assert_array_equal(np.asarray(value), np.full(shape, (i + 1) * factor, dtype))


def test_on_an_accelerator_too_what_was_taken_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    # There `.data` is JAX's array itself, as here when no array counts as one that a CPU can view.
    monkeypatch.setattr("retrograd.variable.is_jax", lambda value: False)
    variables = [rg.Buffer(np.full(40_000, 1.0, np.float32)) for _ in range(2)]
    step = doubling(variables)
    step()
    taken = [variables[0].data, variables[1].detach()]
    assert isinstance(taken[0], jnp.ndarray)
    step()
    step()
    for value in taken:
        np.testing.assert_array_equal(np.asarray(value), np.full(40_000, 2.0))
    np.testing.assert_array_equal(np.asarray(variables[0].data), np.full(40_000, 8.0))


def test_a_gradient_taken_before_a_step_stays_as_it_was() -> None:
    weight = rg.Parameter(aligned(np.ones(64)))

    @rg.compile
    def step():
        weight.grad = None
        (weight * weight).sum().backward()
        weight.data = weight.grad.data  # the same array in two places

    taken = []
    for i in range(4):
        step()
        taken.append((weight.grad, np.asarray(weight.grad), 2.0 ** (i + 1)))
    for tensor, view, expected in taken:
        np.testing.assert_array_equal(tensor.numpy(), np.full(64, expected))
        np.testing.assert_array_equal(view, np.full(64, expected))


def test_an_argument_that_becomes_a_variable_is_not_overwritten() -> None:
    buffer = rg.Buffer(np.zeros(64))

    @rg.compile
    def keep(x):
        buffer.data = x.data

    @rg.compile
    def double():
        buffer.data = buffer.data * 2

    mine = aligned(np.ones(64))
    for given in (rg.Tensor(mine), mine):
        if given is mine:
            rg.compile(lambda x: setattr(buffer, "data", x))(mine)
        else:
            keep(given)
        double()
        double()
        np.testing.assert_array_equal(mine, np.ones(64))
        np.testing.assert_array_equal(buffer.data, np.full(64, 4.0))


@pytest.mark.parametrize("make", [lambda: aligned(np.ones(64, np.float32)), lambda: jnp.ones(64)])
def test_two_variables_may_hold_the_same_array(make) -> None:
    shared = make()
    variables = [rg.Buffer(shared), rg.Buffer(shared)]

    @rg.compile
    def step():
        variables[0].data = variables[0].data * 2
        variables[1].data = variables[1].data * 3

    step()
    variables[1].data = variables[0].data  # and again, between steps
    step()
    step()
    np.testing.assert_array_equal(variables[0].data, np.full(64, 8.0))
    np.testing.assert_array_equal(variables[1].data, np.full(64, 18.0))
    np.testing.assert_array_equal(np.asarray(shared), np.ones(64))


def test_variables_made_equal_within_a_step_go_separate_ways_after_it() -> None:
    first, second = rg.Buffer(np.ones(64)), rg.Buffer(np.zeros(64))

    @rg.compile
    def tie():
        second.data = first.data
        first.data = first.data * 1

    step = doubling([first])
    tie()
    step()
    step()
    np.testing.assert_array_equal(first.data, np.full(64, 4.0))
    np.testing.assert_array_equal(second.data, np.ones(64))


def test_a_deep_copy_has_a_life_of_its_own() -> None:
    training = Training()
    step = rg.compile(training.step)
    step(*training.batch())
    twins = copy.deepcopy(training.parameters)
    for twin, parameter in zip(twins, training.parameters, strict=True):
        assert type(twin) is rg.Parameter
        np.testing.assert_array_equal(twin.numpy(), parameter.numpy())
    before = [twin.numpy().copy() for twin in twins]
    step(*training.batch())
    for twin, expected in zip(twins, before, strict=True):
        np.testing.assert_array_equal(twin.numpy(), expected)
    gradients = [parameter.grad for parameter in training.parameters]
    for twin in twins:
        twin.grad = None
    sum((twin * 3).sum() for twin in twins).backward()
    assert all((twin.grad.numpy() == 3).all() for twin in twins)
    assert all(p.grad is g for p, g in zip(training.parameters, gradients, strict=True))


# Another shape or dtype, given between steps ------------------------------------------------------


@pytest.mark.parametrize("count", [2, 6])
def test_a_variable_of_another_dtype_is_compiled_for(count: int) -> None:
    variables = [rg.Buffer(np.full(3, i, np.float32)) for i in range(count)]
    step = rg.compile(lambda: [setattr(v, "data", v.data + 1) for v in variables])
    step()
    fine = 1 + 2.0**-40
    variables[1].data = np.full(3, fine)
    step()
    assert variables[1].dtype == np.float64
    np.testing.assert_array_equal(variables[1].data, np.full(3, 1 + fine))
    np.testing.assert_array_equal(variables[0].data, np.full(3, 2.0))


@pytest.mark.parametrize("count", [2, 6])
def test_variables_that_exchange_their_shapes_are_compiled_for(count: int) -> None:
    # Packed into one array they would still fill it exactly.
    variables = [rg.Buffer(np.arange(i + 2, dtype=np.float32)) for i in range(count)]
    step = rg.compile(lambda: [setattr(v, "data", v.data + 1) for v in variables])
    step()
    variables[0].data, variables[1].data = variables[1].data, variables[0].data
    step()
    np.testing.assert_array_equal(variables[0].data, [2.0, 3.0, 4.0])
    np.testing.assert_array_equal(variables[1].data, [2.0, 3.0])
    for i, variable in enumerate(variables[2:], start=2):
        np.testing.assert_array_equal(variable.data, np.arange(i + 2) + 2)


# Steps that share Variables, in any order ---------------------------------------------------------

SIZES = [3, 1, 4, 2, 5, 20_000, 2]


class Shared:
    """Compiled steps over overlapping sets of Variables, compiled once for all examples."""

    def __init__(self) -> None:
        self.variables = [rg.Buffer(np.zeros(n, np.float32)) for n in SIZES]
        self.double = rg.compile(lambda k: self._double(range(5), k))
        self.shift = rg.compile(lambda k: self._shift(range(2, 7), k))
        self.total = rg.compile(lambda: sum(v.sum() for v in self.variables))
        self.swap = rg.compile(self._swap)

    def _double(self, which, k):
        for i in which:
            self.variables[i].data = self.variables[i].data * 2 + k

    def _shift(self, which, k):
        reach = self.variables[0].data.sum()
        for i in which:
            self.variables[i].data = self.variables[i].data + reach + k

    def _swap(self):
        a, b = self.variables[3], self.variables[6]
        a.data, b.data = b.data, a.data


class Model:
    """The same in NumPy, one array after the other."""

    def __init__(self) -> None:
        self.arrays = [np.zeros(n, np.float32) for n in SIZES]

    def double(self, k: int) -> None:
        self.arrays[:5] = [a * 2 + k for a in self.arrays[:5]]

    def shift(self, k: int) -> None:
        reach = self.arrays[0].sum()
        self.arrays[2:] = [a + reach + k for a in self.arrays[2:]]

    def swap(self, k: int) -> None:
        self.arrays[3], self.arrays[6] = self.arrays[6], self.arrays[3]


@pytest.fixture(scope="module")
def shared() -> Shared:
    return Shared()


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["double", "shift", "swap", "total", "view", "assign", "fail"]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=12,
)


@hypothesis.given(moves=MOVES)
@hypothesis.settings(
    max_examples=60, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
def test_steps_that_share_variables_agree_with_numpy_in_any_order(shared: Shared, moves) -> None:
    model, views = Model(), []
    for variable, array in zip(shared.variables, model.arrays, strict=True):
        variable.data = array
    for move, k in moves:
        if move == "total":
            total = sum(array.sum() for array in model.arrays)
            assert shared.total().item() == pytest.approx(total, rel=1e-5)
        elif move == "view":
            views += [(v.data, v.data.copy()) for v in shared.variables]
        elif move == "assign":
            model.arrays[k] = np.full(SIZES[k], k + 1, np.float32)
            shared.variables[k].data = model.arrays[k]
        elif move == "fail":
            with pytest.raises(TraceError):
                rg.compile(lambda: (shared._swap(), bool(shared.variables[0].sum())))()
        else:
            getattr(shared, move)(*([] if move == "swap" else [k]))
            getattr(model, move)(k)
    for variable, array in zip(shared.variables, model.arrays, strict=True):
        np.testing.assert_allclose(variable.data, array, rtol=1e-5)
    for view, copied in views:
        np.testing.assert_array_equal(view, copied)
    assert max(map(programs, (shared.double, shared.shift, shared.swap, shared.total))) <= 1
