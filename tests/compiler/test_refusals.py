"""Asking a compiled step for a Python number: the error shows the line and both ways out."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest

import retrograd as rg
from retrograd.errors import TraceError

weight = rg.Parameter([1.0, 2.0])


def branches(x):
    if x.sum() > 0:  # asks
        return x
    return -x


def loops(x):
    while x.sum() > 0:  # asks
        x = x - 1
    return x


def combines(x):
    y = x.sum() > 0 and x.sum() < 1  # asks
    return y


def asserts(x):
    assert x.sum() > 0  # asks
    return x


def floats(x):
    return x * float(x.sum())  # asks


def items(x):
    return x * x.sum().item()  # asks


def integers(x):
    return x * int(x.sum())  # asks


def counts(x):
    for _ in range(x.sum().astype("int64")):  # asks
        x = x * 2
    return x


def uses_math(x):
    return x * math.exp(x.sum())  # asks


def converts(x):
    return x * np.asarray(x).sum()  # asks


def takes_numpy(x):
    return x * x.numpy()  # asks


def lists(x):
    return x * x.tolist()[0]  # asks


def reads_a_parameter(x):
    return x * weight[0].item()  # asks


def branches_on_a_parameter(x):
    if weight.sum() > 0:  # asks
        return x
    return -x


def branches_on_a_random_number(x):
    if rg.random.uniform(()) > 0.5:  # asks
        return x
    return -x


def helper(x):
    return x if x.sum() > 0 else -x  # asks


def calls_a_helper(x):
    return helper(x)


ON_TENSORS = [
    branches, loops, combines, asserts, floats, items, integers, counts, uses_math, converts,
    takes_numpy, lists, reads_a_parameter, branches_on_a_parameter, branches_on_a_random_number,
    calls_a_helper,
]  # fmt: skip


def raw_branches(x):
    if x.sum() > 0:  # asks
        return x
    return -x


def raw_converts(x):
    return np.asarray(x) * 2  # asks


def raw_floats(x):
    return x * float(x.sum())  # asks


def raw_items(x):
    return x * x.sum().item()  # asks


def raw_counts(x):
    return x * [1, 2][x[0].astype("int64")]  # asks


def raw_picks(x):
    return x[x > 0]  # asks


def raw_parameter(x):
    return x * float(weight.data.sum())  # asks


def raw_helper(x):
    return x if x.sum() > 0 else -x  # asks


def raw_calls_a_helper(x):
    return raw_helper(x)


ON_RAW_ARRAYS = [
    raw_branches, raw_converts, raw_floats, raw_items, raw_counts, raw_picks, raw_parameter,
    raw_calls_a_helper,
]  # fmt: skip


INNERMOST = {calls_a_helper: helper, raw_calls_a_helper: raw_helper}


def asking_line(function) -> tuple[int, str]:
    lines, first = inspect.getsourcelines(INNERMOST.get(function, function))
    offset = next(i for i, line in enumerate(lines) if "# asks" in line)
    return first + offset, lines[offset].strip()


@pytest.mark.parametrize("function", ON_TENSORS + ON_RAW_ARRAYS, ids=lambda f: f.__name__)
def test_python_control_flow_shows_the_line_and_both_ways_out(function) -> None:
    values = np.array([1.0, 2.0], np.float32)
    before = rg.random.default_key.data
    number, line = asking_line(function)
    with pytest.raises(TraceError) as caught:
        rg.compile(function)(values if function in ON_RAW_ARRAYS else rg.Tensor(values))
    message = str(caught.value)
    assert message.startswith(f"{__file__}:{number}: ")
    assert line in message
    assert "where(condition, a, b)" in message
    assert "take @compile away" in message
    # Taken away, the same function runs, and the failed trace has changed nothing.
    assert rg.random.default_key.data is before
    function(values if function in ON_RAW_ARRAYS else rg.Tensor(values))


def test_the_line_is_shown_for_code_typed_at_a_prompt() -> None:
    namespace: dict = {}
    exec(compile("def f(x):\n    return float(x)\n", "<stdin>", "exec"), namespace)
    with pytest.raises(TraceError, match=r"^<stdin>:2: float\(\) needs a value"):
        rg.compile(namespace["f"])(rg.Tensor(1.0))


def test_a_mask_of_unknown_count_names_where() -> None:
    with pytest.raises(IndexError, match=r"mask.*use where\(mask, x, 0\)"):
        rg.compile(lambda x: x[x > 0])(rg.Tensor([1.0, -1.0]))


def test_a_constant_mask_and_a_traced_index_are_fine() -> None:
    x, mask = rg.Tensor([1.0, 2.0, 3.0]), np.array([True, False, True])
    step = rg.compile(lambda x, i: (x[mask], x[i]))
    masked, picked = step(x, rg.Tensor([2, 2]))
    np.testing.assert_array_equal(masked.numpy(), [1.0, 3.0])
    np.testing.assert_array_equal(picked.numpy(), [3.0, 3.0])


def test_positions_out_of_range_are_refused_as_eagerly() -> None:
    for index in (5, slice(None), [0, 5]):
        function = lambda x, index=index: x[index] if index != slice(None) else x[:, 0]  # noqa: E731  # the line that the error is to name
        for run in (function, rg.compile(function)):
            with pytest.raises(IndexError):
                run(rg.Tensor([1.0, 2.0]))


def test_a_tensor_inside_a_step_shows_its_shape() -> None:
    seen = []
    rg.compile(lambda x: seen.append(repr(x)))(rg.Tensor([1.0, 2.0]))
    assert seen == ["Tensor(shape=(2,), dtype=float32, inside a compiled step)"]


def test_an_argument_that_cannot_be_compared_is_refused() -> None:
    with pytest.raises(TraceError, match=r"tensors, arrays, numbers, strings.*found set"):
        rg.compile(lambda x: x)({1, 2})


def test_an_argument_that_requires_a_gradient_is_refused() -> None:
    # The gradient would end at the step without a word: rg.grad(step) would be zero.
    step = rg.compile(lambda x: (x * x).sum())
    with pytest.raises(TraceError, match=r"requires a gradient.*x\.detach\(\)"):
        rg.grad(step)(rg.Tensor([3.0]))
    with rg.no_grad():
        assert step(rg.Tensor([3.0], requires_grad=True)).item() == 9.0


def test_a_leaf_made_outside_that_is_no_parameter_is_refused() -> None:
    outside = rg.Tensor([1.0], requires_grad=True)

    @rg.compile
    def step(x):
        (outside * x).sum().backward()

    with pytest.raises(TraceError, match=r"made outside the compiled step.*Parameter"):
        step(rg.Tensor([2.0]))
    assert outside.grad is None


def test_a_leaf_made_inside_has_its_gradient() -> None:
    @rg.compile
    def saliency(x):
        x = rg.Tensor(x, requires_grad=True)
        (x * x).sum().backward()
        return x.grad

    assert saliency(rg.Tensor([3.0])).item() == 6.0


def test_a_step_that_never_does_the_same_twice_is_refused() -> None:
    buffers, calls = [rg.Buffer([0.0]), rg.Buffer([0.0])], []

    @rg.compile
    def alternate(x):
        calls.append(x)
        buffer = buffers[len(calls) % 2]
        buffer.data = buffer.data + x.data

    with pytest.raises(TraceError, match="alternate reads or writes different Variables each time"):
        alternate(rg.Tensor([1.0]))
    assert [buffer.item() for buffer in buffers] == [0.0, 0.0]


def test_a_variable_made_inside_is_refused() -> None:
    @rg.compile
    def step(x):
        return x * rg.Buffer(np.ones(2))

    with pytest.raises(TraceError, match=r"a Buffer outlives the step.*before the compiled step"):
        step(rg.Tensor([1.0, 2.0]))


def test_another_shape_or_dtype_written_to_a_variable_is_refused() -> None:
    buffer = rg.Buffer(np.zeros(2, np.float32))

    def grow(x):
        buffer.data = x.data

    for values in (np.zeros(3, np.float32), np.zeros(2)):
        with pytest.raises(
            TraceError, match=r"must leave a Buffer its shape and dtype.*float32\[2\]"
        ):
            rg.compile(grow)(rg.Tensor(values))
    assert buffer.shape == (2,)
