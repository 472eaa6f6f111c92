"""Which library owns these values: JAX if any operand is JAX's, else NumPy.

NumPy computes immediately and can be stepped through; JAX values appear inside a compiled step (as
tracers) and on accelerators. Every operation receives the namespace `xp` that this module picks, so
that one line of code serves both. The few calls that the two libraries spell differently are here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

__all__ = [
    "Array",
    "DType",
    "Namespace",
    "as_array",
    "barrier",
    "is_half",
    "is_jax",
    "is_traced",
    "limits",
    "namespace",
    "scatter_add",
    "special",
    "state",
]

# NumPy and JAX arrays share the methods used here but no base class.
Array: TypeAlias = Any
DType: TypeAlias = Any
Namespace: TypeAlias = Any


class _State(threading.local):
    """What the engine is doing in this thread."""

    recording = True  # operations on tensors that require a gradient are recorded
    quiet = False  # an enclosing block already silences NumPy's floating-point warnings
    trace: Any = None  # the compiled step being traced, which then owns every Variable


state = _State()


def is_jax(value: object) -> bool:
    """Whether JAX owns `value`; never imports JAX to find out."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.Array)


def is_traced(value: object) -> bool:
    """Whether `value` stands for numbers that exist only when a compiled step runs."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.core.Tracer)


def namespace(*values: object) -> Namespace:
    """`jax.numpy` if JAX owns any of `values`, else `numpy`.

    All of them are checked, because a NumPy mask may accompany a traced array.
    """
    for value in values:
        if type(value) is not np.ndarray and is_jax(value):
            return sys.modules["jax.numpy"]
    return np


def is_half(dtype: DType) -> bool:
    """Whether numbers of this dtype are too short to be summed in: float16, bfloat16, float8."""
    return dtype.itemsize < 4 and dtype.kind in "fV"


def limits(dtype: DType) -> Any:
    """The largest number, the precision and so on of a floating-point dtype, bfloat16 too."""
    # NumPy knows bfloat16 only through the package that made the dtype.
    return (np if dtype.kind == "f" else sys.modules["ml_dtypes"]).finfo(dtype)


def as_array(values: Any, dtype: DType | None = None) -> Array:
    """Arrays as they are; Python numbers and lists as float32, int64 or bool.

    Raises TypeError for complex numbers and for values that are not numbers.
    """
    if isinstance(values, np.ndarray | np.generic) or is_jax(values):
        array: Array = values if dtype is None else values.astype(dtype)
        if isinstance(array, np.generic):
            array = np.asarray(array)
    else:
        array = np.asarray(values, dtype)
        if dtype is None and array.dtype == np.float64 and not _holds_float64(values):
            array = array.astype(np.float32)
    if array.dtype.kind == "c":
        raise TypeError(
            f"complex numbers are out of scope: found {array.dtype}; "
            "pass the real and imaginary parts as two real arrays"
        )
    if array.dtype.kind in "OUSMm":
        raise TypeError(f"expected numbers, found values of dtype {array.dtype}")
    return array


def _holds_float64(values: Any) -> bool:
    """A list of float64 NumPy values asks for float64; Python floats do not."""
    while isinstance(values, list | tuple) and values:
        values = values[0]
    return getattr(values, "dtype", None) == np.float64


def special(xp: Namespace) -> Namespace:
    """The special functions that belong to `xp`: SciPy's or JAX's (imported on first use)."""
    if xp is np:
        import scipy.special

        return scipy.special
    import jax.scipy.special

    return jax.scipy.special


def scatter_add(xp: Namespace, target: Array, index: Any, values: Array) -> Array:
    """`target` with `values` added at `index`; a repeated index accumulates."""
    if xp is np:
        target = target.copy()
        np.add.at(target, index, values)
        return target
    return xp.asarray(target).at[index].add(values)


def barrier(arrays: Sequence[Array]) -> Sequence[Array]:
    """`arrays`, hidden from XLA's common-subexpression elimination when they are traced.

    Otherwise XLA sees that a recomputed forward pass equals the first one, and keeps the first.
    """
    if not any(is_traced(array) for array in arrays):
        return arrays
    import jax

    hidden: Sequence[Array] = jax.lax.optimization_barrier(list(arrays))  # type: ignore[no-untyped-call]  # JAX leaves it untyped
    return hidden
