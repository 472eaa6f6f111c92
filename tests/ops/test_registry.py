"""Every operation, on every sample: both engines against JAX and against finite differences."""

from __future__ import annotations

import os
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from opinfo.table import TABLE as PYTORCHS_SAMPLES
from support.samples.table import TABLE

import retrograd as rg
from retrograd import ops
from retrograd.autodiff.primitive import REGISTRY

# As in tests/opinfo: all samples compiled in both dtypes, which takes twice as long.
EVERYTHING = os.environ.get("RETROGRAD_SAMPLES") == "all"

SAMPLES = "tests/support/samples"

TOLERANCE = {
    np.dtype(np.float64): {"rtol": 1e-10, "atol": 1e-11},
    np.dtype(np.float32): {"rtol": 5e-5, "atol": 5e-6},
}


@pytest.fixture(autouse=True)
def quick_compilation():
    """Compiling takes all the time here, running none."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def operation(name):
    return TABLE[name].call or getattr(ops, name, None) or REGISTRY[name]


def is_array(value):
    return isinstance(value, np.ndarray)


def is_floating(value):
    return hasattr(value, "shape") and jnp.issubdtype(value.dtype, np.floating)


def several(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


def calls_of(name, dtype):
    """Operands and attributes of every sample, with floating-point arrays in `dtype`."""
    return [
        ([x.astype(dtype) if is_floating(x) else x for x in sample.operands], sample.attributes)
        for sample in TABLE[name].samples
    ]


def shown(call):
    operands = [f"{x.dtype}{list(x.shape)}" if is_array(x) else repr(x) for x in call[0]]
    return f"({', '.join(operands)}; {call[1]})"


def of_its_floats(function, operands, attributes):
    """`function` of its floating-point operands alone, and these."""
    chosen = [i for i, x in enumerate(operands) if is_floating(x)]

    def call(*floats):
        filled = list(operands)
        for i, x in zip(chosen, floats, strict=True):
            filled[i] = x
        return function(*filled, **attributes)

    return call, [operands[i] for i in chosen]


def outputs_and_gradients(library, function, operands, attributes):
    """What `function` returns, and then the gradients of a sum that weighs each element its way."""
    call, floats = of_its_floats(function, operands, attributes)

    def scalar(*floats):
        outputs = several(call(*floats))
        total = jnp.zeros(()) if library is jnp else rg.Tensor(np.float32(0))
        for out in outputs:
            if is_floating(out):
                weights = np.random.default_rng(0).uniform(0.5, 1.5, out.shape)
                total = total + library.sum(out * weights.astype(out.dtype))
        return total, outputs

    if not floats:
        return scalar()[1], ()
    differentiate = jax.value_and_grad if library is jnp else rg.value_and_grad
    both = differentiate(scalar, tuple(range(len(floats))), has_aux=True)
    (_, outputs), gradients = both(*floats)
    return outputs, gradients


def in_one_program(compiler, library, function, calls):
    """All calls as one compiled function of their arrays: compiling once is what takes the time."""

    def run(arrays):
        results = []
        for (operands, attributes), given in zip(calls, arrays, strict=True):
            found = iter(given)
            filled = [next(found) if is_array(x) else x for x in operands]
            results.append(outputs_and_gradients(library, function, filled, attributes))
        return results

    return compiler(run)([[x for x in operands if is_array(x)] for operands, _ in calls])


def assert_same(found, expected, call, context):
    """Values, shapes and dtypes agree with the oracle's, which were computed in float64."""
    floats = [x for x in call[0] if is_floating(x)]
    dtype = floats[0].dtype if floats else np.dtype(np.float64)
    wanted = [
        dtype if out.dtype == np.float64 and "dtype" not in call[1] else out.dtype
        for out in expected[0]
    ] + [x.dtype for x in floats]
    flat = [*found[0], *found[1]], [*expected[0], *expected[1]]
    for mine, theirs, dtype in zip(*flat, wanted, strict=True):
        assert isinstance(mine, rg.Tensor), context
        assert mine.shape == theirs.shape, context
        assert mine.dtype == dtype, context
        # A float32 result may also stand on the way of a float64 one (a cast).
        precision = min([dtype, *wanted], key=lambda d: d.itemsize if d.kind == "f" else 8)
        tolerance = TOLERANCE.get(precision, TOLERANCE[np.dtype(np.float64)])
        np.testing.assert_allclose(mine.numpy(), np.asarray(theirs), err_msg=context, **tolerance)


def test_every_operation_has_samples() -> None:
    """Rules have theirs here; what is composed of them may have PyTorch's instead."""
    own = {name for name, each in REGISTRY.items() if each.__module__.startswith("retrograd.ops")}
    missing = own - set(TABLE)
    assert not missing, f"no samples for {', '.join(sorted(missing))}; add them in {SAMPLES}"
    theirs = {word for case in PYTORCHS_SAMPLES.values() for word in re.findall(r"\w+", case.ours)}
    # Those that are of PyTorch's names alone have their cases there.
    beside = (Path(__file__).parent / "test_names_beside_torch.py").read_text("utf-8")
    theirs |= set(re.findall(r"\w+", beside))
    missing = set(ops.__all__) - set(TABLE) - theirs - {"equal"}  # a bool, of `same_elements`
    assert not missing, f"no samples for {', '.join(sorted(missing))}; add them in {SAMPLES}"
    assert all(op.samples for op in TABLE.values())


@pytest.mark.parametrize("name", sorted(TABLE))
def test_both_engines_agree_with_jax(name: str) -> None:
    oracle, function = TABLE[name].oracle, operation(name)
    full, single = calls_of(name, np.float64), calls_of(name, np.float32)
    with jax.enable_x64(True):
        expected = in_one_program(jax.jit, jnp, oracle, full)
    for call, theirs in zip(full + single, expected * 2, strict=True):
        found = outputs_and_gradients(rg, function, *call)
        assert_same(found, theirs, call, f"eager {name}{shown(call)}")
    if EVERYTHING:
        calls, expected = full + single, expected * 2
    else:  # every other sample in float32
        calls = [pair[i % 2] for i, pair in enumerate(zip(full, single, strict=True))]
    compiled = in_one_program(rg.compile, rg, function, calls)
    for call, theirs, found in zip(calls, expected, compiled, strict=True):
        assert_same(found, theirs, call, f"compiled {name}{shown(call)}")


@pytest.mark.parametrize("name", sorted(name for name in TABLE if TABLE[name].order))
def test_gradients_are_finite_differences(name: str) -> None:
    for call in calls_of(name, np.float64):
        function, floats = of_its_floats(operation(name), *call)
        function.__name__ = f"{name}{shown(call)}"
        if any(is_floating(out) for out in several(function(*map(rg.Tensor, floats)))):
            rg.check_gradients(function, *floats, order=TABLE[name].order, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", sorted(name for name in TABLE if TABLE[name].half))
def test_half_precision_stays_half_precision(name: str, dtype) -> None:
    for full, half in zip(calls_of(name, np.float64), calls_of(name, dtype), strict=True):
        if "dtype" in full[1]:
            continue
        expected, found = (
            several(function(*map(rg.Tensor, floats)))
            for function, floats in (of_its_floats(operation(name), *call) for call in (full, half))
        )
        for theirs, mine in zip(expected, found, strict=True):
            if theirs.dtype == np.float64 and any(map(is_floating, full[0])):
                assert mine.dtype == dtype, shown(half)
                np.testing.assert_allclose(
                    mine.numpy().astype(np.float64), theirs.numpy(), rtol=0.05, atol=0.05
                )
