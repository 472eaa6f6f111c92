"""Every operation, on every sample: both engines against JAX and against finite differences."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
from samples import TABLE

import retrograd as rg
from retrograd import ops
from retrograd.autodiff.primitive import REGISTRY

DTYPES = (np.float64, np.float32)
TOLERANCE = {
    np.dtype(np.float64): {"rtol": 1e-11, "atol": 1e-12},
    np.dtype(np.float32): {"rtol": 2e-5, "atol": 2e-6},
}


def operation(name):
    return TABLE[name].call or getattr(ops, name, None) or REGISTRY[name]


def is_operand(value):
    """Whether a value is an input of the compiled step; numbers and None are part of it."""
    return isinstance(value, np.ndarray)


def in_dtype(sample, dtype):
    return [
        x.astype(dtype) if is_operand(x) and x.dtype == np.float64 else x for x in sample.operands
    ]


def weighed(library, outputs):
    """A number that depends on every floating-point element, on each in another way."""
    total = 0.0
    for out in outputs if isinstance(outputs, tuple) else (outputs,):
        if jnp.issubdtype(out.dtype, np.floating):
            weights = np.random.default_rng(0).uniform(0.5, 1.5, out.shape)
            total = total + library.sum(out * weights.astype(out.dtype))
    return total


def value_and_gradients(library, function, operands, attributes):
    """What `function` returns, and the gradients of its weighed sum, of one library or the other."""
    chosen = [i for i, x in enumerate(operands) if is_floating(x)]

    def scalar(*floats):
        filled = list(operands)
        for i, x in zip(chosen, floats, strict=True):
            filled[i] = x
        outputs = function(*filled, **attributes)
        total = weighed(library, outputs)
        zero = jnp.zeros(()) if library is jnp else rg.Tensor(np.zeros(()))
        return (zero if isinstance(total, float) else total), outputs

    differentiate = jax.value_and_grad if library is jnp else rg.value_and_grad
    floats = [operands[i] for i in chosen]
    if not floats:
        return scalar()[1], ()
    (_, outputs), gradients = differentiate(scalar, tuple(range(len(floats))), has_aux=True)(*floats)
    return outputs, gradients


def is_floating(x):
    return hasattr(x, "shape") and jnp.issubdtype(x.dtype, np.floating)


def calls_of(name, dtype):
    return [(in_dtype(sample, dtype), sample.attributes) for sample in TABLE[name].samples]


def in_one_program(compiler, library, function, calls):
    """All calls as one compiled function of their arrays: compiling once is what takes the time."""

    def run(arrays):
        results = []
        for (operands, attributes), given in zip(calls, arrays, strict=True):
            found = iter(given)
            filled = [next(found) if is_operand(x) else x for x in operands]
            results.append(value_and_gradients(library, function, filled, attributes))
        return results

    return compiler(run)([[x for x in operands if is_operand(x)] for operands, _ in calls])


def assert_same(found, expected, call, context):
    """Values, shapes and dtypes agree; the expected ones were computed in float64.

    A float32 call must give float32 wherever a float64 one gives float64.
    """
    dtype = next((x.dtype for x in call[0] if is_floating(x)), np.dtype(np.float64))
    for mine, theirs in zip(flat(found), flat(expected), strict=True):
        assert isinstance(mine, rg.Tensor), context
        assert mine.shape == theirs.shape, context
        fixed = theirs.dtype != np.float64 or "dtype" in call[1]
        assert mine.dtype == (theirs.dtype if fixed else dtype), context
        np.testing.assert_allclose(
            mine.numpy(), np.asarray(theirs), err_msg=context, **TOLERANCE[np.dtype(dtype)]
        )


def flat(results):
    """The outputs and the gradients in one list."""
    outputs, gradients = results
    return [*(outputs if isinstance(outputs, tuple) else (outputs,)), *gradients]


def test_every_operation_has_samples() -> None:
    missing = (set(REGISTRY) | set(ops.__all__)) - set(TABLE)
    assert not missing, f"no samples for {', '.join(sorted(missing))}; add them in tests/ops"
    assert all(op.samples for op in TABLE.values())


@pytest.mark.parametrize("name", sorted(TABLE))
def test_both_engines_agree_with_jax(name: str) -> None:
    oracle, function = TABLE[name].oracle, operation(name)
    calls = {dtype: calls_of(name, dtype) for dtype in DTYPES}
    with jax.enable_x64(True):
        expected = in_one_program(jax.jit, jnp, oracle, calls[np.float64])
    both = calls[np.float64] + calls[np.float32]
    eager = [value_and_gradients(rg, function, *each) for each in both]
    compiled = in_one_program(rg.compile, rg, function, both)
    for engine, results in (("eager", eager), ("compiled", compiled)):
        for found, theirs, call in zip(results, expected * 2, both, strict=True):
            assert_same(found, theirs, call, f"{engine} {name}{shown(call)}")


def shown(call):
    operands = [f"{x.dtype}{list(x.shape)}" if is_operand(x) else repr(x) for x in call[0]]
    return f"({', '.join(operands)}; {call[1]})"


@pytest.mark.parametrize("name", sorted(name for name in TABLE if TABLE[name].order))
def test_gradients_are_finite_differences(name: str) -> None:
    function = operation(name)
    for sample in TABLE[name].samples:
        varied = [i for i, x in enumerate(sample.operands) if is_floating(x)]

        def call(*floats, sample=sample, varied=varied):
            filled = list(sample.operands)
            for i, x in zip(varied, floats, strict=True):
                filled[i] = x
            return function(*filled, **sample.attributes)

        call.__name__ = name
        if varied and any(is_floating(out) for out in outputs_of(call(*floats_of(sample)))):
            rg.check_gradients(
                call, *floats_of(sample), order=TABLE[name].order, rtol=1e-4, atol=1e-6
            )


def floats_of(sample):
    return [x for x in sample.operands if is_floating(x)]


def outputs_of(result):
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("name", sorted(TABLE))
def test_half_precision_stays_half_precision(name: str, dtype) -> None:
    function = operation(name)
    for sample in TABLE[name].samples:
        if "dtype" in sample.attributes or not floats_of(sample):
            continue
        full = outputs_of(function(*sample.operands, **sample.attributes))
        operands = [rg.Tensor(x) if is_floating(x) else x for x in in_dtype(sample, dtype)]
        half = outputs_of(function(*operands, **sample.attributes))
        for expected, found in zip(full, half, strict=True):
            if is_floating(expected):
                assert found.dtype == dtype, shown((sample.operands, sample.attributes))
                np.testing.assert_allclose(
                    found.numpy().astype(np.float64), expected.numpy(), rtol=0.05, atol=0.05
                )
