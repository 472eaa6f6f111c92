"""`@rg.compile`: the same numbers as eagerly, compiled once for each set of shapes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from support.compiled_steps import Training, assert_equal_states, counting_compilations, programs

import retrograd as rg
from retrograd.arrays import state
from retrograd.errors import TraceError

# The same numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "rtol"), [("float32", 1e-4), ("float64", 1e-11)])
def test_eager_and_compiled_give_the_same_numbers_dropout_included(dtype: str, rtol: float) -> None:
    results = []
    for compiled in (False, True):
        rg.manual_seed(1)
        training = Training(dtype)
        step = rg.compile(training.step) if compiled else training.step
        losses = [step(*training.batch(seed=i)).item() for i in range(5)]
        results.append((losses, training.state()))
    np.testing.assert_allclose(results[1][0], results[0][0], rtol=rtol)
    assert len(set(results[0][0])) == 5
    assert_equal_states(results[1][1], results[0][1], rtol)


def test_the_same_step_compiled_runs_beside_its_eager_form() -> None:
    mixed, eager = Training(), Training()
    step = rg.compile(mixed.step)
    for i in range(6):
        rg.manual_seed(i)
        (step if i % 2 else mixed.step)(*mixed.batch(seed=i))
        rg.manual_seed(i)
        eager.step(*eager.batch(seed=i))
    assert_equal_states(mixed.state(), eager.state(), 1e-4)


def test_the_gradients_left_behind_are_eagers() -> None:
    training = Training("float64")

    def backward(x, y):
        for parameter in training.parameters:
            parameter.grad = None
        training.loss(x, y).backward()

    found = []
    for run in (backward, rg.compile(backward)):
        rg.manual_seed(0)
        run(*training.batch())
        found.append([parameter.grad.numpy() for parameter in training.parameters])
    for mine, theirs in zip(found[1], found[0], strict=True):
        assert mine.dtype == np.float64
        np.testing.assert_allclose(mine, theirs, rtol=1e-11, atol=1e-13)


def test_gradients_accumulate_over_compiled_calls() -> None:
    weight = rg.Parameter(np.array([1.0, 2.0]))

    @rg.compile
    def backward(x):
        (weight * x).sum().backward()

    for times in (1, 2, 3):
        backward(rg.Tensor(np.array([3.0, 5.0])))
        np.testing.assert_array_equal(weight.grad.numpy(), [3.0 * times, 5.0 * times])
    assert programs(backward) == 2  # with nothing to add to, and with something
    weight.grad = None
    backward(rg.Tensor(np.array([3.0, 5.0])))
    np.testing.assert_array_equal(weight.grad.numpy(), [3.0, 5.0])
    assert programs(backward) == 2


def test_a_gradient_set_eagerly_is_what_the_step_reads() -> None:
    weight = rg.Parameter(np.array([1.0, 2.0]))

    @rg.compile
    def descend():
        weight.data = (weight - weight.grad).data
        weight.grad = None

    weight.grad = rg.Tensor(np.array([0.5, 0.25]))
    descend()
    np.testing.assert_array_equal(weight.numpy(), [0.5, 1.75])
    assert weight.grad is None


# Compiled once ------------------------------------------------------------------------------------


def test_the_second_step_does_not_compile() -> None:
    training = Training()
    step = rg.compile(training.step)
    with counting_compilations() as first:
        step(*training.batch())
    assert first
    with counting_compilations() as later:
        for i in range(3):
            step(*training.batch(seed=i))
    assert not later
    assert programs(step) == 1


def test_reading_and_writing_between_steps_does_not_compile() -> None:
    training = Training()
    step = rg.compile(training.step)
    loss = step(*training.batch())
    with counting_compilations() as later:
        for parameter in training.parameters:
            parameter.data = np.asarray(parameter) * 0.5
        float(loss * 2 + training.parameters[0].sum())
        step(*training.batch())
    assert not later
    assert programs(step) == 1


def test_changed_shapes_compile_once_more() -> None:
    training = Training()
    step = rg.compile(training.step)
    for rows in (8, 3, 8, 3):  # the last batch of an epoch is smaller
        step(*training.batch(rows))
    assert programs(step) == 2


def test_changed_dtypes_compile_once_more() -> None:
    step = rg.compile(lambda x: x * 2)
    for dtype in ("float32", "float64", "int64", "float32"):
        assert step(rg.Tensor(np.ones(3), dtype=dtype)).dtype == dtype
    assert programs(step) == 3


def test_python_numbers_are_inputs() -> None:
    step = rg.compile(lambda x, rate, count: x * rate + count)
    x = rg.Tensor([1.0, 2.0])
    for rate, count in ((0.5, 1), (0.25, 2), (2.0, 3)):
        found = step(x, rate, count)
        np.testing.assert_array_equal(found.numpy(), [rate + count, 2 * rate + count])
        assert found.dtype == np.float32
    assert programs(step) == 1


def test_flags_and_words_are_part_of_the_program() -> None:
    step = rg.compile(lambda x, double, unit=None: x * (2 if double else 1))
    x = rg.Tensor([1.0])
    assert [step(x, flag).item() for flag in (True, False, True)] == [2.0, 1.0, 2.0]
    step(x, True, "m")
    assert programs(step) == 3


class Mode:
    on = True


def test_a_guarded_flag_traces_anew_and_both_programs_are_kept() -> None:
    mode = Mode()

    @rg.compile
    def step(x):
        if state.trace is not None:
            state.trace.guard(mode, "on", mode.on)
        return x * (2 if mode.on else 1)

    found = []
    for mode.on in (True, False, True, False):
        found.append(step(rg.Tensor([1.0])).item())
    assert found == [2.0, 1.0, 2.0, 1.0]
    assert programs(step) == 2


def test_freezing_a_parameter_traces_anew_and_both_programs_are_kept() -> None:
    first, second = rg.Parameter([1.0]), rg.Parameter([2.0])

    @rg.compile
    def backward():
        first.grad = second.grad = None
        (first * second).sum().backward()

    for frozen in (False, True, False, True):
        second.requires_grad = not frozen
        backward()
        assert first.grad.item() == 2.0
        assert (second.grad is None) == frozen
    assert programs(backward) == 2


# Arguments and results ----------------------------------------------------------------------------


class Pair(NamedTuple):
    left: object
    right: object


def test_arguments_and_results_may_be_nested() -> None:
    def rearrange(batch, *rest, pair, **options):
        return {
            "sum": batch["x"] + rest[0][1],
            "pair": Pair(pair.right * options["scale"], [pair.left, "label", None, True, 7]),
        }

    x, y, z = (rg.Tensor(np.arange(3.0) + i) for i in range(3))
    arguments = ({"x": x}, (1, y)), {"pair": Pair(x, z), "scale": 2.0}
    found = rg.compile(rearrange)(*arguments[0], **arguments[1])
    expected = rearrange(*arguments[0], **arguments[1])
    assert list(found) == ["sum", "pair"]
    np.testing.assert_array_equal(found["sum"].numpy(), expected["sum"].numpy())
    assert type(found["pair"]) is Pair
    np.testing.assert_array_equal(found["pair"].left.numpy(), expected["pair"].left.numpy())
    np.testing.assert_array_equal(found["pair"].right[0].numpy(), x.numpy())
    assert found["pair"].right[1:] == ["label", None, True, 7]


def test_raw_arrays_go_in_and_come_out_as_numpys() -> None:
    doubled, scalar = rg.compile(lambda x, n: (x * 2, n + 1))(np.arange(3.0), np.int64(4))
    assert type(doubled) is np.ndarray
    np.testing.assert_array_equal(doubled, [0.0, 2.0, 4.0])
    assert isinstance(scalar, np.ndarray)
    assert (scalar, scalar.dtype) == (5, np.int64)


def test_eager_code_after_a_step_stays_on_numpy() -> None:
    weight = rg.Parameter(np.ones(3))

    @rg.compile
    def step(x):
        weight.grad = None
        loss = (weight * x).sum()
        loss.backward()
        weight.data = weight.data * 2
        return loss, {"x": x}

    loss, rest = step(rg.Tensor(np.arange(3.0)))
    for tensor in (loss, rest["x"], weight, weight.grad, loss * 2, weight + 1, weight.detach()):
        assert type(tensor.data) is np.ndarray
    assert repr(loss) == "Tensor(3., dtype=float64)"
    assert repr(weight) == "Parameter([2., 2., 2.], dtype=float64, requires_grad=True)"


def test_64_bit_values_keep_all_their_bits() -> None:
    big, fine = 2**53 + 1, 1 + 2.0**-52
    count = rg.Slot(np.array([big]))

    @rg.compile
    def step(n, x):
        count.data = count.data + 1
        return n + 1, x * 1

    n, x = step(rg.Tensor([big]), rg.Tensor(np.array([fine])))
    assert (n.item(), n.dtype) == (big + 1, np.int64)
    assert (x.item(), x.dtype) == (fine, np.float64)
    assert (count.item(), count.dtype) == (big + 1, np.int64)


def test_a_result_of_a_step_goes_into_the_next() -> None:
    step = rg.compile(lambda x: x * 2)
    x = rg.Tensor([1.0])
    for _ in range(3):
        x = step(x)
    assert x.item() == 8.0
    assert programs(step) == 1


def test_a_compiled_function_is_known_by_its_own_name() -> None:
    @rg.compile
    def step(x):
        """What it does."""
        return x

    assert (step.__name__, step.__doc__) == ("step", "What it does.")


# Steps within steps, and many in one --------------------------------------------------------------


def test_a_step_within_a_step_is_part_of_it() -> None:
    training, plain = Training(), Training()
    inner = rg.compile(training.step)

    @rg.compile
    def two_steps(x, y):
        return inner(x, y) + inner(x, y)

    rg.manual_seed(0)
    found = two_steps(*training.batch()).item()
    rg.manual_seed(0)
    expected = sum(plain.step(*plain.batch()).item() for _ in range(2))
    assert found == pytest.approx(expected, rel=1e-5)
    assert_equal_states(training.state(), plain.state(), 1e-5)
    assert programs(inner) == 0


def batches(training: Training, seeds: range) -> list[rg.Tensor]:
    pairs = [training.batch(seed=seed) for seed in seeds]
    return [rg.Tensor(np.stack([pair[k].numpy() for pair in pairs])) for k in range(2)]


def test_over_is_a_loop_of_single_steps_random_numbers_included() -> None:
    looped, scanned = Training("float64"), Training("float64")
    rg.manual_seed(4)
    expected = [looped.step(*looped.batch(seed=i)).item() for i in range(6)]
    final = looped.state()
    rg.manual_seed(4)
    step = rg.compile(scanned.step)
    losses = [step.over(*batches(scanned, range(3))).numpy()]
    with counting_compilations() as later:
        losses.append(step.over(*batches(scanned, range(3, 6))).numpy())
    assert not later
    np.testing.assert_allclose(np.concatenate(losses), expected, rtol=1e-11)
    assert_equal_states(scanned.state(), final, 1e-11)
    assert programs(step) == 1
    assert all(parameter.grad is None for parameter in scanned.parameters)


def test_over_and_single_steps_share_their_variables() -> None:
    mixed, looped = Training(), Training()
    step = rg.compile(mixed.step)
    rg.manual_seed(2)
    step(*mixed.batch(seed=0))
    step.over(*batches(mixed, range(2)))
    step(*mixed.batch(seed=0))
    rg.manual_seed(2)
    for seed in (0, 0, 1, 0):
        looped.step(*looped.batch(seed=seed))
    assert_equal_states(mixed.state(), looped.state(), 1e-4)


def test_over_steps_that_accumulate_gradients_are_refused() -> None:
    weight = rg.Parameter([1.0])
    step = rg.compile(lambda x: (weight * x).sum().backward())
    with pytest.raises(TraceError, match=r"zero_grad\(\) before backward"):
        step.over(rg.Tensor([[1.0], [2.0]]))
    assert weight.grad is None


def test_over_within_a_step_is_refused() -> None:
    inner = rg.compile(lambda x: x * 2)
    outer = rg.compile(lambda xs: inner.over(xs))
    with pytest.raises(TraceError, match=r"over\(\) cannot be called inside"):
        outer(rg.Tensor([1.0, 2.0]))


def test_a_method_is_compiled_with_its_instance() -> None:
    class Counter:
        def __init__(self, by: float) -> None:
            self.by = by
            self.total = rg.Buffer(np.zeros(3, np.float32))

        @rg.compile
        def add(self, x):
            self.total.data = (self.total + self.by * x).data
            return self.total.sum()

    one, ten = Counter(1.0), Counter(10.0)
    x = np.ones(3, np.float32)
    assert [one.add(x).item(), one.add(x).item(), ten.add(x).item()] == [3, 6, 30]
    assert one.total.tolist() == [2, 2, 2]
