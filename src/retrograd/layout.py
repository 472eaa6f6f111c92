"""Arguments and results of a compiled step: nested containers, taken apart into their arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from retrograd.arrays import Array, is_jax, state
from retrograd.tensor import Tensor
from retrograd.traced import TraceError
from retrograd.variable import Held, Variable

__all__ = ["Layout", "flatten", "rebuild"]

Layout: TypeAlias = Any  # what stands where: hashable, so that it is the key of a program


def flatten(value: Any, arrays: list[Array]) -> Layout:
    """Take the arrays and numbers out of `value`; return what is needed to put them back.

    Numbers are inputs, so that a changing one does not compile anew; flags and strings, objects
    such as a module, and the numbers among the results belong to the program.
    """
    kind = type(value)
    if kind is np.ndarray:
        arrays.append(value)
        return (np.ndarray, value.shape, value.dtype)
    if isinstance(value, Tensor) and not isinstance(value, Variable):
        if value._node is not None and state.trace is None and state.recording:
            raise TraceError(
                f"an argument of shape {value.shape} requires a gradient, and none flows into a "
                "compiled step from outside: pass x.detach(), or take the gradient inside the step"
            )
        array = value._held if isinstance(value, Held) else value.data
        arrays.append(array)
        return (Tensor, array.shape, array.dtype)
    if kind in (list, tuple):
        return (kind, tuple([flatten(each, arrays) for each in value]))
    if kind is dict:
        return (dict, tuple((name, flatten(each, arrays)) for name, each in value.items()))
    if kind in (int, float) and state.trace is None:
        arrays.append(value)
        return (kind,)
    if isinstance(value, np.generic) or is_jax(value):
        arrays.append(value)
        return (np.ndarray, value.shape, value.dtype)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return (kind, tuple([flatten(each, arrays) for each in value]))
    try:
        hash(value)
    except TypeError:
        raise TraceError(
            f"a compiled step takes and returns tensors, arrays, numbers, strings, and lists, "
            f"tuples and dicts of them; found {kind.__name__}"
        ) from None
    return (object, value)


def rebuild(
    layout: Layout,
    arrays: Iterator[Array],
    wrap: Callable[[Array], Tensor],
    raw: Callable[[Array], Array] = lambda array: array,
) -> Any:
    """Put arrays back where `flatten` took them from: tensors through `wrap`, others `raw`."""
    kind = layout[0]
    if kind is Tensor:
        return wrap(next(arrays))
    if kind is np.ndarray or kind is int or kind is float:
        return raw(next(arrays))
    if kind is object:
        return layout[1]
    if kind is dict:
        return {name: rebuild(each, arrays, wrap, raw) for name, each in layout[1]}
    parts = [rebuild(each, arrays, wrap, raw) for each in layout[1]]
    return kind(*parts) if hasattr(kind, "_fields") else kind(parts)
